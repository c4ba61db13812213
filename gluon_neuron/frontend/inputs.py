"""Sample inputs in every form users have them: one array, several, nested, or by name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import mxnet as mx
import numpy as np

from ..errors import InputError, nearest
from ..graph.spec import dtype_name
from ..runtime import mxnet_private
from ..runtime.front_end import shape_rules

SUPPORTED = ("float32", "float16", "float64", "int8", "uint8", "int32", "int64", "bool")
HOST_MEMORY = ("cpu_pinned", "cpu_shared")
"""Contexts of batches that a DataLoader's workers made: MXNet binds no graph on them, and unlike a NeuronCore or a
GPU they are no place to run."""
_MAX_INT32 = 2**31


def to_array(value: Any, is_np: bool, where: str) -> mx.nd.NDArray:
    """One input as an MXNet array of the kind the model takes, on a context where a graph can be bound.

    NumPy arrays keep their dtype.
    """
    if isinstance(value, mx.nd.NDArray):
        if value.ctx.device_type in HOST_MEMORY:
            value = value.as_in_context(mx.cpu())
        if is_np and not isinstance(value, mx.np.ndarray):
            return value.as_np_ndarray()
        if not is_np and isinstance(value, mx.np.ndarray):
            return value.as_nd_ndarray()
        return value
    if isinstance(value, np.ndarray | np.generic | int | float | bool):
        array = np.asarray(value)
        if array.dtype.name not in SUPPORTED:
            raise InputError(
                f"{where} has dtype {array.dtype}, which MXNet does not know; use one of {', '.join(SUPPORTED)}."
            )
        if is_np:
            return mx.np.array(array, dtype=array.dtype)
        with shape_rules(mx.util.is_np_shape() or 0 in array.shape or array.ndim == 0):
            return mx.nd.array(array, dtype=array.dtype)
    raise InputError(
        f"{where} is a {type(value).__name__}; an input must be an mx.nd or mx.np array or a NumPy array "
        "(several inputs: a tuple, a list, or a dict by name)."
    )


def holds_np(sample: Any) -> bool:
    """Whether an array of MXNet's NumPy front end is in a sample."""
    if isinstance(sample, Mapping):
        sample = list(sample.values())
    if isinstance(sample, tuple | list):
        return any(holds_np(s) for s in sample)
    return isinstance(sample, mx.np.ndarray)


def as_numpy(array: mx.nd.NDArray) -> np.ndarray:
    """The array's values; those of bfloat16, which NumPy lacks and MXNet gives as its bits, as float32."""
    return np.asarray((array.astype("float32") if np.dtype(array.dtype).kind == "V" else array).asnumpy())


def convert(value: Any, is_np: bool, where: str = "The input") -> Any:
    """An argument, nested or not, with every array converted by `to_array`; None stays None."""
    if value is None:
        return None
    if isinstance(value, tuple | list):
        return [convert(v, is_np, f"{where}[{i}]") for i, v in enumerate(value)]
    return to_array(value, is_np, where)


def arguments(block: mx.gluon.HybridBlock, sample: Any, is_np: bool) -> list[Any]:
    """The positional arguments to call `block` with, from a sample in any of the accepted forms.

    Raises InputError for unknown names, a wrong count, or something that is not an array.
    """
    if isinstance(sample, Mapping):
        return _by_name(block, sample, is_np)
    values = list(sample) if isinstance(sample, tuple | list) else [sample]
    if not values:
        raise InputError("The sample input is empty; give one array for each argument of the model.")
    if all(v is None for v in values):
        raise InputError("The sample input is None; give one array for each argument of the model.")
    many = len(values) > 1
    args = [convert(v, is_np, f"Input {i}" if many else "The sample input") for i, v in enumerate(values)]
    names, required = argument_names(block)
    if names is not None and not required <= len(args) <= len(names):
        takes = str(len(names)) if required == len(names) else f"{required} to {len(names)}"
        plural = "" if takes == "1" else "s"
        raise InputError(f"The model takes {takes} input{plural} ({', '.join(names)}), but the sample has {len(args)}.")
    return args


def argument_names(block: mx.gluon.HybridBlock) -> tuple[list[str] | None, int]:
    """The names of the block's arguments and how many must be given; None when it takes any number."""
    if isinstance(block, mx.gluon.SymbolBlock):
        # A SymbolBlock's inputs may be nested: its arguments are then not its symbols one by one.
        grouped = mxnet_private.input_structure(block)
        grouped = grouped if isinstance(grouped, list | tuple) else [grouped]
        return [g.name if isinstance(g, mx.sym.Symbol) else f"input{i}" for i, g in enumerate(grouped)], len(grouped)
    method = block.hybrid_forward
    if prepares_arguments(block):
        changed = type(block).__call__ is not mx.gluon.HybridBlock.__call__
        method = block.__call__ if changed else block.forward
    parameters = list(inspect.signature(method).parameters.values())
    if method == block.hybrid_forward:
        parameters = parameters[1:]  # F
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None, 0
    own = mxnet_private.own_parameters(block)
    positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD and p.name not in own]
    return [p.name for p in positional], sum(p.default is p.empty for p in positional)


def prepares_arguments(block: mx.gluon.HybridBlock) -> bool:
    """Whether the block's class has a call of its own, which may hand other arguments on than it was given.

    Gluon's recurrent layers add their first states, for example.
    """
    kind = type(block)
    if issubclass(kind, mx.gluon.SymbolBlock):
        return False
    return kind.__call__ is not mx.gluon.HybridBlock.__call__ or kind.forward is not mx.gluon.HybridBlock.forward


def flatten(args: Sequence[Any]) -> tuple[list[mx.nd.NDArray], Any]:
    """The arrays of nested arguments in order, without the Nones, and Gluon's description of the nesting."""
    flat, fmt = mxnet_private.flatten(list(args), "input")
    return [a for a in flat if a is not None], fmt


def check_dtypes(arrays: Sequence[mx.nd.NDArray]) -> None:
    """Raise InputError when an array has a dtype or storage that cannot enter a compiled model."""
    for i, array in enumerate(arrays):
        name = dtype_name(array.dtype)
        if name not in (*SUPPORTED, "bfloat16"):
            raise InputError(f"Input {i} has dtype {name}; use one of {', '.join(SUPPORTED)}.")
        if array.stype != "default":
            raise InputError(f"Input {i} has storage type {array.stype!r}; convert it with tostype('default').")


def _by_name(block: mx.gluon.HybridBlock, sample: Mapping[str, Any], is_np: bool) -> list[Any]:
    names, required = argument_names(block)
    if names is None:
        raise InputError("The model takes any number of inputs, so they cannot be given by name; give a tuple.")
    # Traced inputs are called data, or data0, data1, ...: those names are accepted too.
    traced = ["data"] if len(names) == 1 else [f"data{i}" for i in range(len(names))]
    alias = {**dict(zip(traced, names, strict=True)), **{n: n for n in names}}
    given: dict[str, Any] = {}
    for name, value in sample.items():
        if name not in alias:
            raise InputError(
                f"The model has no input {name!r}; its inputs are {', '.join(names)}.{nearest(str(name), alias)}"
            )
        given[alias[name]] = convert(value, is_np, f"Input {name!r}")
    missing = [n for n in names[:required] if n not in given]
    if missing:
        raise InputError(f"The sample lacks the input{'s' if len(missing) > 1 else ''} {', '.join(missing)}.")
    last = max(i for i, n in enumerate(names) if n in given)
    return [given.get(n) for n in names[: last + 1]]
