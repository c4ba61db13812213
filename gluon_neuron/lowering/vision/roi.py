"""Pooling of regions of interest: maxima of cells, and means of samples in straight and in rotated ones."""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np

from ...graph.graph import Node
from ..common import first_of, same_dtypes
from ..extents import nonempty
from ..registry import FLOATS, rule


def _fixed_samples(n: Node) -> str | None:
    """Refuse a number of samples that depends on the regions."""
    key = "sampling_ratio" if n.op.endswith("RROIAlign") else "sample_ratio"
    if n.attrs.integer(key, -1) <= 0:
        return f"{key} is not given, so that the number of samples depends on the regions; set it, for example to 2"
    return None


def batch_index(xp: Any, x: Any, rois: Any) -> Any:
    """The batch index (R, 1) of regions (R, 5 or 6), the first column, as int32 within x's batch."""
    return xp.clip(xp.astype(rois[:, 0:1], xp.int32), 0, x.shape[0] - 1)


def _rois_in_batch(xp: Any, x: Any, rois: Any) -> Any:
    """Regions (R, 5) with their batch index, the first column, whole and within x's batch."""
    return xp.concat([xp.astype(batch_index(xp, x, rois), rois.dtype), rois[:, 1:5]], 1)


@rule("ROIPooling", "_npx_roi_pooling", dtypes=FLOATS, refuse=first_of(nonempty, same_dtypes))
def roi_pooling(xp: Any, n: Node, x: Any, rois: Any) -> Any:
    """Maxima of x (N, C, H, W) in the cells of regions (R, 5), whose corners are rounded."""
    scale = n.attrs.single("spatial_scale")
    return xp.roi_pool(x, _rois_in_batch(xp, x, rois), n.attrs.ints("pooled_size"), scale)


@rule("_contrib_ROIAlign", dtypes=FLOATS, refuse=first_of(nonempty, same_dtypes, _fixed_samples))
def roi_align(xp: Any, n: Node, x: Any, rois: Any) -> Any:
    """Means of bilinear samples of x (N, C, H, W) in the cells of regions (R, 5): batch index, then corners.

    A region with a negative index is of no image, and all zeros, as on MXNet's GPUs. GluonCV's feature pyramids add up
    levels of which each has such regions; MXNet on a CPU leaves their numbers as the memory happens to be, and writes a
    zero to the n-th number of its result when region n is one.
    """
    # MXNet rounds the index towards zero.
    of_an_image = xp.reshape(rois[:, 0:1] > -1.0, (rois.shape[0], 1, 1, 1))
    return xp.where(of_an_image, _means(xp, n, x, rois), 0.0)


def _means(xp: Any, n: Node, x: Any, rois: Any) -> Any:
    scale, samples = n.attrs.single("spatial_scale"), n.attrs.integer("sample_ratio")
    size, aligned = n.attrs.ints("pooled_size"), n.attrs.flag("aligned")
    if not n.attrs.flag("position_sensitive"):
        return xp.roi_align(x, _rois_in_batch(xp, x, rois), size, scale, samples, aligned)
    shift = 0.5 if aligned else 0.0
    lines = []
    for axis in (2, 1):
        low, high = (rois[:, k : k + 1] * scale - shift for k in (axis, axis + 2))
        extent = high - low if aligned else xp.maximum(high - low, 1.0)
        lines.append(low + extent * _parts(xp, size[2 - axis], samples, x.dtype))
    places = (rois.shape[0], 1, *size, samples, samples)
    rows = xp.broadcast_to(xp.reshape(lines[0], (rois.shape[0], 1, size[0], 1, samples, 1)), places)
    columns = xp.broadcast_to(xp.reshape(lines[1], (rois.shape[0], 1, 1, size[1], 1, samples)), places)
    cells = Cells(size, size, 1, n.out.shape[1])
    return mean_of_samples(xp, x, rois, cells, rows, columns, 1.0)


def _parts(xp: Any, cells: int, samples: int, dtype: str) -> Any:
    """Where the samples of each cell lie along a region of length 1: (1, cells * samples)."""
    return xp.constant(((np.arange(cells * samples) + 0.5) / (cells * samples))[None], dtype)


