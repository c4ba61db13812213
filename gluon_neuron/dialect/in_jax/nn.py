"""Convolutions, pools and normalisation in jax."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np

from ..dtypes import lowest
from .elementwise import like
from .order import reduce, widen

_AXES = "DHW"


def _layout(spatial: int, weight: str = "OI") -> tuple[str, str, str]:
    axes = _AXES[3 - spatial :]
    return "NC" + axes, weight + axes, "NC" + axes


def conv(lax: Any, x: Any, w: Any, stride: tuple, pads: tuple, dilate: tuple, groups: int) -> Any:
    """Convolution."""
    return lax.conv_general_dilated(
        x, w, stride, pads, None, dilate, dimension_numbers=_layout(len(stride)), feature_group_count=groups
    )


def conv_transpose(
    lax: Any, x: Any, w: Any, stride: tuple, pads: tuple, dilate: tuple, groups: int, extra: tuple
) -> Any:
    """A convolution over the input spread by `stride`, with the kernel mirrored.

    Zeros are written into a dilated kernel where the input is spread too: neuronx-cc refuses both at once. A pad
    that would be negative becomes a slice of the result.
    """
    kernel, count = w.shape[2:], w.shape[1]
    w = lax.rev(w, tuple(range(2, w.ndim)))
    if groups > 1:
        w = lax.reshape(w, (groups, w.shape[0] // groups, count, *kernel))
        w = lax.transpose(w, (0, 2, 1, *range(3, w.ndim)))
        w = lax.reshape(w, (groups * count, w.shape[2], *kernel))
    spread = any(s > 1 for s in stride)
    if spread and any(d > 1 for d in dilate):
        w = lax.pad(w, np.zeros((), w.dtype), [(0, 0, 0)] * 2 + [(0, 0, d - 1) for d in dilate])
        dilate, kernel = (1,) * len(kernel), w.shape[2:]
    around, cuts = [], []
    for k, d, (low, high), more in zip(kernel, dilate, pads, extra, strict=True):
        before, after = d * (k - 1) - low, d * (k - 1) - high + more
        around.append((max(before, 0), max(after, 0)))
        cuts.append((max(-before, 0), max(-after, 0)))
    y = lax.conv_general_dilated(
        x,
        w,
        (1,) * len(kernel),
        around,
        stride if spread else None,
        dilate,
        dimension_numbers=_layout(len(kernel), "IO" if groups == 1 else "OI"),
        feature_group_count=groups,
    )
    if not any(map(any, cuts)):
        return y
    low = (0, 0, *(c[0] for c in cuts))
    return lax.slice(y, low, (*y.shape[:2], *(n - c[1] for n, c in zip(y.shape[2:], cuts, strict=True))))


def _pool(lax: Any, operator: str, x: Any, start: Any, kernel: tuple, stride: tuple, pads: tuple) -> Any:
    window, strides, around = (1, 1, *kernel), (1, 1, *stride), ((0, 0), (0, 0), *pads)
    return lax.reduce_window(x, np.asarray(start, x.dtype), getattr(lax, operator), window, strides, around)


def max_pool(lax: Any, x: Any, kernel: tuple, stride: tuple, pads: tuple) -> Any:
    """A pad never wins; a window of pads only is raised to the lowest finite value."""
    y = _pool(lax, "max", x, -np.inf, kernel, stride, pads)
    if not any(map(any, pads)):
        return y
    low = float(lowest(np.dtype("float32"))) if x.dtype.name == "bfloat16" else lowest(np.dtype(x.dtype))
    return lax.max(y, like(lax, low, y)) if _some_window_is_empty(x.shape[2:], y.shape[2:], kernel, stride, pads) else y


def _some_window_is_empty(sizes: tuple, counts: tuple, kernel: tuple, stride: tuple, pads: tuple) -> bool:
    lines = zip(sizes, counts, kernel, stride, pads, strict=True)
    return any(low >= k or (count - 1) * s - low >= n for n, count, k, s, (low, _) in lines)


def sum_pool(lax: Any, x: Any, kernel: tuple, stride: tuple, pads: tuple) -> Any:
    """Accumulates 16-bit floats in float32."""
    return lax.convert_element_type(_pool(lax, "add", widen(lax, x), 0, kernel, stride, pads), x.dtype)


def _centred(lax: Any, x: Any, operator: str, axes: tuple[int, ...]) -> tuple[Any, Callable[[Any], Any]]:
    """x less its mean or maximum over `axes`, and a function that brings a reduced array back to its shape."""
    kept = tuple(k for k in range(x.ndim) if k not in axes)

    def back(y: Any) -> Any:
        return lax.broadcast_in_dim(y, x.shape, kept)

    centre = reduce(lax, operator, x, axes)
    if operator == "add":
        centre = lax.div(centre, like(lax, prod(x.shape[a] for a in axes), centre))
    return lax.sub(x, back(centre)), back


def softmax(lax: Any, x: Any, axis: int) -> Any:
    """exp(x), scaled to sum 1; 16-bit floats are rounded once, at the end."""
    centred, back = _centred(lax, widen(lax, x), "max", (axis,))
    e = lax.exp(centred)
    return lax.convert_element_type(lax.div(e, back(reduce(lax, "add", e, (axis,)))), x.dtype)


def log_softmax(lax: Any, x: Any, axis: int) -> Any:
    """Logarithm of the softmax."""
    z, back = _centred(lax, widen(lax, x), "max", (axis,))
    return lax.convert_element_type(lax.sub(z, back(lax.log(reduce(lax, "add", lax.exp(z), (axis,))))), x.dtype)


def normalize(lax: Any, x: Any, axes: tuple[int, ...], eps: float) -> Any:
    """Zero mean and unit variance over `axes`."""
    z, back = _centred(lax, widen(lax, x), "add", axes)
    total = reduce(lax, "add", lax.mul(z, z), axes)
    variance = lax.div(total, like(lax, prod(x.shape[a] for a in axes), total))
    scale = lax.rsqrt(lax.add(variance, like(lax, eps, variance)))
    return lax.convert_element_type(lax.mul(z, back(scale)), x.dtype)


KERNELS: Mapping[str, Callable[..., Any]] = {
    "conv": conv,
    "conv_transpose": conv_transpose,
    "max_pool": max_pool,
    "sum_pool": sum_pool,
    "softmax": softmax,
    "log_softmax": log_softmax,
    "normalize": normalize,
}
