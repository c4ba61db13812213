"""Convolutions, pools and normalisation in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import prod
from typing import Any

import numpy as np

from ..dtypes import lowest


def _spatial(index: Iterable[Any]) -> tuple[Any, ...]:
    """An index into the axes behind N and C."""
    return (slice(None), slice(None), *index)


def windows(x: np.ndarray, kernel: tuple, stride: tuple, dilate: tuple) -> np.ndarray:
    """A view of x[N, C, ...] as [N, C, output..., kernel...]."""
    extent = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilate, strict=True))
    view = np.lib.stride_tricks.sliding_window_view(x, extent, axis=tuple(range(2, x.ndim)))  # type: ignore[call-overload]
    return view[_spatial(slice(None, None, s) for s in (*stride, *dilate))]


def padded(x: np.ndarray, pads: tuple, value: Any = 0) -> np.ndarray:
    """x with its spatial axes widened."""
    return np.pad(x, ((0, 0), (0, 0), *pads), constant_values=value) if any(map(any, pads)) else x


def conv(x: np.ndarray, w: np.ndarray, stride: tuple, pads: tuple, dilate: tuple, groups: int) -> np.ndarray:
    """Convolution as one product per group of all windows with the kernels."""
    kernel = w.shape[2:]
    spatial = len(kernel)
    view = windows(padded(x, pads), kernel, stride, dilate)
    batch, out = view.shape[0], view.shape[2 : 2 + spatial]
    view = view.reshape(batch, groups, w.shape[1], prod(out), prod(kernel))
    columns = view.transpose(1, 0, 3, 2, 4).reshape(groups, batch * prod(out), w.shape[1] * prod(kernel))
    weights = w.reshape(groups, w.shape[0] // groups, w.shape[1] * prod(kernel))
    y = np.matmul(weights, columns.transpose(0, 2, 1))
    return np.moveaxis(y.reshape(w.shape[0], batch, *out), 0, 1)


def conv_transpose(
    x: np.ndarray, w: np.ndarray, stride: tuple, pads: tuple, dilate: tuple, groups: int, extra: tuple
) -> np.ndarray:
    """Every input element adds its scaled kernel to the output; the result is cut by the pads."""
    kernel, spatial = w.shape[2:], x.shape[2:]
    per = w.shape[0] // groups
    xs = x.reshape(x.shape[0], groups, per, prod(spatial))
    ws = w.reshape(groups, per, w.shape[1] * prod(kernel))
    parts = np.einsum("ngip,gio->ngop", xs, ws, optimize=True)
    parts = parts.reshape(x.shape[0], groups * w.shape[1], *kernel, *spatial)
    full = [
        (n - 1) * s + d * (k - 1) + 1 + e for n, s, d, k, e in zip(spatial, stride, dilate, kernel, extra, strict=True)
    ]
    y = np.zeros((*parts.shape[:2], *full), parts.dtype)
    for at in np.ndindex(*kernel):
        where = [
            slice(a * d, a * d + (n - 1) * s + 1, s) for a, d, n, s in zip(at, dilate, spatial, stride, strict=True)
        ]
        y[_spatial(where)] += parts[_spatial(at)]
    cut = [slice(low, n - high) for n, (low, high) in zip(full, pads, strict=True)]
    return y[_spatial(cut)]


def _pool(x: np.ndarray, kernel: tuple, stride: tuple, pads: tuple, value: Any) -> tuple[np.ndarray, tuple[int, ...]]:
    view = windows(padded(x, pads, value), kernel, stride, (1,) * len(kernel))
    return view, tuple(range(2 + len(kernel), view.ndim))


def max_pool(x: np.ndarray, kernel: tuple, stride: tuple, pads: tuple) -> np.ndarray:
    """Pads never win against a finite value."""
    view, axes = _pool(x, kernel, stride, pads, lowest(x.dtype))
    return view.max(axes)


def sum_pool(x: np.ndarray, kernel: tuple, stride: tuple, pads: tuple) -> np.ndarray:
    """Pads count as 0."""
    view, axes = _pool(x, kernel, stride, pads, 0)
    return view.sum(axes)


def avg_pool(x: np.ndarray, kernel: tuple, stride: tuple, pads: tuple, exclude_pads: bool) -> np.ndarray:
    """Mean of each window, with or without its pads."""
    total = sum_pool(x, kernel, stride, pads)
    if not exclude_pads:
        return total / prod(kernel)
    return total / sum_pool(np.ones_like(x[:1, :1]), kernel, stride, pads)


def softmax(x: np.ndarray, axis: int) -> np.ndarray:
    """exp(x), scaled to sum 1."""
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def log_softmax(x: np.ndarray, axis: int) -> np.ndarray:
    """Logarithm of the softmax."""
    z = x - x.max(axis, keepdims=True)
    return z - np.log(np.exp(z).sum(axis, keepdims=True))


def normalize(x: np.ndarray, axes: tuple[int, ...], eps: float) -> np.ndarray:
    """Zero mean and unit variance over `axes`."""
    centred = x - x.mean(axes, keepdims=True)
    return centred / np.sqrt(np.square(centred).mean(axes, keepdims=True) + x.dtype.type(eps))


def batch_norm(x: np.ndarray, gamma: Any, beta: Any, mean: Any, var: Any, eps: float) -> np.ndarray:
    """Given statistics along axis 1."""
    shape = (1, -1, *(1,) * (x.ndim - 2))
    scale = gamma / np.sqrt(var + x.dtype.type(eps))
    return (x - mean.reshape(shape)) * scale.reshape(shape) + beta.reshape(shape)


KERNELS: Mapping[str, Callable[..., Any]] = {
    "conv": conv,
    "conv_transpose": conv_transpose,
    "max_pool": max_pool,
    "sum_pool": sum_pool,
    "avg_pool": avg_pool,
    "softmax": softmax,
    "log_softmax": log_softmax,
    "normalize": normalize,
    "batch_norm": batch_norm,
}
