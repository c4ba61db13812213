"""Insertion of mx.np, at positions that are known."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph.graph import Node
from ..common import first_of
from ..extents import axis_of, nonempty
from ..registry import FLOATS, INTS, NUMBERS, rule


def _inserts(n: Node) -> str | None:
    """Refuse anything but one array put at places that are known and lie within the axis."""
    if len(n.ins) != 2:
        return "a number to insert (val) is not compiled; MXNet inserts it into flattened arrays only"
    source, target = n.in_spec(1).dtype, n.in_spec(0).dtype
    if source != target and not (source in INTS and target in FLOATS):
        return f"it inserts {source} into {target}; cast before it"
    axis, places, one = _insertion(n)
    shape, room = _value_shape(n, axis, one), _room(n, axis)
    if (
        any(a not in (1, b) for a, b in zip(shape, room))
        or len(shape) != len(room)
        or len(places) not in (1, room[axis])
    ):
        return (
            f"values of shape {n.in_spec(1).shape} do not fit into {n.in_spec(0)} at axis {axis}; MXNet does not check"
        )
    return None


def _flattened(n: Node) -> tuple[int, ...]:
    return n.in_spec(0).shape if n.attrs.has("axis") else (n.in_spec(0).size,)


def _insertion(n: Node) -> tuple[int, np.ndarray, bool]:
    """The axis, the positions that get something put before them, and whether it is one given as a number."""
    shape = _flattened(n)
    axis = axis_of(n, "axis", 0, len(shape))
    size = shape[axis]
    if n.attrs.has("int_ind"):
        place = n.attrs.integer("int_ind")
        return axis, np.array([place + size if place < 0 else place]), True
    ends = (n.attrs.integer(key) if n.attrs.has(key) else None for key in ("start", "stop", "step"))
    return axis, np.arange(size)[slice(*ends)], False


def _room(n: Node, axis: int) -> tuple[int, ...]:
    """The shape of what is inserted."""
    shape = _flattened(n)
    return (*shape[:axis], n.out.shape[axis] - shape[axis], *shape[axis + 1 :])


def _value_shape(n: Node, axis: int, one: bool) -> tuple[int, ...]:
    """The values' shape with as many axes as the array has.

    As NumPy has it: of values for one position, given as a number, the first axis lies along that of insertion.
    """
    values = n.in_spec(1).shape
    full = (1,) * (len(_flattened(n)) - len(values)) + values
    return (*full[1 : axis + 1], full[0], *full[axis + 1 :]) if one else full


@rule("_npi_insert_scalar", "_npi_insert_slice", dtypes=NUMBERS, refuse=first_of(nonempty, _inserts))
def insert(xp: Any, n: Node, x: Any, values: Any) -> Any:
    """Put values before a position, or before each of a range of them, along an axis or in the flattened array."""
    axis, places, one = _insertion(n)
    x = xp.reshape(x, _flattened(n))
    values = xp.reshape(xp.astype(values, x.dtype), (1,) * (x.ndim - values.ndim) + values.shape)
    if one:
        values = xp.permute_dims(values, (*range(1, axis + 1), 0, *range(axis + 1, x.ndim)))
    room = _room(n, axis)
    new = x.shape[axis] + np.arange(room[axis])
    order = np.insert(np.arange(x.shape[axis]), np.repeat(places, len(new)) if len(places) == 1 else places, new)
    joined = xp.concat([x, xp.broadcast_to(values, room)], axis)
    return xp.take(joined, xp.constant(order, xp.int32), axis)
