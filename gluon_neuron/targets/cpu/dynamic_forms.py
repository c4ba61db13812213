"""Forms: what a constant of a region's programs is in terms of extents, found from its values at several shapes.

A form gives the value for each sample again, which is compared before it is believed, and builds itself in OpenVINO.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .dynamic_matrices import Resizing, resizing
from .dynamic_numbers import Extents, Number, Scalar

_MOST_ELEMENTS = 64
"""Numbers that one constant may compute from extents, one by one."""

TABLE_BYTES = 4 << 20
"""Up to this size a table is kept in its longest form."""


@dataclass(frozen=True)
class Elements:
    """A constant of one shape whose elements are numbers; one element may be -1, for OpenVINO to infer."""

    shape: tuple[int, ...]
    dtype: str
    numbers: tuple[Number, ...]

    def build(self, op: Any, scalar: Scalar) -> Any:
        """An output of this dtype and shape."""
        parts = [scalar(n, self.dtype) for n in self.numbers]
        flat = parts[0] if len(parts) == 1 else op.concat(parts, 0).output(0)
        return flat if len(self.shape) == 1 else op.reshape(flat, op.const(list(self.shape), "int64"), False).output(0)


@dataclass(frozen=True)
class Fill:
    """One value everywhere; `shape` changes, and perhaps the value."""

    shape: tuple[Number, ...]
    dtype: str
    value: Number | None
    constant: Any

    def build(self, op: Any, scalar: Scalar) -> Any:
        """An output of this dtype."""
        value = op.const([self.constant], self.dtype) if self.value is None else scalar(self.value, self.dtype)
        return op.broadcast(value, _shape(op, scalar, self.shape)).output(0)


@dataclass(frozen=True)
class Line:
    """Whole numbers from `start` on, in equal steps along one axis; the same along the others."""

    shape: tuple[Number, ...]
    dtype: str
    axis: int
    start: Number
    step: int

    def build(self, op: Any, scalar: Scalar) -> Any:
        """An output of this dtype."""
        none = op.const(0, "int32")
        count = op.squeeze(scalar(self.shape[self.axis], "int32"), op.const([0]))
        places = op.range(none, count, op.const(1, "int32"), "i32")
        line = op.add(op.multiply(places, op.const([self.step], "int32")), scalar(self.start, "int32"))
        if self.dtype != "int32":
            line = op.convert(line, op.type(self.dtype))
        around = [1] * len(self.shape)
        around[self.axis] = -1
        return op.broadcast(op.reshape(line, op.const(around), False), _shape(op, scalar, self.shape)).output(0)


@dataclass(frozen=True)
class Start:
    """The first elements of a table along each axis."""

    shape: tuple[Number, ...]
    dtype: str
    table: Any

    def build(self, op: Any, scalar: Scalar) -> Any:
        """An output of this dtype."""
        rank = len(self.shape)
        stop, ones = _shape(op, scalar, self.shape), op.const([1] * rank)
        table = op.const(self.table, self.dtype)
        return op.slice(table, op.const([0] * rank), stop, ones, op.const(list(range(rank)))).output(0)


def _shape(op: Any, scalar: Scalar, shape: Sequence[Number]) -> Any:
    return op.concat([scalar(n, "int32") for n in shape], 0).output(0)


Form = Elements | Fill | Line | Start | Resizing


def form_of(arrays: Sequence[np.ndarray], dtype: str, extents: Extents, inferable: bool) -> Form | str:
    """The form of a constant that has these values at the samples, or why there is none, as a clause.

    `inferable` says that it is the target of a reshape, in which OpenVINO infers one extent, as nothing is lost.
    """
    if len({a.shape for a in arrays}) == 1:
        return _elements(arrays, dtype, extents, inferable)
    if len({a.ndim for a in arrays}) != 1:
        return "a table has other axes at other shapes"
    shape = [extents.number(tuple(a.shape[k] for a in arrays)) for k in range(arrays[0].ndim)]
    if None in shape:
        return "the size of a table does not follow from the extents"
    sizes = tuple(n for n in shape if n is not None)
    for make in (_fill, _lines, _start):
        form = make(arrays, dtype, sizes, extents)
        if form is not None:
            return form
    return resizing(arrays, dtype, sizes) or "a table for one shape is no part of that for another"


def _elements(arrays: Sequence[np.ndarray], dtype: str, extents: Extents, inferable: bool) -> Form | str:
    if arrays[0].size > _MOST_ELEMENTS:
        return "a table has other values at other shapes"
    if not all(map(_whole, arrays)):
        return "a number that is not whole changes with the shape"
    columns = list(zip(*[[int(v) for v in a.reshape(-1).tolist()] for a in arrays], strict=True))
    found = [extents.number(c) for c in columns]
    changing = [i for i, c in enumerate(columns) if len(set(c)) > 1]
    unknown = [i for i, n in enumerate(found) if n is None]
    if inferable and len(unknown or changing) == 1 and all(min(c) > 0 for c in columns):
        found[(unknown or changing)[0]] = Number(0, (), -1)
    elif unknown:
        return f"a number that is {_listed(columns[unknown[0]])} at the shapes looked at follows from no extent"
    return Elements(arrays[0].shape, dtype, tuple(n for n in found if n is not None))


def _listed(values: Sequence[int]) -> str:
    return ", ".join(map(str, values))


def _whole(array: np.ndarray) -> bool:
    """Whether all are whole numbers, and small enough for int32, or for a float's own type, to hold."""
    # The same few numbers are met in program after program.
    return _holds_whole(array.tobytes(), array.dtype.str) if array.size <= _MOST_ELEMENTS else _is_whole(array)


