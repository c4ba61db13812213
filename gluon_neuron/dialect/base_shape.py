"""Shape, indexing, reduction and product functions of the array language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import index
from typing import Any

import numpy as np

from ..errors import DialectError
from .array import Array
from .base_elementwise import Elementwise
from .core import _ints
from .dtypes import FLOATS, NUMBERS, Scalar, scalar

INT32 = frozenset(("int32",))


class Shape(Elementwise):
    """Functions that move elements. Targets are known tuples: neither -1 nor MXNet's special codes reach them."""

    def reshape(self, x: Array, shape: Iterable[int]) -> Array:
        """The same elements in another shape."""
        found = _ints(shape)
        self._check("reshape", x)
        if int(np.prod(found, dtype=np.int64)) != x.size:
            raise DialectError(f"reshape(): {x!r} does not fit the shape {found}.")
        return x if found == x.shape else self._call("reshape", (x,), (found,))

    def permute_dims(self, x: Array, axes: Iterable[int]) -> Array:
        """Axes in another order: axis k of the result is axis axes[k] of x."""
        self._check("permute_dims", x)
        found = tuple(self._axis("permute_dims", x, a) for a in axes)
        if sorted(found) != list(range(x.ndim)):
            raise DialectError(f"permute_dims(): {found} is no order of the axes of {x!r}.")
        return x if found == tuple(range(x.ndim)) else self._call("permute_dims", (x,), (found,))

    def broadcast_to(self, x: Array, shape: Iterable[int]) -> Array:
        """Repeat axes of size 1, and new leading axes, up to `shape`."""
        found = _ints(shape)
        self._check("broadcast_to", x)
        fits = x.ndim <= len(found) and all(a in (1, b) for a, b in zip(x.shape[::-1], found[::-1], strict=False))
        if not fits:
            raise DialectError(f"broadcast_to(): {x!r} does not broadcast to {found}.")
        return x if found == x.shape else self._call("broadcast_to", (x,), (found,))

    def expand_dims(self, x: Array, axis: int) -> Array:
        """A new axis of size 1; `axis` is its place in the result."""
        k = self._axis("expand_dims", self._check("expand_dims", x), axis, extra=1)
        return self.reshape(x, (*x.shape[:k], 1, *x.shape[k:]))

    def squeeze(self, x: Array, axis: int | Iterable[int]) -> Array:
        """Drop axes of size 1."""
        axes = self._axes("squeeze", self._check("squeeze", x), axis)
        if any(x.shape[a] != 1 for a in axes):
            raise DialectError(f"squeeze(): the axes {axes} of {x!r} are not all of size 1.")
        return self.reshape(x, tuple(s for a, s in enumerate(x.shape) if a not in axes))

    def concat(self, xs: Sequence[Array], axis: int) -> Array:
        """Arrays one after the other along `axis`."""
        for x in xs:
            self._check("concat", x)
        if not xs:
            raise DialectError("concat() wants at least one array.")
        k = self._axis("concat", xs[0], axis)
        self._same_dtype("concat", *xs)
        if len({(*x.shape[:k], *x.shape[k + 1 :], x.ndim) for x in xs}) > 1:
            raise DialectError(f"concat(): {', '.join(map(repr, xs))} differ in more than axis {k}.")
        return xs[0] if len(xs) == 1 else self._call("concat", tuple(xs), (k,))

    def stack(self, xs: Sequence[Array], axis: int) -> Array:
        """Arrays of one shape along a new axis."""
        return self.concat([self.expand_dims(x, axis) for x in xs], axis if axis >= 0 else xs[0].ndim + 1 + axis)

    def flip(self, x: Array, axes: int | Iterable[int]) -> Array:
        """Reverse the order along `axes`."""
        found = self._axes("flip", self._check("flip", x), axes)
        return self.getitem(x, tuple(slice(None, None, -1 if a in found else 1) for a in range(x.ndim)))

    def getitem(self, x: Array, index_: Any) -> Array:
        """x[...] with ints, slices of any step, and one Ellipsis."""
        self._check("getitem", x)
        items = list(index_) if isinstance(index_, tuple) else [index_]
        holes = [k for k, item in enumerate(items) if item is Ellipsis]
        if len(holes) > 1 or len(items) - len(holes) > x.ndim:
            raise DialectError(f"getitem(): the index {index_!r} does not fit {x!r}.")
        fill = [slice(None)] * (x.ndim - len(items) + len(holes))
        at = holes[0] if holes else len(items)
        items[at : at + 1] = fill
        slices, shape = [], []
        for axis, (item, size) in enumerate(zip(items, x.shape, strict=True)):
            if isinstance(item, slice):
                start, stop, step = item.indices(size)
                shape.append(len(range(start, stop, step)))
                if not shape[-1]:
                    start, stop, step = 0, 0, 1
            else:
                if isinstance(item, bool | Array) or not hasattr(item, "__index__"):
                    raise DialectError(f"getitem(): {item!r} is neither an int nor a slice; see take().")
                start = self._axis_position(x, index(item), axis)
                stop, step = start + 1, 1
            slices.append((start, stop, step))
        if any(s != (0, n, 1) for s, n in zip(slices, x.shape, strict=True)):
            x = self._call("slice", (x,), (tuple(slices),))
        return self.reshape(x, shape)

    def _axis_position(self, x: Array, position: int, axis: int) -> int:
        size = x.shape[axis]
        if not -size <= position < size:
            raise DialectError(f"getitem(): {position} is out of range for axis {axis} of {x!r}.")
        return position % size

    def pad(self, x: Array, pads: Sequence[Sequence[int]], mode: str = "constant", value: Scalar = 0) -> Array:
        """Widen each axis by pads[axis] = (low, high); mode "constant" (with `value`), "edge" or "reflect"."""
        found = tuple(_ints(p) for p in pads)
        self._check("pad", x)
        if len(found) != x.ndim or any(len(p) != 2 for p in found) or mode not in ("constant", "edge", "reflect"):
            raise DialectError(f"pad(): pads {found} with mode {mode!r} do not fit {x!r}.")
        if mode == "reflect" and any(max(p) >= n for p, n in zip(found, x.shape, strict=True) if max(p)):
            raise DialectError(f"pad(): reflection by {found} needs longer axes than {x!r} has.")
        fill = scalar(bool(value) if x.dtype == "bool" else value, x.dtype)
        return self._call("pad", (x,), (found, mode, fill)) if any(map(any, found)) else x

    # ---- indexing by arrays: int32 indices that are in range; the rule clips or wraps them before

    def _indices(self, name: str, indices: Array, size: int) -> None:
        self._check(name, indices, INT32)
        if indices.known and indices.size and not (indices.v.min() >= 0 and indices.v.max() < size):
            raise DialectError(f"{name}(): known indices {indices.v.min()}..{indices.v.max()} exceed 0..{size - 1}.")

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


