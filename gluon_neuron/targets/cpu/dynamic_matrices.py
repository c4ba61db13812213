"""Matrices that resize an axis: they follow from the extents before and after, and are computed from these at a call.

All but one division is in whole numbers, so that a large extent takes no precision away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .dynamic_numbers import Number, Scalar

_CLOSE = {"float32": 1e-6, "float16": 1e-3}
"""How far a matrix may be off: what it is rounded to."""

_LARGEST = 1 << 13
"""Twice the product of two extents is to fit into 32 bits."""


class _Whole:
    """Whole numbers, as arrays of NumPy or nodes of OpenVINO, with what the kinds of matrices need."""

    def __init__(self, op: Any, value: Any) -> None:
        self.op, self.value = op, value

    def _with(self, name: str, other: _Whole | int) -> _Whole:
        value = other.value if isinstance(other, _Whole) else self.op.const(other, "int32")
        return _Whole(self.op, getattr(self.op, name)(self.value, value))

    def __mul__(self, other: _Whole | int) -> _Whole:
        return self._with("multiply", other)

    def __add__(self, other: _Whole | int) -> _Whole:
        return self._with("add", other)

    def __sub__(self, other: _Whole | int) -> _Whole:
        return self._with("subtract", other)

    def __floordiv__(self, other: _Whole) -> _Whole:
        return self._with("divide", other)

    def at_least(self, other: _Whole | int) -> _Whole:
        return self._with("maximum", other)

    def at_most(self, other: _Whole | int) -> _Whole:
        return self._with("minimum", other)


class _NumPy:
    """The operators of OpenVINO's builder that are used here."""

    multiply, add, subtract, maximum, minimum = np.multiply, np.add, np.subtract, np.maximum, np.minimum
    divide = np.floor_divide

    def const(self, value: int, dtype: str) -> Any:
        return np.asarray(value, dtype)


def _corners(i: _Whole, j: _Whole, m: _Whole, n: _Whole) -> tuple[_Whole, _Whole]:
    """Linear interpolation at i (n - 1) / (m - 1)."""
    one = (m - 1).at_least(1)
    return _near(j * one - i * (n - 1), one), one


def _centres(i: _Whole, j: _Whole, m: _Whole, n: _Whole) -> tuple[_Whole, _Whole]:
    """Linear interpolation at (i + 1/2) n / m - 1/2, not before the first and not behind the last."""
    one = m * 2
    place = ((i * 2 + 1) * n - m).at_least(0).at_most(one * (n - 1))
    return _near(j * one - place, one), one


def _near(distance: _Whole, one: _Whole) -> _Whole:
    """What is left of `one` at this distance on either side."""
    return (one - distance.at_least(distance * -1)).at_least(0)


def _means(i: _Whole, j: _Whole, m: _Whole, n: _Whole) -> tuple[_Whole, _Whole]:
    """Means over the cells i n / m to (i + 1) n / m, both rounded so that the cell is the larger."""
    low, high = (i * n) // m, ((i + 1) * n + m - 1) // m
    inside = (high - j).at_least(0).at_most(1) * (j - low + 1).at_least(0).at_most(1)
    return inside, high - low


_KINDS: Mapping[str, Callable[..., tuple[_Whole, _Whole]]] = {"corners": _corners, "centres": _centres, "means": _means}


@dataclass(frozen=True)
class Resizing:
    """A matrix (m, n) that makes m elements of n: linear interpolation between corners or centres, or means."""

    shape: tuple[Number, ...]
    dtype: str
    kind: str

    def build(self, op: Any, scalar: Scalar) -> Any:
        """An output of this dtype."""
        m, n = (scalar(number, "int32") for number in self.shape)
        i, j = (
            op.reshape(_count(op, length), op.const(around), False)
            for length, around in zip((m, n), ([-1, 1], [1, -1]), strict=True)
        )
        part, whole = _KINDS[self.kind](*(_Whole(op, value) for value in (i, j, m, n)))
        single = op.divide(op.convert(part.value, "f32"), op.convert(whole.value, "f32"))
        return (single if self.dtype == "float32" else op.convert(single, op.type(self.dtype))).output(0)


def _count(op: Any, length: Any) -> Any:
    return op.range(op.const(0), op.squeeze(length, op.const([0])), op.const(1), "i32")


def resizing(arrays: Sequence[np.ndarray], dtype: str, shape: tuple[Number, ...]) -> Resizing | None:
    """The form of matrices that resize an axis at all samples; None for other arrays."""
    if dtype not in _CLOSE or any(a.ndim != 2 or max(a.shape) > _LARGEST or not a.size for a in arrays):
        return None
    for kind in _KINDS:
        if all(np.allclose(a, _matrix(kind, *a.shape), rtol=0, atol=_CLOSE[dtype]) for a in arrays):
            return Resizing(shape, dtype, kind)
    return None


def _matrix(kind: str, m: int, n: int) -> np.ndarray:
    op = _NumPy()
    i, j = np.arange(m).reshape(-1, 1), np.arange(n).reshape(1, -1)
    part, whole = _KINDS[kind](*(_Whole(op, value) for value in (i, j, np.asarray([m]), np.asarray([n]))))
    found: np.ndarray = part.value / whole.value
    return found