@lru_cache(maxsize=1 << 13)
def _holds_whole(data: bytes, dtype: str) -> bool:
    return _is_whole(np.frombuffer(data, dtype))


def _is_whole(array: np.ndarray) -> bool:
    if array.dtype == np.bool_ or not array.size:
        return False
    limit = {"f": 2**11 if array.dtype == np.float16 else 2**24}.get(array.dtype.kind, 2**31 + 1)
    return bool(np.all(array == np.floor(array)) and np.all(np.abs(array.astype(np.float64)) < limit))


def _fill(arrays: Sequence[np.ndarray], dtype: str, shape: tuple[Number, ...], extents: Extents) -> Form | None:
    if any(a.size == 0 or a.tobytes() != np.full_like(a, a.flat[0]).tobytes() for a in arrays):
        return None
    values = [a.flat[0] for a in arrays]
    if len({v.tobytes() for v in values}) == 1:
        return Fill(shape, dtype, None, values[0])
    if not all(map(_whole, arrays)):
        return None
    number = extents.number(tuple(int(v) for v in values))
    return None if number is None else Fill(shape, dtype, number, None)


def _lines(arrays: Sequence[np.ndarray], dtype: str, shape: tuple[Number, ...], extents: Extents) -> Form | None:
    if not all(map(_whole, arrays)):
        return None
    largest = max(arrays, key=lambda a: a.size)
    for axis in range(largest.ndim):
        if largest.shape[axis] < 2:
            continue
        first = np.moveaxis(largest, axis, 0).reshape(largest.shape[axis], -1)[:2, 0]
        step = int(first[1]) - int(first[0])
        starts = tuple(int(a.flat[0]) for a in arrays)
        if all(np.array_equal(_as_line(a, axis, s, step), a) for a, s in zip(arrays, starts, strict=True)):
            start = extents.number(starts)
            return None if start is None else Line(shape, dtype, axis, start, step)
    return None


def _as_line(array: np.ndarray, axis: int, start: int, step: int) -> np.ndarray:
    around = [1] * array.ndim
    around[axis] = -1
    line = start + step * np.arange(array.shape[axis], dtype=np.int64)
    return np.broadcast_to(line.reshape(around), array.shape)


def _start(arrays: Sequence[np.ndarray], dtype: str, shape: tuple[Number, ...], extents: Extents) -> Form | None:
    table = max(arrays, key=lambda a: a.size)
    if prod(table.shape) * table.itemsize > TABLE_BYTES:
        return None
    for array in arrays:
        if any(n > m for n, m in zip(array.shape, table.shape, strict=True)):
            return None
        if table[tuple(slice(n) for n in array.shape)].tobytes() != array.tobytes():
            return None
    return Start(shape, dtype, table)
