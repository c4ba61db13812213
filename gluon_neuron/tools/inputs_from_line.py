"""What a command line says of a model's inputs: `--shape NAME:1,3,224,224`, `--dtype NAME:int32`, by name or alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import InputError, nearest
from ..frontend.inputs import SUPPORTED
from ..graph.spec import Spec
from .ending import WrongLine

_MOST_NAMES = 8
_MOST_DIGITS = 1000
_MOST_VALUES = 2**31 - 1
"""Of an array of MXNet's."""

Shape = tuple[int, ...]


def shapes(lines: Sequence[str], names: Sequence[str]) -> dict[str, Shape]:
    """The shapes by the inputs' names. Raises InputError for what is no shape, and for a name that is not there."""
    return {name: _shape(value, line) for name, value, line in _named("--shape", lines, names)}


def dtypes(lines: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """The dtypes by the inputs' names. Raises InputError as `shapes` does."""
    found = {}
    for name, value, line in _named("--dtype", lines, names):
        if value not in SUPPORTED:
            known = ", ".join(SUPPORTED)
            raise InputError(f"--dtype {line}: there is no dtype {value!r}.{nearest(value, SUPPORTED)} Use {known}.")
        found[name] = value
    return found


def _named(option: str, lines: Sequence[str], names: Sequence[str]) -> list[tuple[str, str, str]]:
    """Each line's input, value, and the line; the name may be left out where there is one input."""
    found: list[tuple[str, str, str]] = []
    for line in lines:
        name, _, value = line.rpartition(":")
        if not name:
            if len(names) != 1:
                raise InputError(
                    f"{option} {line}: say of which input, as in {option} {names[0]}:{line}. {_has(names)}"
                )
            name = names[0]
        if name not in names:
            raise InputError(f"{option} {line}: there is no input {name!r}.{nearest(name, names)} {_has(names)}")
        if any(name == other for other, _, _ in found):
            raise InputError(f"{option} is given twice for the input {name!r}.")
        found.append((name, value.strip(), line))
    return found


def shape_of(text: str) -> Shape | None:
    """A shape as "1,3,224,224" says it, or None; "" is that of a scalar."""
    if not text:
        return ()
    words = [w.strip() for w in text.removesuffix(",").split(",")]
    # Python reads no number of thousands of digits.
    good = all(w.isascii() and w.isdigit() and len(w) < _MOST_DIGITS for w in words)
    return tuple(map(int, words)) if good else None


def _shape(text: str, line: str) -> Shape:
    found = shape_of(text) if line else None
    if found is None:
        raise WrongLine(
            f"--shape {line}: {text!r} is no shape. Write its extents with commas between them, as in "
            "data:1,3,224,224; of axes that may change, those of a usual call."
        )
    if 0 in found:
        raise WrongLine(f"--shape {line}: an extent of 0 leaves nothing to compute; give those of a usual call.")
    if math.prod(found) > _MOST_VALUES:
        raise WrongLine(
            f"--shape {line}: an array of MXNet's holds {_MOST_VALUES} values at most; give a usual call's."
        )
    return found


def _has(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"The model's inputs are {', '.join(names[:_MOST_NAMES])}{more}." if names else "The model has no inputs."


def drawn(spec: Spec, seed: int) -> np.ndarray[Any, Any]:
    """Random values: of a normal distribution where they are floats, and 0 or 1 where not, which indices may be."""
    generator = np.random.default_rng(seed)
    if np.issubdtype(np.dtype(spec.dtype), np.floating):
        return generator.standard_normal(spec.shape).astype(spec.dtype)
    return generator.integers(0, 2, spec.shape).astype(spec.dtype)


def fitted(array: np.ndarray[Any, Any], dtype: str, where: str) -> np.ndarray[Any, Any]:
    """The array in the input's dtype. Raises InputError where that would change values by more than rounding."""
    if array.dtype.kind not in "biuf":
        raise InputError(f"{where} holds {array.dtype}, which are no numbers.")
    with np.errstate(over="ignore", invalid="ignore"):
        made = array.astype(dtype)
        if array.dtype.kind == "f" and made.dtype.kind == "f":
            kept = np.array_equal(np.isfinite(made), np.isfinite(array))
        else:
            # As what holds 64 bits: the largest integers round up beyond their own type.
            kept = np.array_equal(made.astype(np.longdouble), array.astype(np.longdouble))
    if not kept:
        raise InputError(f"{where} holds {array.dtype} values that {dtype}, the dtype of the input, cannot hold.")
    return made


def every(names: Sequence[str], specs: Mapping[str, Spec], example: str = "1,3,224,224") -> None:
    """Raise InputError, which says what to write, where an input's shape is not known."""
    missing = [n for n in names if n not in specs]
    if missing:
        words = " ".join(f"--shape {n}:{example}" for n in missing)
        plural = "s" if len(missing) > 1 else ""
        raise InputError(f"The file does not say the shape{plural} of {', '.join(missing)}. Give it, as in {words}.")
