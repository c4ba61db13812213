"""Operators of object detectors with shapes known beforehand: anchors and box arithmetic.

Non-maximum suppression and what contains it (box_nms, MultiBoxDetection, Proposal, MultiProposal) stay in MXNet.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ...graph.graph import Node
from ..common import first_of, same_dtypes
from ..extents import nonempty
from ..registry import FLOATS, rule


def _pair(n: Node, key: str, default: float) -> tuple[float, ...]:
    return n.attrs.numbers(key, ()) or (default, default)


@rule("_contrib_MultiBoxPrior", "_npx_multibox_prior", dtypes=FLOATS, refuse=nonempty)
def multibox_prior(xp: Any, n: Node, x: Any) -> Any:
    """Anchor boxes (1, H * W * (S + R - 1), 4), corners: all sizes with the first ratio, the first with the others."""
    height, width = x.shape[2:]
    sizes, ratios = n.attrs.numbers("sizes", (1.0,)), n.attrs.numbers("ratios", (1.0,))
    (step_y, step_x), (offset_y, offset_x) = _pair(n, "steps", -1.0), _pair(n, "offsets", 0.5)
    ys = (np.arange(height) + offset_y) * (step_y if step_y > 0 else 1 / height)
    xs = (np.arange(width) + offset_x) * (step_x if step_x > 0 else 1 / width)
    roots = [(s, np.sqrt(ratios[0])) for s in sizes] + [(sizes[0], np.sqrt(r)) for r in ratios[1:]]
    half = np.array([(s * height / width * r / 2, s / r / 2) for s, r in roots])
    centre = np.stack(np.meshgrid(xs, ys), -1)[:, :, None, :]
    boxes = np.concatenate([centre - half, centre + half], -1).reshape(n.out.shape)
    return xp.constant(np.clip(boxes, 0, 1) if n.attrs.flag("clip") else boxes, n.out.dtype)


def _anchors_shared(n: Node) -> str | None:
    """Refuse anchors that are not one box for each box of the data."""
    data, anchors = n.in_spec(0), n.in_spec(1)
    if len(data.shape) != 3 or data.shape[2] != 4 or anchors.size != prod(data.shape[1:]):
        return f"its anchors {anchors} are not one box for each of the boxes of {data}"
    return None


@rule("_contrib_box_decode", dtypes=FLOATS, refuse=first_of(nonempty, same_dtypes, _anchors_shared))
def box_decode(xp: Any, n: Node, offsets: Any, anchors: Any) -> Any:
    """Predicted offsets (B, N, 4) on anchors (1, N, 4), given as centres or corners, to corners (B, N, 4)."""
    anchors = xp.reshape(anchors, (1, offsets.shape[1], 4))
    first, second = anchors[:, :, 0:2], anchors[:, :, 2:4]
    corners = n.attrs.text("format", "center") == "corner"
    extent = second - first if corners else second
    centre = first + extent * 0.5 if corners else first
    std = np.array([n.attrs.single(f"std{i}", 1.0) for i in range(4)])
    scaled = offsets * xp.constant(std, offsets.dtype)
    limit = n.attrs.single("clip", -1.0)
    growth = scaled[:, :, 2:4]
    half = xp.exp(xp.minimum(growth, limit) if limit > 0 else growth) * extent * 0.5
    middle = scaled[:, :, 0:2] * extent + centre
    return xp.concat([middle - half, middle + half], 2)


@rule("_contrib_box_iou", dtypes=FLOATS, refuse=first_of(nonempty, same_dtypes))
def box_iou(xp: Any, n: Node, left: Any, right: Any) -> Any:
    """Intersection over union of every box of left (..., 4) with every box of right (..., 4)."""
    centred = n.attrs.text("format", "corner") == "center"
    a, b = xp.reshape(left, (left.size // 4, 1, 4)), xp.reshape(right, (1, right.size // 4, 4))
    (a_low, a_high, a_area), (b_low, b_high, b_area) = _corners(xp, a, centred), _corners(xp, b, centred)
    side = xp.maximum(xp.minimum(a_high, b_high) - xp.maximum(a_low, b_low), 0.0)
    common = side[:, :, 0] * side[:, :, 1]
    union = a_area + b_area - common
    meets = common > 0.0
    return xp.reshape(xp.where(meets, xp.divide(common, xp.where(meets, union, 1.0)), 0.0), n.out.shape)


def _corners(xp: Any, boxes: Any, centred: bool) -> tuple[Any, Any, Any]:
    """Lower and upper corners (..., 2) and areas of boxes (..., 4)."""
    low, high = boxes[:, :, 0:2], boxes[:, :, 2:4]
    size = high if centred else high - low
    if centred:
        low, high = low - size * 0.5, low + size * 0.5
    return low, high, size[:, :, 0] * size[:, :, 1]
