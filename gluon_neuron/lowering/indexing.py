"""Operators that pick elements by position: gathers, one-hot codes, choices.

Positions that lie outside are clipped or wrapped here, because the dialect promises nothing for them.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..graph.graph import Node
from .common import first_of
from .extents import axis_of, nonempty
from .positions import clipped, limited, wrapped, wraps_within
from .registry import ANY, NUMBERS, rule


def _inside(xp: Any, index: Any, size: int, mode: str, bits: int = 64) -> Any:
    """Positions as int32, clipped into 0..size-1 or wrapped around; MXNet takes them as integers of so many bits."""
    return (wrapped if mode == "wrap" else clipped)(xp, index, size, bits)


def _does_not_raise(n: Node) -> str | None:
    """Refuse mode="raise"."""
    if n.attrs.text("mode", "clip") == "raise":
        return "mode 'raise' fails at run time on a position out of range; use 'clip' or 'wrap'"
    return None


@rule("take", "_npi_take", dtypes=NUMBERS, refuse=first_of(nonempty, _does_not_raise, wraps_within(1)), positions=1)
def take(xp: Any, n: Node, x: Any, index: Any) -> Any:
    """Slices of x at positions along one axis; that axis becomes the axes of the positions."""
    axis = axis_of(n, "axis", 0, x.ndim)
    return xp.take(x, _inside(xp, index, x.shape[axis], n.attrs.text("mode", "clip")), axis)


@rule("Embedding", "_contrib_SparseEmbedding", "_npx_embedding", dtypes=NUMBERS, refuse=nonempty, positions=0)
def embedding(xp: Any, n: Node, index: Any, weight: Any) -> Any:
    """Rows of weight (input_dim, output_dim) at the positions, clipped."""
    return xp.take(weight, _inside(xp, index, weight.shape[0], "clip"), 0)


@rule(
    "pick",
    "choose_element_0index",
    "_npx_pick",
    dtypes=NUMBERS,
    refuse=first_of(nonempty, wraps_within(1)),
    positions=1,
)
def pick(xp: Any, n: Node, x: Any, index: Any) -> Any:
    """One element along the axis for each position of the other axes."""
    axis = axis_of(n, "axis", -1, x.ndim)
    index = _inside(xp, index, x.shape[axis], n.attrs.text("mode", "clip"), bits=32)
    index = xp.reshape(index, (*x.shape[:axis], 1, *x.shape[axis + 1 :]))
    return xp.reshape(xp.take_along_axis(x, index, axis), n.out.shape)


def _one_per_row(n: Node) -> str | None:
    """Refuse anything but a matrix and one position for each row."""
    data, index = n.in_spec(0), n.in_spec(1)
    if len(data.shape) != 2 or index.size != data.shape[0]:
        return f"its data {data} is not a matrix with one row for each position of {index}"
    return None


@rule("batch_take", dtypes=NUMBERS, refuse=first_of(nonempty, _one_per_row))
def batch_take(xp: Any, n: Node, x: Any, index: Any) -> Any:
    """One element of each row of x (N, C), at positions clipped into the row."""
    index = xp.reshape(_inside(xp, index, x.shape[1], "clip"), (x.shape[0], 1))
    return xp.reshape(xp.take_along_axis(x, index, 1), n.out.shape)


@rule("gather_nd", "_npx_gather_nd", "_npi_gather_nd", dtypes=NUMBERS, refuse=nonempty)
def gather_nd(xp: Any, n: Node, x: Any, index: Any) -> Any:
    """Elements or slices of x at tuples of positions (M, ...); negative ones count from the end, others are clipped."""
    depth = index.shape[0]
    sizes = np.array(x.shape[:depth], np.int32).reshape((depth,) + (1,) * (index.ndim - 1))
    index, size = xp.astype(index, xp.int32), xp.constant(sizes, xp.int32)
    index = xp.where(index < 0, index + size, index)
    index = xp.minimum(xp.maximum(index, 0), xp.constant(sizes - 1, xp.int32))
    return xp.gather_nd(x, xp.permute_dims(index, (*range(1, index.ndim), 0)))


@rule("one_hot", "_npx_one_hot", dtypes=NUMBERS, refuse=nonempty, positions=0)
def one_hot(xp: Any, n: Node, index: Any) -> Any:
    """on_value where the last axis equals the position, off_value elsewhere, and everywhere if it is outside."""
    depth, dtype = n.attrs.integer("depth"), n.out.dtype
    index = xp.reshape(limited(xp, index, depth, bits=32), (*index.shape, 1))
    hit = xp.equal(index, xp.arange(0, depth, 1, xp.int32))
    # Integers lose the fraction of the values, as in C.
    on, off = (n.attrs.number(key, default) for key, default in (("on_value", 1.0), ("off_value", 0.0)))
    return xp.where(hit, *(xp.constant(np.asarray(v), dtype) for v in (on, off)))


@rule("where", dtypes=ANY, refuse=nonempty)
def where(xp: Any, n: Node, condition: Any, x: Any, y: Any) -> Any:
    """x where the condition is not zero, else y; a condition of one axis chooses whole rows."""
    if condition.ndim == 1 and x.ndim > 1:
        condition = xp.reshape(condition, (x.shape[0],) + (1,) * (x.ndim - 1))
    if condition.dtype != xp.bool:
        condition = xp.not_equal(condition, 0)
    return xp.where(condition, x, y)


def _flat_positions(n: Node) -> str | None:
    """Refuse shapes beyond int32, and positions of several axes."""
    shape, axes = n.attrs.ints("shape"), len(n.in_spec(0).shape) - (0 if "unravel" in n.op else 1)
    if prod(shape) >= 2**31:
        return f"shape={shape} has positions that int32 cannot hold"
    # MXNet infers a wrong shape for more.
    return None if axes == 1 else f"its positions have {axes} axes, not 1"


@rule("_unravel_index", "unravel_index", dtypes=NUMBERS, refuse=first_of(nonempty, _flat_positions), exact_int32=False)
def unravel_index(xp: Any, n: Node, flat: Any) -> Any:
    """Flat positions to positions along each axis of `shape`, as a new first axis."""
    shape, index = n.attrs.ints("shape"), xp.astype(flat, xp.int32)
    places = []
    for size in reversed(shape[1:]):
        places.append(xp.remainder(index, size))
        index = xp.trunc_divide(index, size)
    return xp.astype(xp.stack([index, *reversed(places)], 0), n.out.dtype)


@rule("_ravel_multi_index", "ravel_multi_index", dtypes=NUMBERS, refuse=first_of(nonempty, _flat_positions))
def ravel_multi_index(xp: Any, n: Node, places: Any) -> Any:
    """Positions along each axis of `shape`, the first axis, to flat positions."""
    places = xp.astype(places, xp.int32)
    flat = places[0]
    for i, size in enumerate(n.attrs.ints("shape")[1:], 1):
        flat = flat * size + places[i]
    return xp.astype(flat, n.out.dtype)