class Cells:
    """Which channels a cell reads where each cell has its own.

    The channels of x are (D, groups..., of the cells): `size` cells along each axis read `groups` groups, and the D
    channels of the result fall into `classes` that are sampled at points of their own.
    """

    def __init__(self, size: tuple[int, ...], groups: tuple[int, ...], classes: int, channels: int) -> None:
        self.size = size
        self.groups = groups
        self.classes = classes
        self.per_class = channels // classes

    def planes(self, xp: Any, x: Any) -> Any:
        """x (N, D * groups, H, W) as images (N * classes * groups, H, W, D / classes)."""
        groups = self.groups[0] * self.groups[1]
        split = xp.reshape(x, (x.shape[0], self.classes, self.per_class, groups, *x.shape[2:]))
        images = (x.shape[0] * self.classes * groups, *x.shape[2:], self.per_class)
        return xp.reshape(xp.permute_dims(split, (0, 1, 3, 4, 5, 2)), images)

    def image(self, xp: Any, batch: Any) -> Any:
        """The image among `planes` that each cell reads: int32 (R, classes, rows, columns, 1, 1)."""
        rows, columns = (np.arange(s) * g // s for s, g in zip(self.size, self.groups))
        groups = self.groups[0] * self.groups[1]
        own = np.arange(self.classes)[:, None, None] * groups + rows[:, None] * self.groups[1] + columns
        first = xp.reshape(batch * (self.classes * groups), (batch.shape[0], 1, 1, 1, 1, 1))
        return first + xp.constant(own[None, :, :, :, None, None].astype(np.int32))


def _on_image(xp: Any, rows: Any, columns: Any, sizes: tuple[int, int], margin: float) -> Any:
    """bool: whether points are at most `margin` outside of the outer elements' far sides."""
    found = None
    for at, size in zip((rows, columns), sizes):
        near = xp.logical_and(xp.greater_equal(at, -margin), xp.less_equal(at, size - 1 + margin))
        found = near if found is None else xp.logical_and(found, near)
    return found


def mean_of_samples(
    xp: Any, x: Any, rois: Any, cells: Cells, rows: Any, columns: Any, margin: float, count_inside: bool = False
) -> Any:
    """Means (R, D, rows, columns) of samples at points (R, classes, rows, columns, samples, samples).

    A point beyond the margin counts as 0; with `count_inside` it does not count at all.
    """
    seen = xp.sample(cells.planes(xp, x), cells.image(xp, batch_index(xp, x, rois)), rows, columns, "edge")
    inside = _on_image(xp, rows, columns, x.shape[2:], margin)
    total = xp.sum(xp.where(xp.expand_dims(inside, rows.ndim), seen, 0.0), (4, 5))
    count: Any = float(rows.shape[4] * rows.shape[5])
    if count_inside:
        count = xp.expand_dims(xp.maximum(xp.sum(xp.astype(inside, x.dtype), (4, 5)), 1.0), 4)
    means = xp.permute_dims(xp.divide(total, count), (0, 1, 4, 2, 3))
    return xp.reshape(means, (rois.shape[0], cells.classes * cells.per_class, *cells.size))


@rule("_contrib_RROIAlign", dtypes=FLOATS, refuse=first_of(nonempty, same_dtypes, _fixed_samples))
def rotated_roi_align(xp: Any, n: Node, x: Any, rois: Any) -> Any:
    """Means of bilinear samples in the cells of regions (R, 6): batch index, centre, size, and an angle in degrees."""
    size, samples = n.attrs.ints("pooled_size"), n.attrs.integer("sampling_ratio")
    roi_count, scale = rois.shape[0], n.attrs.single("spatial_scale")
    centre = [xp.reshape(rois[:, k] * scale, (roi_count, 1, 1, 1, 1, 1)) for k in (2, 1)]
    lines = []
    for axis, k in enumerate((4, 3)):
        extent = xp.maximum(rois[:, k : k + 1] * scale, 1.0)
        shape = [1] * 6
        shape[0], shape[2 + axis], shape[4 + axis] = roi_count, size[axis], samples
        lines.append(xp.reshape(extent * (_parts(xp, size[axis], samples, x.dtype) - 0.5), shape))
    turn = xp.reshape(rois[:, 5] * (pi / 180), (roi_count, 1, 1, 1, 1, 1))
    cosine, sine = xp.cos(turn), xp.sin(turn)
    columns = lines[1] * cosine + lines[0] * sine + centre[1]
    rows = lines[0] * cosine - lines[1] * sine + centre[0]
    return mean_of_samples(xp, x, rois, Cells(size, (1, 1), 1, x.shape[1]), rows, columns, 1.0)
