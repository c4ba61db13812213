"""Functions that move elements without looking at them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import index
from typing import Any

import numpy as np

from ...errors import DialectError
from ..core import Core, shape_of
from ..dtypes import Scalar, scalar
from ..strict_array import Array


class Shape(Core):
    """Functions that move elements. Targets are known tuples: neither -1 nor MXNet's special codes reach them."""

    any_shape = False
    """Whether what changes nothing is built all the same, so that the same is built for every shape."""

    def reshape(self, x: Array, shape: Iterable[int]) -> Array:
        """The same elements in another shape."""
        found = shape_of(shape)
        self._check("reshape", x)
        if int(np.prod(found, dtype=np.int64)) != x.size:
            raise DialectError(f"reshape(): {x!r} does not fit the shape {found}.")
        return x if found == x.shape and not self.any_shape else self._call("reshape", (x,), (found,))

    def permute_dims(self, x: Array, axes: Iterable[int]) -> Array:
        """Axes in another order: axis k of the result is axis axes[k] of x."""
        self._check("permute_dims", x)
        found = tuple(self._axis("permute_dims", x, a) for a in axes)
        if sorted(found) != list(range(x.ndim)):
            raise DialectError(f"permute_dims(): {found} is not an order of the axes of {x!r}.")
        return x if found == tuple(range(x.ndim)) else self._call("permute_dims", (x,), (found,))

    def broadcast_to(self, x: Array, shape: Iterable[int]) -> Array:
        """Repeat axes of size 1, and new leading axes, up to `shape`."""
        found = shape_of(shape)
        self._check("broadcast_to", x)
        fits = x.ndim <= len(found) and all(a in (1, b) for a, b in zip(x.shape[::-1], found[::-1], strict=False))
        if not fits:
            raise DialectError(f"broadcast_to(): {x!r} does not broadcast to {found}.")
        return x if found == x.shape and not self.any_shape else self._call("broadcast_to", (x,), (found,))

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
            raise DialectError("concat() needs at least one array.")
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
        if self.any_shape or any(s != (0, n, 1) for s, n in zip(slices, x.shape, strict=True)):
            x = self._call("slice", (x,), (tuple(slices),))
        return self.reshape(x, shape)

    def _axis_position(self, x: Array, position: int, axis: int) -> int:
        size = x.shape[axis]
        if not -size <= position < size:
            raise DialectError(f"getitem(): {position} is out of range for axis {axis} of {x!r}.")
        return position % size

    def pad(self, x: Array, pads: Sequence[Sequence[int]], mode: str = "constant", value: Scalar = 0) -> Array:
        """Widen each axis by pads[axis] = (low, high); mode "constant" (with `value`), "edge" or "reflect"."""
        found = tuple(shape_of(p) for p in pads)
        self._check("pad", x)
        if len(found) != x.ndim or any(len(p) != 2 for p in found) or mode not in ("constant", "edge", "reflect"):
            raise DialectError(f"pad(): pads {found} with mode {mode!r} do not fit {x!r}.")
        if mode == "reflect" and any(max(p) >= n for p, n in zip(found, x.shape, strict=True) if max(p)):
            raise DialectError(f"pad(): reflection by {found} needs longer axes than {x!r} has.")
        fill = scalar(bool(value) if x.dtype == "bool" else value, x.dtype)
        return self._call("pad", (x,), (found, mode, fill)) if any(map(any, found)) else x
