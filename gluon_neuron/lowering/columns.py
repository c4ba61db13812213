"""im2col and col2im: the windows of a convolution as columns, and the sums of columns back in their places."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..graph.graph import Node
from .common import first_of
from .extents import nonempty
from .registry import rule


def _sources(n: Node, sizes: tuple[int, ...]) -> np.ndarray:
    """For each tap of the kernel (K) and window (L) the flat place it sees, or one past all for padding."""
    kernel = n.attrs.ints("kernel")
    stride, dilate, pad = (
        n.attrs.ints(key, ()) or (default,) * len(kernel) for key, default in (("stride", 1), ("dilate", 1), ("pad", 0))
    )
    flat = np.zeros((1, 1), np.int64)
    inside = np.ones((1, 1), bool)
    for size, k, s, d, p in zip(sizes, kernel, stride, dilate, pad):
        count = (size + 2 * p - d * (k - 1) - 1) // s + 1
        at = np.arange(k)[:, None] * d + np.arange(count) * s - p
        places = flat[:, None, :, None] * size + at[:, None]
        shape = (flat.shape[0] * k, flat.shape[1] * count)
        inside = (inside[:, None, :, None] & ((at >= 0) & (at < size))[:, None]).reshape(shape)
        flat = places.reshape(shape)
    return np.where(inside, flat, prod(sizes)).astype(np.int32)


def _with_zero(xp: Any, x: Any) -> Any:
    """x with one 0 behind its last axis, for what is read outside."""
    return xp.pad(x, ((0, 0),) * (x.ndim - 1) + ((0, 1),))


def _two_axes(n: Node) -> str | None:
    """Refuse kernels of one or three axes, which MXNet documents and cannot compute."""
    kernel = n.attrs.ints("kernel")
    return None if len(kernel) == 2 else f"kernel={kernel} has {len(kernel)} axes; MXNet computes two only"


@rule("im2col", refuse=first_of(_two_axes, nonempty))
def im2col(xp: Any, n: Node, x: Any) -> Any:
    """x (N, C, spatial...) to its windows (N, C * kernel, number of windows)."""
    flat = _with_zero(xp, xp.reshape(x, (*x.shape[:2], prod(x.shape[2:]))))
    return xp.reshape(xp.take(flat, xp.constant(_sources(n, x.shape[2:])), 2), n.out.shape)


@rule("col2im", refuse=first_of(_two_axes, nonempty))
def col2im(xp: Any, n: Node, x: Any) -> Any:
    """Windows (N, C * kernel, number of windows) to the sums (N, C, spatial...) of what each place has in them."""
    sizes = n.out.shape[2:]
    sources = _sources(n, sizes)
    taps, count = sources.shape
    # For each place and tap the element of the columns that it gets, if any; a tap meets a place once at most.
    back = np.full((taps, prod(sizes) + 1), taps * count, np.int32)
    back[np.arange(taps)[:, None], sources] = np.arange(taps * count).reshape(taps, count)
    flat = _with_zero(xp, xp.reshape(x, (*n.out.shape[:2], taps * count)))
    return xp.reshape(xp.sum(xp.take(flat, xp.constant(back[:, :-1]), 2), (2,)), n.out.shape)
