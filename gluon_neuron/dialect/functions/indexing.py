"""Indexing by arrays."""

from __future__ import annotations

from ...errors import DialectError
from ..strict_array import Array
from .binary import Binary
from .shape import Shape

INT32, INT64 = frozenset(("int32",)), frozenset(("int64",))


class Indexing(Shape, Binary):
    """Indices are int32 and in range: the rule clips or wraps them before."""

    def _indices(self, name: str, indices: Array, size: int) -> None:
        self._check(name, indices, INT32)
        if indices.known and indices.size and not (indices.v.min() >= 0 and indices.v.max() < size):
            raise DialectError(f"{name}(): known indices {indices.v.min()}..{indices.v.max()} exceed 0..{size - 1}.")

    def narrow(self, x: Array, lo: int, hi: int) -> Array:
        """int64 as int32, limited to lo..hi, known integers that int32 holds."""
        self._check("narrow", x, INT64)
        if not -(2**31) <= lo <= hi < 2**31:
            raise DialectError(f"narrow() needs lo <= hi within int32, not {lo!r} and {hi!r}.")
        return self._call("narrow", (x,), (int(lo), int(hi)), "int32")

    def take(self, x: Array, indices: Array, axis: int) -> Array:
        """x at `indices` (any shape) along `axis`, which their axes replace."""
        k = self._axis("take", self._check("take", x), axis)
        self._indices("take", indices, x.shape[k])
        return self._call("take", (x, indices), (k,))

    def take_along_axis(self, x: Array, indices: Array, axis: int) -> Array:
        """x at `indices`, whose shape is that of x except along `axis`."""
        k = self._axis("take_along_axis", self._check("take_along_axis", x), axis)
        self._indices("take_along_axis", indices, x.shape[k])
        rest = [s[:k] + s[k + 1 :] for s in (x.shape, indices.shape)]
        if rest[0] != rest[1] or x.ndim != indices.ndim:
            raise DialectError(f"take_along_axis(): {indices!r} does not fit {x!r} along axis {k}.")
        return self._call("take_along_axis", (x, indices), (k,))

    def gather_nd(self, x: Array, indices: Array) -> Array:
        """x at the index tuples that lie along the last axis of `indices`."""
        self._check("gather_nd", x)
        self._check("gather_nd", indices, INT32)
        if not indices.ndim or not 1 <= indices.shape[-1] <= x.ndim:
            raise DialectError(f"gather_nd(): {indices!r} holds no index tuples for {x!r}.")
        return self._call("gather_nd", (x, indices))

    def one_hot(self, indices: Array, depth: int, axis: int, dtype: str) -> Array:
        """1 where the position along the new `axis` equals the index, else 0; indices outside give zeros only."""
        k = self._axis("one_hot", self._check("one_hot", indices, INT32), axis, extra=1)
        shape = [1] * (indices.ndim + 1)
        shape[k] = depth
        positions = self.reshape(self.arange(0, depth, 1, "int32"), shape)
        return self.astype(self.equal(self.expand_dims(indices, k), positions), dtype)
