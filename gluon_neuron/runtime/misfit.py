"""What is said of inputs that a model does not take: what it was compiled for, what it got, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import mxnet as mx

from ..errors import InputError, reason
from ..graph.spec import Spec
from .front_end import shape_rules


def misfit(names: Sequence[str], compiled: Sequence[Spec], given: Sequence[Spec], error: Exception) -> InputError:
    """The error for inputs that MXNet refuses; `error` is what it said."""
    found = (
        " ".join(f"{text}.{_advice(want, got)}" for text, want, got in _differences(names, compiled, given))
        or f"the inputs are those that it was compiled for ({', '.join(map(str, given))})."
    )
    return InputError(f"The model does not take these inputs: {found} MXNet says: {reason(error)}")


def unseen(names: Sequence[str], compiled: Sequence[Spec], given: Sequence[Spec]) -> InputError:
    """The error for inputs that no program with baked weights is for."""
    found = ", ".join(text for text, _, _ in _differences(names, compiled, given))
    return InputError(
        f"The weights are baked into the model's programs (inline_weights=True), and none is for these inputs: {found}."
        " Compile it with shapes=[...], or batch_sizes=[...] for other sizes of the batch alone, with "
        "dynamic_batch=True where rows are independent, or without inline_weights for any shape."
    )


def recast(name: str, node: str, compiled: str, found: str) -> InputError:
    """The error for a weight that was cast since its reader was compiled."""
    return InputError(
        f"The compiled node {node!r} takes the weight {name!r} as {compiled}, for which it was compiled, and it is "
        f"{found} now. Cast it back with cast({compiled!r}), or compile the original model again, with inputs of the "
        "new dtype."
    )


def refuses(
    symbol: mx.sym.Symbol, inputs: Sequence[str], specs: Sequence[Spec], params: Mapping[str, Any], is_np: bool
) -> bool:
    """Whether MXNet infers no shapes of a symbol for such inputs, rather than failing for another reason."""
    names = {*symbol.list_inputs()}
    shapes = {n: tuple(p.shape) for n, p in params.items() if n in names}
    shapes |= {n: s.shape for n, s in zip(inputs, specs, strict=True) if n in names}
    try:
        with shape_rules(is_np):
            symbol.infer_shape(**shapes)
    except Exception:  # MXNet raises just that for arrays of more than 2^31 elements
        return True
    return False


def _differences(names: Sequence[str], compiled: Sequence[Spec], given: Sequence[Spec]) -> list[tuple[str, Spec, Spec]]:
    return [
        (f"{name!r} was compiled for {_shown(want, want, got)}, got {_shown(got, want, got)}", want, got)
        for name, want, got in zip(names, compiled, given, strict=True)
        if want != got
    ]


def _shown(spec: Spec, one: Spec, other: Spec) -> str:
    return str(spec.shape) if one.dtype == other.dtype else f"{spec.dtype} {spec.shape}"


def _advice(want: Spec, got: Spec) -> str:
    """What would make an array fit, as far as its shape and dtype tell."""
    advice = [a for a in (_shape_advice(want.shape, got.shape), _dtype_advice(want, got)) if a]
    return "".join(f" {a}" for a in advice)


def _dtype_advice(want: Spec, got: Spec) -> str:
    return f"Convert it with astype({want.dtype!r})." if want.dtype != got.dtype else ""


def _shape_advice(want: tuple[int, ...], got: tuple[int, ...]) -> str:
    if 0 in got and 0 not in want:
        return "Outside NumPy mode MXNet takes a length of 0 for one it does not know: do not call it without data."
    if got[1:] == want[1:] and len(got) == len(want):
        return ""
    if got == want[1:] or (len(got) == len(want) - 1 and sorted(got) == sorted(want[1:])):
        order = _order(want[1:], got)
        then = "" if order == tuple(range(len(got))) else f", after transpose({order})"
        return f"It lacks the axis of the batch: add it with expand_dims(axis=0){then}."
    if len(got) != len(want):
        return f"It has {len(got)} axes and needs {len(want)}."
    if sorted(got[1:]) == sorted(want[1:]):
        order = (0, *(i + 1 for i in _order(want[1:], got[1:])))
        return f"Its axes are in another order: give it transpose({order})."
    if len(got) == 4 and got[1] != want[1] and got[3] == want[1]:
        return "Its channels are last: give it transpose((0, 3, 1, 2))."
    if len(got) == 4 and got[3] != want[3] and got[1] == want[3]:
        return "Its channels are first: give it transpose((0, 2, 3, 1))."
    return "To use it with such inputs, build the model for them and compile it with one as the sample."


def _order(want: Sequence[int], got: Sequence[int]) -> tuple[int, ...]:
    """The axes of `got` in the order in which their extents are `want`; equal extents stay in their order."""
    left = list(range(len(got)))
    found = []
    for extent in want:
        axis = next(a for a in left if got[a] == extent)
        left.remove(axis)
        found.append(axis)
    return tuple(found)
