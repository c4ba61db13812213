"""Bilinear samples at points that depend on the data: free points, grids, and convolutions whose taps move."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np

from ...errors import DialectError
from ..dtypes import FLOATS
from ..strict_array import Array
from .indexing import INT32, Indexing
from .unary import Unary
from .window import Window

BORDERS = ("zeros", "edge")


class Sample(Unary, Indexing, Window):
    """A point is a row and a column in elements: the centre of the first element is (0, 0)."""

    def sample(self, x: Array, image: Array, rows: Array, columns: Array, border: str = "zeros") -> Array:
        """Bilinear samples of x[N, H, W, C] at points; result [points..., C] in the dtype of x.

        `rows` and `columns` have the shape of the points and one float dtype, `image` is int32, in 0..N-1, and
        broadcasts to them. With border "zeros" every element outside counts as 0; with "edge" a point outside is
        moved to the border. Any point is allowed, also an infinite one.
        """
        self._check("sample", x, FLOATS)
        self._check("sample", image, INT32)
        self.pair("sample", rows, columns, FLOATS)
        if x.ndim != 4 or rows.shape != columns.shape or border not in BORDERS:
            raise DialectError(f"sample(): {rows!r} and {columns!r} with border {border!r} are not points of {x!r}.")
        height, width, channels = x.shape[1:]
        flat = self.reshape(x, (x.shape[0] * height * width, channels))
        first = self.multiply(image, height * width)
        total = None
        for row, column in product(_line(self, rows, height, border), _line(self, columns, width, border)):
            places = self.add(first, self.add(self.multiply(row[0], width), column[0]))
            weight = self.astype(self.expand_dims(self.multiply(row[1], column[1]), rows.ndim), x.dtype)
            part = self.multiply(self.take(flat, places, 0), weight)
            total = part if total is None else self.add(total, part)
        assert total is not None
        return total

    def grid_sample(self, x: Array, grid: Array) -> Array:
        """Bilinear samples of x[N, C, H, W] at grid[N, h, w, 2] = (x, y) in -1..1 (the outer elements' centres).

        Outside counts as 0, element by element.
        """
        self.pair("grid_sample", x, grid, FLOATS)
        if x.ndim != 4 or grid.ndim != 4 or grid.shape[-1] != 2 or grid.shape[0] != x.shape[0]:
            raise DialectError(f"grid_sample(): {grid!r} is not a grid for {x!r}.")
        if self._has("grid_sample"):
            return self._call("grid_sample", (x, grid))
        columns, rows = (
            self.multiply(self.add(self.getitem(grid, (..., k)), 1.0), (size - 1) / 2)
            for k, size in enumerate(reversed(x.shape[2:]))
        )
        image = self.constant(np.arange(x.shape[0], dtype=np.int32).reshape(-1, 1, 1))
        found = self.sample(self.permute_dims(x, (0, 2, 3, 1)), image, rows, columns)
        return self.permute_dims(found, (0, 3, 1, 2))

    def deform_conv(
        self,
        x: Array,
        offset: Array,
        mask: Array | None,
        w: Array,
        stride: Any,
        pads: Any,
        dilate: Any,
        groups: int = 1,
        deform_groups: int = 1,
        border: str = "zeros",
    ) -> Array:
        """Convolution of x[N, I, H, W] with w[O, I / groups, kh, kw] whose taps are moved, sampled and weighted.

        offset[N, deform_groups * kh * kw * 2, h, w] moves each tap by (rows, columns), and mask[N, deform_groups * kh
        * kw, h, w] multiplies what is sampled there; h, w is the result's size. With border "zeros" every element
        outside counts as 0; with "edge" a tap at or beyond H or W, or before 0, counts as 0 and is else clamped to the
        last element. Dai et al., "Deformable Convolutional Networks", and Zhu et al., "Deformable ConvNets v2".
        """
        self._same_dtype("deform_conv", *(a for a in (x, offset, mask, w) if a is not None))
        self._check("deform_conv", x, FLOATS)
        kernel = w.shape[2:]
        if x.ndim != 4 or border not in BORDERS:
            raise DialectError(f"deform_conv() needs four axes, not {x!r}, and a border of {BORDERS}, not {border!r}.")
        stride, pads, dilate = self._window("deform_conv", x, kernel, stride, pads, dilate)
        size = self._window_output("deform_conv", x, kernel, stride, pads, dilate)
        taps = deform_groups * prod(kernel)
        if (
            offset.shape != (x.shape[0], taps * 2, *size)
            or (mask is not None and mask.shape != (x.shape[0], taps, *size))
            or w.shape[1] * groups != x.shape[1]
            or w.shape[0] % groups
            or x.shape[1] % deform_groups
        ):
            raise DialectError(f"deform_conv(): {offset!r}, {mask!r} and {w!r} in {groups} groups do not fit {x!r}.")
        arrays = (x, offset, w) if mask is None else (x, offset, w, mask)
        # NumPy, which known values fold in, has no such function.
        if self._has("deform_conv") and not all(a.known for a in arrays):
            return self._call("deform_conv", arrays, (stride, pads, dilate, groups, deform_groups, border == "zeros"))
        columns = self._moved_taps(x, offset, mask, (kernel, size, stride, pads, dilate, deform_groups, border))
        per_group = (groups, prod(w.shape[1:]))
        columns = self.reshape(columns, (x.shape[0], *per_group, prod(size)))
        weights = self.reshape(w, (1, groups, w.shape[0] // groups, per_group[1]))
        return self.reshape(self.matmul(weights, columns), (x.shape[0], w.shape[0], *size))

    def _moved_taps(self, x: Array, offset: Array, mask: Array | None, geometry: tuple) -> Array:
        """What every tap sees: [N, I, kh * kw, h, w]."""
        kernel, size, stride, pads, dilate, parts, border = geometry
        taps = prod(kernel)
        moved = self.reshape(offset, (x.shape[0], parts, taps, 2, *size))
        points: list[Array] = []
        for axis in range(2):
            start = np.arange(size[axis]) * stride[axis] - pads[axis][0]
            tap = np.arange(kernel[axis]) * dilate[axis]
            grid = (tap[:, None, None, None], tap[:, None, None])[axis] + (start[:, None], start)[axis]
            grid = np.broadcast_to(grid, (*kernel, *size)).reshape(taps, *size)
            points.append(self.add(moved[:, :, :, axis], self.constant(grid, x.dtype)))
        per_part = x.shape[1] // parts
        planes = self.reshape(x, (x.shape[0] * parts, per_part, *x.shape[2:]))
        image = np.arange(x.shape[0] * parts, dtype=np.int32).reshape(x.shape[0], parts, 1, 1, 1)
        seen = self.sample(self.permute_dims(planes, (0, 2, 3, 1)), self.constant(image), points[0], points[1], border)
        if border == "edge":
            seen = self.where(self.expand_dims(self._on_image(points, x.shape[2:]), seen.ndim - 1), seen, 0.0)
        if mask is not None:
            seen = self.multiply(seen, self.reshape(mask, (x.shape[0], parts, taps, *size, 1)))
        return self.reshape(self.permute_dims(seen, (0, 1, 5, 2, 3, 4)), (x.shape[0], x.shape[1], taps, *size))

    def _on_image(self, points: Sequence[Array], sizes: Sequence[int]) -> Array:
        """bool: whether 0 <= row < H and 0 <= column < W."""
        tests = [t for p, n in zip(points, sizes, strict=True) for t in (self.greater_equal(p, 0.0), self.less(p, n))]
        on = tests[0]
        for test in tests[1:]:
            on = self.logical_and(on, test)
        return on


def _line(xp: Sample, at: Array, size: int, border: str) -> list[tuple[Array, Array]]:
    """The two elements next to positions along an axis of `size`: their int32 places, in range, and their weights."""
    # A position far away would not fit an integer.
    at = xp.clip(at, 0.0, float(size - 1)) if border == "edge" else xp.clip(at, -2.0, float(size + 1))
    low = xp.floor(at)
    upper = xp.subtract(at, low)
    found = []
    for place, weight in ((low, xp.subtract(1.0, upper)), (xp.add(low, 1.0), upper)):
        if border == "zeros":
            inside = xp.logical_and(xp.greater_equal(place, 0.0), xp.less(place, float(size)))
            weight = xp.where(inside, weight, 0.0)
        # In integers, as NaN passes through limits of floats.
        found.append((xp.clip(xp.astype(place, "int32"), 0, size - 1), weight))
    return found
