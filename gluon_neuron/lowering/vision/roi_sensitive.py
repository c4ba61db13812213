"""Position-sensitive pooling of regions, where every cell reads channels of its own: by means, and deformable."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph.graph import Node
from ..common import first_of, same_dtypes
from ..extents import nonempty
from ..registry import rule
from ..unary import half_away
from .roi import Cells, batch_index, mean_of_samples

# Whether an element is in a cell hangs on the last bit of a float32, which halves do not have.
_SINGLE = frozenset(("float32", "float64"))


def _square_groups(n: Node) -> tuple[tuple[int, int], tuple[int, int]]:
    """Cells and groups of channels along both axes."""
    size = n.attrs.integer("pooled_size")
    groups = n.attrs.integer("group_size", 0) or size
    return (size, size), (groups, groups)


def _rounded(xp: Any, rois: Any, scale: float) -> list[tuple[Any, Any]]:
    """For rows and columns the start and the length, at least 0.1, (R, 1) of regions whose corners are rounded."""
    corners = half_away(xp, rois[:, 1:5]) + xp.constant([[0.0, 0.0, 1.0, 1.0]], rois.dtype)
    # Sliced after the product, as an engine that takes product and difference in one step would round once, not twice.
    corners = corners * scale
    return [(corners[:, k : k + 1], xp.maximum(corners[:, k + 2 : k + 3] - corners[:, k : k + 1], 0.1)) for k in (1, 0)]


def _divided(xp: Any, x: Any, parts: int) -> Any:
    """x / parts, rounded to the nearest also by an engine that multiplies by the reciprocal instead.

    The quotient is cut into pieces of so few bits that their products with `parts` are exact, and so is what they
    leave of x.
    """
    quotient = x / float(parts)
    rest, left = x, quotient
    for step in (1.0, 4096.0):
        piece = xp.floor(left * step) / step
        rest, left = rest - piece * float(parts), left - piece
    return quotient + (rest - left * float(parts)) / float(parts)


def _covered(xp: Any, start: Any, length: Any, cells: int, size: int) -> Any:
    """1 where an element of an axis of `size` lies in a cell of a region, else 0: (R, cells, size)."""
    width = _divided(xp, length, cells)
    edges = width * xp.constant(np.arange(cells + 1)[None], width.dtype)
    # Sliced before the sum for the same reason as above.
    first, last = xp.floor(edges[:, :-1] + start), xp.ceil(edges[:, 1:] + start)
    places = xp.constant(np.arange(size), width.dtype)
    first, last = xp.expand_dims(first, 2), xp.expand_dims(last, 2)
    return xp.astype(xp.logical_and(xp.less_equal(first, places), xp.less(places, last)), width.dtype)


@rule("_contrib_PSROIPooling", dtypes=_SINGLE, refuse=first_of(nonempty, same_dtypes))
def psroi_pooling(xp: Any, n: Node, x: Any, rois: Any) -> Any:
    """Means of x (N, output_dim * group_size ** 2, H, W) in whole cells, each of which has channels of its own."""
    size, groups = _square_groups(n)
    roi_count, (height, width) = rois.shape[0], x.shape[2:]
    (top, tall), (left, wide) = _rounded(xp, rois, n.attrs.single("spatial_scale"))
    rows = _covered(xp, top, tall, size[0], height)
    columns = _covered(xp, left, wide, size[1], width)
    channels = n.out.shape[1]
    # The rows that a cell covers are summed by a product, over the images of the batch at once, then the columns.
    own = xp.one_hot(xp.reshape(batch_index(xp, x, rois), (roi_count,)), x.shape[0], 1, x.dtype)
    chosen = xp.reshape(own, (roi_count, 1, x.shape[0], 1)) * xp.expand_dims(rows, 2)
    chosen = xp.reshape(xp.permute_dims(chosen, (1, 0, 2, 3)), (size[0], roi_count, x.shape[0] * height))
    split = xp.reshape(x, (x.shape[0], channels, *groups, height, width))
    for axis in (2, 3):
        places = (np.arange(size[0]) * groups[0] // size[0]).astype(np.int32)
        split = xp.take(split, xp.constant(places), axis)
    split = xp.permute_dims(split, (2, 0, 4, 1, 3, 5))
    split = xp.reshape(split, (size[0], x.shape[0] * height, channels * size[1] * width))
    bands = xp.reshape(xp.matmul(chosen, split, exact=True), (size[0], roi_count, channels, size[1], width))
    total = xp.sum(bands * xp.reshape(columns, (1, roi_count, 1, size[1], width)), (4,))
    total = xp.permute_dims(total, (1, 2, 0, 3))
    count = xp.expand_dims(xp.sum(rows, (2,)), 2) * xp.expand_dims(xp.sum(columns, (2,)), 1)
    return total / xp.maximum(xp.expand_dims(count, 1), 1.0)


@rule("_contrib_DeformablePSROIPooling", dtypes=_SINGLE, refuse=first_of(nonempty, same_dtypes))
def deformable_psroi_pooling(xp: Any, n: Node, x: Any, rois: Any, trans: Any = None) -> Any:
    """Means of samples in cells that have channels of their own and are moved by trans (R, classes * 2, part, part)."""
    size, groups = _square_groups(n)
    roi_count, samples = rois.shape[0], n.attrs.integer("sample_per_part", 1)
    moved = trans is not None and not n.attrs.flag("no_trans")
    classes = trans.shape[1] // 2 if moved else 1
    places = (roi_count, classes, *size, samples, samples)
    points = []
    for axis, (start, length) in enumerate(_rounded(xp, rois, n.attrs.single("spatial_scale"))):
        start, length = (xp.reshape(v, (roi_count, 1, 1, 1, 1, 1)) for v in (start - 0.5, length))
        along = (np.arange(size[axis])[:, None] + np.arange(samples) / samples) / size[axis]
        shape = [1] * 6
        shape[2 + axis], shape[4 + axis] = along.shape
        at = length * xp.constant(along.reshape(shape), x.dtype) + start
        if moved:
            parts = trans.shape[2:]
            step = trans[:, 1 - axis :: 2]
            for k in range(2):
                # In the dtype of the data, as MXNet has it: in float32 1 / 3 * 3 may be less than 1.
                nearest = np.floor(np.arange(size[k], dtype=x.dtype) / size[k] * parts[k])
                step = xp.take(step, xp.constant(nearest.astype(np.int32)), 2 + k)
            step = xp.reshape(step * n.attrs.single("trans_std", 0.0), (roi_count, classes, *size, 1, 1))
            at = at + step * length
        points.append(xp.broadcast_to(at, places))
    cells = Cells(size, groups, classes, n.out.shape[1])
    return mean_of_samples(xp, x, rois, cells, points[0], points[1], 0.5, count_inside=True)
