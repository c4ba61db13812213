"""Reductions and order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...errors import DialectError
from ..dtypes import FLOATS, NUMBERS
from ..strict_array import Array
from .indexing import Indexing


class Reduce(Indexing):
    """Axes are one int, a tuple, or None for all; the dtype is kept."""

    def _reduce(self, name: str, x: Array, axes: Any, keepdims: bool, dtypes: frozenset[str]) -> Array:
        found = self._axes(name, self._check(name, x, dtypes), axes)
        # Without axes a reduction is the identity; OpenVINO fails on it, and only when the model is compiled.
        return self._call(name, (x,), (found, bool(keepdims))) if found else x

    def sum(self, x: Array, axes: int | Iterable[int] | None = None, keepdims: bool = False) -> Array:
        """Sum over `axes` (None: all, (): none), in the dtype of x; float16 is accumulated in float32."""
        return self._reduce("sum", x, axes, keepdims, NUMBERS)

    def mean(self, x: Array, axes: int | Iterable[int] | None = None, keepdims: bool = False) -> Array:
        """Mean of floats."""
        return self._reduce("mean", x, axes, keepdims, FLOATS)

    def prod(self, x: Array, axes: int | Iterable[int] | None = None, keepdims: bool = False) -> Array:
        """Product."""
        return self._reduce("prod", x, axes, keepdims, NUMBERS)

    def max(self, x: Array, axes: int | Iterable[int] | None = None, keepdims: bool = False) -> Array:
        """Largest value."""
        return self._reduce("max", x, axes, keepdims, NUMBERS)

    def min(self, x: Array, axes: int | Iterable[int] | None = None, keepdims: bool = False) -> Array:
        """Smallest value."""
        return self._reduce("min", x, axes, keepdims, NUMBERS)

    def cumsum(self, x: Array, axis: int) -> Array:
        """Sums of the elements up to each along `axis`."""
        k = self._axis("cumsum", self._check("cumsum", x, NUMBERS), axis)
        if self._has("cumsum"):
            return self._call("cumsum", (x,), (k,))
        front = (slice(None),) * k
        shift = 1
        # Each round adds the sum of as many elements again: log2(n) additions of whole arrays.
        while shift < x.shape[k]:
            moved = self.getitem(x, (*front, slice(0, x.shape[k] - shift)))
            zeros = self.zeros((*x.shape[:k], shift, *x.shape[k + 1 :]), x.dtype)
            x, shift = self.add(x, self.concat([zeros, moved], k)), shift * 2
        return x

    def argmax(self, x: Array, axis: int) -> Array:
        """int32: position of the largest value, the first of equals; the axis is dropped."""
        return self._call("argmax", (self._check("argmax", x, NUMBERS),), (self._axis("argmax", x, axis),), "int32")

    def argmin(self, x: Array, axis: int) -> Array:
        """int32: position of the smallest value, the first of equals; the axis is dropped."""
        return self._call("argmin", (self._check("argmin", x, NUMBERS),), (self._axis("argmin", x, axis),), "int32")

    def argsort(self, x: Array, axis: int, descending: bool = False) -> Array:
        """int32: positions in sorted order; the order of equals is not promised."""
        k = self._axis("argsort", self._check("argsort", x, NUMBERS), axis)
        return self._call("argsort", (x,), (k, bool(descending)), "int32")

    def top_k(self, x: Array, k: int, axis: int, largest: bool = True) -> tuple[Array, Array]:
        """The k largest (or smallest) values in order, and their int32 positions."""
        at = self._axis("top_k", self._check("top_k", x, NUMBERS), axis)
        if not 1 <= k <= x.shape[at]:
            raise DialectError(f"top_k(): k={k} is not in 1..{x.shape[at]} for {x!r}.")
        if self._has("top_k"):
            values, positions = self._calls("top_k", (x,), (k, at, bool(largest)), (x.dtype, "int32"))
            return values, positions
        positions = self.getitem(self.argsort(x, at, descending=largest), (slice(None),) * at + (slice(0, k),))
        return self.take_along_axis(x, positions, at), positions
