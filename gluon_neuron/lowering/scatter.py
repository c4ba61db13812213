"""Operators that write rows or elements to positions: scatter_nd and index_copy."""

from __future__ import annotations

from math import prod
from typing import Any

from ..graph.graph import Node
from .common import first_of
from .extents import nonempty
from .registry import NUMBERS, rule


def _written(xp: Any, x: Any, at: Any, rows: Any) -> Any:
    """x (n, ...) with rows at int32 positions; what lies outside is written nowhere."""
    inside = xp.logical_and(xp.greater_equal(at, 0), xp.less(at, x.shape[0]))
    wider = xp.concat([x, xp.zeros((1, *x.shape[1:]), x.dtype)], 0)
    return xp.scatter(wider, xp.where(inside, at, x.shape[0]), rows)[: x.shape[0]]


def _one_dtype(n: Node) -> str | None:
    """Refuse old and new rows of different dtypes."""
    old, new = n.in_spec(0), n.in_spec(2)
    return None if old.dtype == new.dtype else f"it copies {new.dtype} into {old.dtype}; cast them to one dtype"


@rule("_contrib_index_copy", dtypes=NUMBERS, refuse=first_of(nonempty, _one_dtype))
def index_copy(xp: Any, n: Node, old: Any, at: Any, new: Any) -> Any:
    """`old` with the rows of `new` at positions (M,); of several for one position any may be left."""
    return _written(xp, old, xp.astype(at, xp.int32), new)


def _positions_fit(n: Node) -> str | None:
    """Refuse shapes beyond int32."""
    shape = n.out.shape[: n.in_spec(1).shape[0]]
    return f"shape={n.out.shape} has positions that int32 cannot hold" if prod(shape) >= 2**31 - 1 else None


@rule("scatter_nd", dtypes=NUMBERS, refuse=first_of(nonempty, _positions_fit))
def scatter_nd(xp: Any, n: Node, x: Any, places: Any) -> Any:
    """Elements or slices of x at tuples of positions (M, ...) among zeros; of several for one place any may be left."""
    depth, shape = places.shape[0], n.out.shape
    places = xp.reshape(xp.astype(places, xp.int32), (depth, places.size // depth))
    # A position beyond its own axis moves on into the next, as in MXNet, which adds offsets up and tests nothing.
    flat = places[0]
    for k in range(1, depth):
        flat = flat * shape[k] + places[k]
    rest = shape[depth:]
    rows = xp.reshape(x, (flat.size, *rest))
    zeros = xp.zeros((prod(shape[:depth]), *rest), x.dtype)
    return xp.reshape(_written(xp, zeros, flat, rows), shape)
