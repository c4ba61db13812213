"""Shape, indexing, reduction, order and product functions in OpenVINO."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

_BEFORE_FIRST = -(2**31)
# Up to here float32 holds every integer.
_EXACT = 2**24


def reshape(op: Any, x: Any, shape: tuple[int, ...]) -> Any:
    """To a scalar by squeezing: OpenVINO's process dies on a matrix product that is reshaped to one."""
    if not shape:
        return op.squeeze(x, op.const(list(range(len(x.get_shape())))))
    return op.reshape(x, op.const(shape), False)


def slice_(op: Any, x: Any, slices: tuple[tuple[int, int, int], ...]) -> Any:
    """Only the axes that change, or all for any shape. A stop of -1, before the first element, would mean the last."""
    cuts = [
        (a, s) for a, (s, n) in enumerate(zip(slices, x.get_shape(), strict=True)) if op.any_shape or s != (0, n, 1)
    ]
    axes = op.const([a for a, _ in cuts])
    start = op.const([s[0] for _, s in cuts])
    stop = op.const([_BEFORE_FIRST if s[1] < 0 else s[1] for _, s in cuts])
    return op.slice(x, start, stop, op.const([s[2] for _, s in cuts]), axes)


def pad(op: Any, x: Any, pads: tuple, mode: str, value: Any) -> Any:
    """Widen each axis."""
    low, high = op.const([p[0] for p in pads]), op.const([p[1] for p in pads])
    return op.pad(x, low, high, mode, op.like(value, x) if mode == "constant" else None)


def _reduce(operator: str, op: Any, x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """Of the first or last of three axes as two of four: OpenVINO 2026.4 computes what follows such a node in its
    kernel, and takes the factors of other channels there. A new axis alone it would take out again."""
    shape = list(x.get_shape())
    if len(shape) != 3 or tuple(axes) not in ((0,), (2,)):
        return getattr(op, operator)(x, op.const(axes), keepdims)
    (axis,) = axes
    x = op.reshape(x, op.const([*shape[:axis], 1, *shape[axis:]]), False)
    result = getattr(op, operator)(x, op.const([axis, axis + 1]), True)
    left = [1] if keepdims else []
    return op.reshape(result, op.const([*shape[:axis], *left, *shape[axis + 1 :]]), False)


def _position(mode: str) -> Callable[..., Any]:
    """Of positions that hold the extreme the smallest; of equals in a longer axis, TopK picks any unless it sorts."""

    def position(op: Any, x: Any, axis: int) -> Any:
        shape = x.get_shape()
        count = shape[axis]
        if count > _EXACT:
            return op.squeeze(op.topk(x, op.const(1), axis, mode, "value", "i32", True).output(1), op.const([axis]))
        line = [1] * len(shape)
        line[axis] = count
        extreme = _reduce(f"reduce_{mode}", op, x, (axis,), True)
        places = op.const(np.arange(count).reshape(line), "float32")
        found = op.select(op.equal(x, extreme), places, op.const(count - 1, "float32"))
        return op.convert(_reduce("reduce_min", op, found.output(0), (axis,), False), op.type("int32"))

    return position


def top_k(op: Any, x: Any, k: int, axis: int, largest: bool) -> tuple[Any, Any]:
    """Not stable: OpenVINO's stable order takes quadratic time."""
    node = op.topk(x, op.const(k), axis, "max" if largest else "min", "value", "i32", False)
    return node.output(0), node.output(1)


def matmul(op: Any, a: Any, b: Any, transpose_a: bool, transpose_b: bool) -> Any:
    """By one number elementwise: OpenVINO cannot compile two products in a row of which one has such a weight."""
    if list(b.get_shape()) == [1, 1] and not transpose_a:
        return op.multiply(a, b)
    return op.matmul(a, b, transpose_a, transpose_b)


def exact_matmul(op: Any, a: Any, b: Any, transpose_a: bool, transpose_b: bool) -> Any:
    """A product that the builder notes."""
    node = matmul(op, a, b, transpose_a, transpose_b)
    op.exact.add(node.get_friendly_name())
    return node


KERNELS: Mapping[str, Callable[..., Any]] = {
    "reshape": reshape,
    "permute_dims": lambda op, x, axes: op.transpose(x, op.const(axes)),
    "broadcast_to": lambda op, x, shape: op.broadcast(x, op.const(shape)),
    "concat": lambda op, *a: op.concat(list(a[:-1]), a[-1]),
    "slice": slice_,
    "pad": pad,
    "take": lambda op, x, indices, axis: op.gather(x, indices, op.const(axis)),
    "take_along_axis": lambda op, x, indices, axis: op.gather_elements(x, indices, axis),
    "gather_nd": lambda op, x, indices: op.gather_nd(x, indices, 0),
    "scatter": lambda op, x, indices, rows: op.scatter_update(x, indices, rows, op.const(0)),
    "sum": partial(_reduce, "reduce_sum"),
    "mean": partial(_reduce, "reduce_mean"),
    "prod": partial(_reduce, "reduce_prod"),
    "max": partial(_reduce, "reduce_max"),
    "min": partial(_reduce, "reduce_min"),
    "cumsum": lambda op, x, axis: op.cum_sum(x, op.const(axis)),
    "argmax": _position("max"),
    "argmin": _position("min"),
    "argsort": lambda op, x, axis, descending: top_k(op, x, x.get_shape()[axis], axis, descending)[1],
    "top_k": top_k,
    "matmul": matmul,
    "exact_matmul": exact_matmul,
}