class Reduce(Shape):
    """Reductions, order and products."""

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

    def matmul(self, a: Array, b: Array, *, transpose_a: bool = False, transpose_b: bool = False) -> Array:
        """Product of the last two axes of floats; leading axes broadcast; the flags transpose those two axes first."""
        self.pair("matmul", a, b, FLOATS)
        if min(a.ndim, b.ndim) < 2:
            raise DialectError(f"matmul() wants two axes at least, not {a!r} and {b!r}.")
        if a.shape[-2 if transpose_a else -1] != b.shape[-1 if transpose_b else -2]:
            raise DialectError(f"matmul(): {a!r} and {b!r} do not fit (transposed: {transpose_a}, {transpose_b}).")
        return self._call("matmul", (a, b), (bool(transpose_a), bool(transpose_b)))

    def linear(self, x: Array, w: Array, b: Array | None = None) -> Array:
        """x[..., I] times w[O, I] transposed, plus b[O]."""
        self.pair("linear", x, w, FLOATS)
        if w.ndim != 2:
            raise DialectError(f"linear() wants a weight of two axes, not {w!r}.")
        if x.ndim == 1:
            y = self.squeeze(self.matmul(self.expand_dims(x, 0), w, transpose_b=True), 0)
        else:
            y = self.matmul(x, w, transpose_b=True)
        if b is None:
            return y
        self.pair("linear", y, b, FLOATS)
        return self._call("add", (y, b))
