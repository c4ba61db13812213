"""Difference: how one output differs from the reference, and Tolerance: by how much it may."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

Pair = tuple[np.ndarray | None, np.ndarray | None]
"""What was found and what was expected; None for what is missing."""

SIGNIFICANT_BITS = {"bf16": 8, "fp16": 11, "tf32": 11, "fp8_e4m3": 4, "bfloat16": 8, "float16": 11}

_TOP = 5
_MOST_AXES = 3
"""Arrays of more axes are feature maps, whose last axis holds no classes."""


@dataclass(frozen=True)
class Tolerance:
    """What a float may differ by: `atol + rtol * |reference| + of_range * (the output's largest |reference|)`.

    With `atol_of_range`, `atol` is at most that share of the output's largest, too: where all values are small, it
    would allow anything. `why` names the precision that asks for it.
    """

    rtol: float
    atol: float
    of_range: float = 0.0
    why: str = ""
    atol_of_range: float = 0.0

    def __str__(self) -> str:
        share = f", {self.of_range:g} of each output's largest value" if self.of_range else ""
        most = f" or, where that is less, {self.atol_of_range:g} of each output's largest value"
        atol = f"{self.atol:g}{most if self.atol_of_range and self.atol else ''}"
        return f"rtol {self.rtol:g}, atol {atol}{share}{self.why and f', as for {self.why}'}"

    def for_type(self, dtype: str) -> Tolerance:
        """This, or more where numbers are of a type that holds fewer bits: four units of its last place, as rounding to
        it costs in each value, and in the largest of those that were summed."""
        share = 4 * 2.0 ** -SIGNIFICANT_BITS.get(dtype, 64)
        if share <= min(self.rtol, self.of_range) or share < 1e-6:
            return self
        return replace(self, rtol=max(self.rtol, share), of_range=max(self.of_range, share), why=self.why or dtype)

    def absolute(self, largest: float) -> float:
        """What any value may differ by, of an output with that largest |reference|."""
        # Of zeros alone, nothing says what is small.
        capped = self.atol_of_range and largest
        return (min(self.atol, self.atol_of_range * largest) if capped else self.atol) + self.of_range * largest


@dataclass(frozen=True)
class Difference:
    """How one output differs over all inputs.

    `max_abs` is the largest |a-b|, infinite where one is not finite and the other is not the same; `max_rel` is that
    over the reference's largest finite |b|, `outside` the share of elements outside the tolerance, `top1` the share of
    rows (over the last axis) with the same largest element. `other` says what else differs: the output is missing, or
    its shape or dtype is not the reference's; the numbers are then nan, and `outside` is 1.

    `cosine` is the similarity of all finite elements, and `top5` the share of the five largest of a row that are among
    the reference's five largest; nan where no axis looks like one of classes. `tolerance` is what was allowed.
    """

    output: int
    max_abs: float
    max_rel: float
    outside: float
    top1: float
    other: str = ""
    cosine: float = field(default=math.nan, compare=False)
    top5: float = field(default=math.nan, compare=False)
    tolerance: str = field(default="", compare=False)


def difference(index: int, pairs: Sequence[Pair], allowed: Tolerance) -> Difference:
    """The difference of the output of that number over all pairs, one for each input; what is not a float is exact."""
    apart, scale, outside, total, same, rows = 0.0, 0.0, 0, 0, 0, 0
    products, top, of_top = np.zeros(3), 0, 0
    for a, b in pairs:
        if a is None or b is None or a.shape != b.shape or a.dtype != b.dtype:
            other = f"the compiled model has {_kind(a)}, the reference {_kind(b)}"
            return Difference(index, math.nan, math.nan, 1.0, math.nan, other, tolerance=str(allowed))
        x, y = a.astype(np.float64), b.astype(np.float64)
        close = _close(a, b, x, y, allowed)
        outside += int(np.count_nonzero(~close))
        total += close.size
        finite = np.isfinite(x) & np.isfinite(y)
        if not np.array_equal(x[~finite], y[~finite], equal_nan=True):
            apart = math.inf
        if finite.any():
            u, v = x[finite], y[finite]
            apart = max(apart, float(np.abs(u - v).max()))
            scale = max(scale, float(np.abs(v).max()))
            with np.errstate(over="ignore"):
                products += (u @ v, u @ u, v @ v)
        if b.ndim and b.size:
            first = x.argmax(-1) == y.argmax(-1)
            same += int(np.count_nonzero(first))
            rows += first.size
            if 2 <= b.ndim <= _MOST_AXES and b.shape[-1] > _TOP and not exact(b):
                top += int(np.count_nonzero(_largest(x) & _largest(y)))
                of_top += first.size * _TOP
    return Difference(
        index,
        apart,
        apart / scale if scale else apart,
        outside / total if total else 0.0,
        same / rows if rows else 1.0,
        cosine=_cosine(*products),
        top5=top / of_top if of_top else math.nan,
        tolerance="exactly" if any(b is not None and exact(b) for _, b in pairs) else str(allowed),
    )


def largest(values: np.ndarray) -> float:
    """The largest finite magnitude, 0 where there is none."""
    return float(np.abs(values[np.isfinite(values)]).max(initial=0))


def exact(array: np.ndarray) -> bool:
    """Whether the array's values are to be equal, as whole numbers are."""
    return not np.issubdtype(array.dtype, np.floating)


def _close(a: np.ndarray, b: np.ndarray, x: np.ndarray, y: np.ndarray, allowed: Tolerance) -> np.ndarray:
    if exact(b):
        return np.asarray(a == b)
    return np.isclose(x, y, rtol=allowed.rtol, atol=allowed.absolute(largest(y)), equal_nan=True)


def _largest(values: np.ndarray) -> np.ndarray:
    """Where the largest of each row are."""
    found = np.zeros(values.shape, bool)
    np.put_along_axis(found, np.argsort(-values, axis=-1, kind="stable")[..., :_TOP], True, -1)
    return found


def _cosine(product: float, one: float, other: float) -> float:
    """The cosine similarity, from the products of two vectors and of each with itself."""
    if not one and not other:
        return 1.0
    size = math.sqrt(one) * math.sqrt(other)
    return float(product / size) if size and math.isfinite(size) else 0.0 if not size else math.nan


def _kind(array: np.ndarray | None) -> str:
    return "none" if array is None else f"{array.dtype}{array.shape}"
