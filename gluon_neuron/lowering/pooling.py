"""Pooling in one to three spatial axes, and adaptive average pooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph.graph import Node
from .common import CHANNELS_FIRST, channels_first, first_of, spatial, spatial_counts
from .extents import nonempty
from .registry import rule


def _channels_last(n: Node) -> bool:
    """Whether the layout is NWC, NHWC or NDHWC."""
    return n.attrs.text("layout") in tuple(f"N{layout[2:]}C" for layout in CHANNELS_FIRST)


def _layout(n: Node) -> str | None:
    """Refuse anything but one to three spatial axes, and layouts that do not fit them."""
    last = _channels_last(n) and len(n.attrs["layout"]) == len(n.in_spec(0).shape)
    return None if last else channels_first(n)


def _sizes(n: Node, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The spatial axes of a shape in the node's layout."""
    return shape[1:-1] if _channels_last(n) else shape[2:]


def _parameters(n: Node) -> str | None:
    """Refuse pooling_convention="same", and lp pooling of other powers than 1, 2, 3."""
    if n.attrs.text("pooling_convention", "valid") == "same":
        return "pooling_convention='same' is not compiled; MXNet's CPU refuses it too"
    if n.attrs.text("pool_type", "max") == "lp" and n.attrs.integer("p_value", 0) not in (1, 2, 3):
        return f"p_value={n.attrs.text('p_value', 'None')} of lp pooling is not one of 1, 2, 3"
    if n.attrs.flag("global_pool"):
        return None
    kernel, pad = n.attrs.ints("kernel", ()), spatial(n, "pad", 0)
    if not kernel:
        return "it has no kernel and is not global"
    if any(p >= k for p, k in zip(pad, kernel)):
        return f"pad={pad} is not less than kernel={kernel}; MXNet's CPU refuses that too"
    return None


def _pads(n: Node, any_shape: bool = False) -> tuple[tuple[int, int], ...]:
    """Padding of each axis; 'full' rounds the number of windows up, so the last one may need more at the end.

    With `any_shape` it is what would do for all sizes, and no window more.
    """
    low = spatial(n, "pad", 0)
    if n.attrs.text("pooling_convention", "valid") == "valid":
        return tuple((p, p) for p in low)
    if any_shape:
        return tuple((p, p + s - 1) for p, s in zip(low, spatial(n, "stride", 1)))
    sizes, counts = _sizes(n, n.in_spec(0).shape), _sizes(n, n.out.shape)
    kernel, stride = n.attrs.ints("kernel"), spatial(n, "stride", 1)
    ends = [(o - 1) * s + k - i - p for i, o, k, s, p in zip(sizes, counts, kernel, stride, low)]
    return tuple((p, max(e, p)) for p, e in zip(low, ends))


def _elements(n: Node) -> np.ndarray:
    """How many elements each window averages; none or less where it lies wholly outside.

    Padding counts only as far as it was declared, not where 'full' went beyond it.
    """
    total, include_pad = np.ones(()), n.attrs.flag("count_include_pad", True)
    sizes, counts = _sizes(n, n.in_spec(0).shape), _sizes(n, n.out.shape)
    kernel, stride, pad = n.attrs.ints("kernel"), spatial(n, "stride", 1), spatial(n, "pad", 0)
    for size, windows, k, s, p in zip(sizes, counts, kernel, stride, pad):
        start = np.arange(windows) * s - p
        end = np.minimum(start + k, size + p if include_pad else size)
        total = total[..., None] * (end - (start if include_pad else np.maximum(start, 0)))
    return total


def _count(n: Node) -> Any:
    """The elements of a window: a number, or an array of the output's spatial shape."""
    # A window that holds nothing has the sum 0 and gives 0.
    total = np.maximum(_elements(n), 1.0)
    return float(total.flat[0]) if (total == total.flat[0]).all() else total


def _means_of_something(n: Node) -> str | None:
    """Refuse the mean of a window wholly outside, where MXNet has 0 in one or two axes, but NaN in three."""
    if n.attrs.text("pool_type", "max") != "avg" or n.attrs.flag("global_pool") or len(_pads(n)) < 3:
        return None
    if _elements(n).min() > 0:
        return None
    return "with pooling_convention='full' its last window holds nothing, and MXNet's mean of that is NaN"


