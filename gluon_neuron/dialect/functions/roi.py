"""Regions of interest: what lies in boxes that depend on the data, brought to one size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import DialectError
from ..core import shape_of
from ..dtypes import FLOATS, lowest, storage
from ..strict_array import Array
from .reduce import Reduce
from .sample import Sample


class Roi(Sample, Reduce):
    """x is [N, C, H, W]; rois[n, 5] = (batch index, x1, y1, x2, y2) in units that `scale` brings to elements."""

    def roi_align(
        self, x: Array, rois: Array, size: Sequence[int], scale: float, samples: int, aligned: bool = False
    ) -> Array:
        """Mean of bilinear samples in each of size[0] x size[1] cells of each region; result [n, C, *size].

        `samples` per cell and axis; 0 means ceil(region size / cells), where the library has it. `aligned` shifts by
        half an element and lets regions be smaller than one element.
        """
        self._roi("roi_align", x, rois)
        size = shape_of(size)
        if self._has("roi_align"):
            return self._call("roi_align", (x, rois), (size, float(scale), int(samples), bool(aligned)))
        if samples < 1:
            raise DialectError(f"roi_align(): {samples} samples of {rois!r}; here their number must be known.")
        shift = 0.5 if aligned else 0.0
        lines = []
        for axis, cells in ((2, size[0]), (1, size[1])):
            low, high = (self.subtract(self.multiply(rois[:, k : k + 1], scale), shift) for k in (axis, axis + 2))
            extent = self.subtract(high, low)
            extent = extent if aligned else self.maximum(extent, 1.0)
            parts = self.constant((np.arange(cells * samples)[None] + 0.5) / (cells * samples), x.dtype)
            lines.append(self.add(low, self.multiply(extent, parts)))
        points = (rois.shape[0], *size, samples, samples)
        rows = self.reshape(lines[0], (rois.shape[0], size[0], 1, samples, 1))
        columns = self.reshape(lines[1], (rois.shape[0], 1, size[1], 1, samples))
        inside = self.logical_and(self._near(rows, x.shape[2]), self._near(columns, x.shape[3]))
        image = self.reshape(self.astype(rois[:, 0], "int32"), (rois.shape[0], 1, 1, 1, 1))
        rows, columns = (self.broadcast_to(a, points) for a in (rows, columns))
        seen = self.sample(self.permute_dims(x, (0, 2, 3, 1)), image, rows, columns, "edge")
        seen = self.where(self.expand_dims(inside, 5), seen, 0.0)
        return self.permute_dims(self.mean(seen, (3, 4)), (0, 3, 1, 2))

    def _near(self, at: Array, size: int) -> Array:
        """bool: whether positions are at most one element outside."""
        return self.logical_and(self.greater_equal(at, -1.0), self.less_equal(at, float(size)))

    def roi_pool(self, x: Array, rois: Array, size: Sequence[int], scale: float) -> Array:
        """Largest element in each of size[0] x size[1] cells of each region, corners rounded; an empty cell is 0."""
        self._roi("roi_pool", x, rois)
        size = shape_of(size)
        if self._has("roi_pool"):
            return self._call("roi_pool", (x, rois), (size, float(scale)))
        image = self.astype(rois[:, 0], "int32")
        found = x if x.shape[0] == 1 else self.take(x, image, 0)
        # One axis after the other, so that no array has both the cells and the elements of both axes.
        for axis in (3, 2):
            inside = self._cells(rois, 4 - axis, size[axis - 2], scale, x.shape[axis])
            parts = []
            for k in range(size[axis - 2]):
                mask = self.reshape(
                    inside[:, k], (rois.shape[0], 1, *(n if a == axis else 1 for a, n in enumerate(x.shape) if a > 1))
                )
                parts.append(self.max(self.where(mask, found, float(lowest(storage(x.dtype)))), (axis,), True))
            found = self.concat(parts, axis)
        empty = self.equal(found, float(lowest(storage(x.dtype))))
        return self.where(empty, 0.0, found)

    def _cells(self, rois: Array, column: int, cells: int, scale: float, size: int) -> Array:
        """bool[n, cells, size]: which elements of an axis lie in which cell of each region."""
        low, high = (
            self._round_away(self.multiply(self.astype(rois[:, k : k + 1], "float32"), scale))
            for k in (column, column + 2)
        )
        extent = self.expand_dims(self.maximum(self.add(self.subtract(high, low), 1), 1), 2)
        # Cell k begins at floor(k * extent / cells) and ends before ceil((k + 1) * extent / cells). Compared without
        # a division, which would round: d >= floor(a / b) says d + 1 > a / b, and d < ceil(a / b) says d < a / b.
        cell = self.constant(np.arange(cells, dtype=np.int32)[:, None])
        at = self.expand_dims(self.subtract(self.constant(np.arange(size, dtype=np.int32)), low), 1)
        begun = self.greater(self.multiply(self.add(at, 1), cells), self.multiply(extent, cell))
        return self.logical_and(begun, self.less(self.multiply(at, cells), self.multiply(extent, self.add(cell, 1))))

    def _round_away(self, x: Array) -> Array:
        """int32: half is rounded away from zero; what is far from any image is brought nearer."""
        whole = self.multiply(self.sign(x), self.floor(self.add(self.abs(x), 0.5)))
        return self.astype(self.clip(whole, -(2.0**20), 2.0**20), "int32")

    def _roi(self, name: str, x: Array, rois: Any) -> None:
        self.pair(name, x, rois, FLOATS)
        if x.ndim != 4 or rois.ndim != 2 or rois.shape[1] != 5:
            raise DialectError(f"{name}(): {x!r} with regions {rois!r}; it needs four axes and n x 5.")
