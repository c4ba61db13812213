"""Operators of mx.np that move elements: diagonals, triangles, rolls, turns, stacks and splits."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph.graph import Node
from ..common import first_of, same_dtypes
from ..creation import diagonal_of, matrix_of
from ..extents import axis_of, nonempty
from ..registry import ANY, NUMBERS, rule
from ..slicing import split_at


@rule("_np_diagflat", dtypes=ANY, refuse=nonempty)
def diagflat(xp: Any, n: Node, x: Any) -> Any:
    """A matrix with the elements of x on diagonal k."""
    return matrix_of(xp, xp.reshape(x, (x.size,)), n.attrs.integer("k", 0))


def _diagonal(xp: Any, n: Node, x: Any) -> Any:
    axes = axis_of(n, "axis1", 0, x.ndim), axis_of(n, "axis2", 1, x.ndim)
    return diagonal_of(xp, x, n.attrs.integer("offset", 0), *axes)


@rule("_np_diagonal", dtypes=ANY, refuse=nonempty)
def diagonal(xp: Any, n: Node, x: Any) -> Any:
    """A diagonal of two axes, as a new last axis."""
    return _diagonal(xp, n, x)


def _diagonal_is_there(n: Node) -> str | None:
    """Refuse a diagonal without elements."""
    shape, k = n.in_spec(0).shape, n.attrs.integer("offset", 0)
    rows, columns = (shape[axis_of(n, key, i, len(shape))] for i, key in enumerate(("axis1", "axis2")))
    return None if -rows < k < columns else f"diagonal {k} of {rows} x {columns} is empty"


@rule("_np_trace", dtypes=NUMBERS, refuse=first_of(nonempty, _diagonal_is_there), exact_int32=False)
def trace(xp: Any, n: Node, x: Any) -> Any:
    """The sum along a diagonal of two axes."""
    return xp.sum(_diagonal(xp, n, x), (-1,), False)


@rule("_npi_tril", dtypes=NUMBERS, refuse=nonempty)
def tril(xp: Any, n: Node, x: Any) -> Any:
    """Zeros above diagonal k of the last two axes; a vector becomes every row of a square."""
    x = xp.broadcast_to(x, n.out.shape)
    return xp.where(xp.constant(np.tri(x.shape[-2], x.shape[-1], n.attrs.integer("k", 0)), xp.bool), x, 0)


@rule("_np_roll", dtypes=ANY, refuse=nonempty)
def roll(xp: Any, n: Node, x: Any) -> Any:
    """Shift along axes, what falls off coming back on the other side; without axes in the flattened array."""
    shifts, axes = n.attrs.ints("shift"), n.attrs.ints("axis", ())
    if not axes:
        return xp.reshape(_rolled(xp, xp.reshape(x, (x.size,)), shifts[0], 0), x.shape)
    for shift, axis in zip(shifts if len(shifts) == len(axes) else shifts * len(axes), axes):
        x = _rolled(xp, x, shift, axis % x.ndim)
    return x


def _rolled(xp: Any, x: Any, shift: int, axis: int) -> Any:
    cut = -shift % x.shape[axis]
    if not cut:
        return x
    front = (slice(None),) * axis
    return xp.concat([x[front + (slice(cut, None),)], x[front + (slice(0, cut),)]], axis)


@rule("_npi_rot90", dtypes=ANY, refuse=nonempty)
def rot90(xp: Any, n: Node, x: Any) -> Any:
    """Turn the plane of two axes by k quarters, from the first towards the second."""
    a, b = (axis % x.ndim for axis in n.attrs.ints("axes"))
    order = list(range(x.ndim))
    order[a], order[b] = b, a
    turns = n.attrs.integer("k", 1) % 4
    if turns == 1:
        return xp.permute_dims(xp.flip(x, (b,)), tuple(order))
    if turns == 3:
        return xp.flip(xp.permute_dims(x, tuple(order)), (b,))
    return xp.flip(x, (a, b)) if turns else x


@rule("_np_atleast_1d", "_np_atleast_2d", "_np_atleast_3d", dtypes=ANY, refuse=nonempty)
def atleast(xp: Any, n: Node, *xs: Any) -> tuple[Any, ...]:
    """Each array with one to three axes at least."""
    return tuple(xp.reshape(x, _widened(x.shape, int(n.op[-2]))) for x in xs)


def _widened(shape: tuple[int, ...], ndim: int) -> tuple[int, ...]:
    """New axes come first; of three, one comes last too."""
    if ndim == 3 and len(shape) in (1, 2):
        return (1, *shape, 1) if len(shape) == 1 else (*shape, 1)
    return (1,) * (ndim - len(shape)) + shape


@rule("_npi_vstack", dtypes=ANY, refuse=first_of(nonempty, same_dtypes))
def vstack(xp: Any, n: Node, *xs: Any) -> Any:
    """Join rows."""
    return xp.concat([xp.reshape(x, _widened(x.shape, 2)) for x in xs], 0)


@rule("_npi_column_stack", dtypes=ANY, refuse=first_of(nonempty, same_dtypes))
def column_stack(xp: Any, n: Node, *xs: Any) -> Any:
    """Join columns."""
    return xp.concat([xp.reshape(x, (x.size, 1)) if x.ndim < 2 else x for x in xs], 1)


@rule("_npi_hsplit", dtypes=ANY, refuse=nonempty)
def hsplit(xp: Any, n: Node, x: Any) -> tuple[Any, ...]:
    """Parts along the second axis, of a vector along its only one."""
    return split_at(xp, n, x, min(1, x.ndim - 1))