def _root(xp: Any, total: Any, p: int) -> Any:
    """The p-th root with the sign kept: MXNet's lp pooling takes no absolute values."""
    if p == 1:
        return total
    return xp.sqrt(total) if p == 2 else xp.multiply(xp.sign(total), xp.pow(xp.abs(total), 1.0 / p))


def _power(xp: Any, x: Any, p: int) -> Any:
    return x if p == 1 else xp.square(x) if p == 2 else xp.multiply(xp.square(x), x)


_REFUSE = first_of(nonempty, _layout, spatial_counts("kernel", "stride", "pad"), _parameters, _means_of_something)


@rule("Pooling", "_npx_pooling", refuse=_REFUSE)
def pooling(xp: Any, n: Node, x: Any) -> Any:
    """x (N, C, spatial...), or (N, spatial..., C) as layout says, to windows' maxima, means, sums or p-norms."""
    if not _channels_last(n):
        return _pooled(xp, n, x)
    y = _pooled(xp, n, xp.permute_dims(x, (0, x.ndim - 1, *range(1, x.ndim - 1))))
    return xp.permute_dims(y, (0, *range(2, x.ndim), 1))


def _pooled(xp: Any, n: Node, x: Any) -> Any:
    kind, p = n.attrs.text("pool_type", "max"), n.attrs.integer("p_value", 2)
    if n.attrs.flag("global_pool"):
        return _global(xp, kind, p, x)
    window = (n.attrs.ints("kernel"), spatial(n, "stride", 1), _pads(n, xp.any_shape))
    if kind == "max":
        return xp.max_pool(x, *window)
    if kind == "avg":
        count = _count(n)
        return xp.avg_pool(x, *window, count if isinstance(count, float) else xp.constant(count, x.dtype))
    if kind == "sum":
        return xp.sum_pool(x, *window)
    return _root(xp, xp.sum_pool(_power(xp, x, p), *window), p)


def _global(xp: Any, kind: str, p: int, x: Any) -> Any:
    """One window over everything, without pads."""
    axes = tuple(range(2, x.ndim))
    if kind == "lp":
        return _root(xp, xp.sum(_power(xp, x, p), axes, True), p)
    return {"max": xp.max, "avg": xp.mean, "sum": xp.sum}[kind](x, axes, True)


def _windows_inside(n: Node) -> str | None:
    """Refuse a window wholly outside, whose maximum MXNet has at minus infinity here."""
    if n.attrs.flag("global_pool") or n.attrs.text("pool_type", "max") != "max":
        return None
    stride, pad = spatial(n, "stride", 1), spatial(n, "pad", 0)
    if any((o - 1) * s >= i + 2 * p for o, s, i, p in zip(n.out.shape[2:], stride, n.in_spec(0).shape[2:], pad)):
        return "with pooling_convention='full' its last window lies wholly outside the data"
    return None


@rule("Pooling_v1", refuse=first_of(_REFUSE, _windows_inside))
def pooling_v1(xp: Any, n: Node, x: Any) -> Any:
    """As Pooling, but declared pads are zeros for the maximum too, and a mean is always over the whole window."""
    kind = n.attrs.text("pool_type", "max")
    if n.attrs.flag("global_pool"):
        return _global(xp, kind, 1, x)
    kernel, stride, pads = n.attrs.ints("kernel"), spatial(n, "stride", 1), _pads(n, xp.any_shape)
    if kind == "max":
        low = spatial(n, "pad", 0)
        x = xp.pad(x, ((0, 0), (0, 0), *((p, p) for p in low)))
        return xp.max_pool(x, kernel, stride, tuple((0, end - p) for p, (_, end) in zip(low, pads)))
    return xp.avg_pool(x, kernel, stride, pads) if kind == "avg" else xp.sum_pool(x, kernel, stride, pads)


def _four_d(n: Node) -> str | None:
    """Refuse data that is not 4-d."""
    shape = n.in_spec(0).shape
    return None if len(shape) == 4 else f"its data has {len(shape)} dimensions, not 4"


@rule("_contrib_AdaptiveAvgPooling2D", refuse=first_of(nonempty, _four_d))
def adaptive_avg_pooling(xp: Any, n: Node, x: Any) -> Any:
    """x (N, C, H, W) to the means of a grid of nearly equal windows."""
    return xp.adaptive_avg_pool(x, n.out.shape[2:])
