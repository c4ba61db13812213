"""Convolutions and pools."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ...errors import DialectError
from ..core import shape_of
from ..dtypes import FLOATS
from ..strict_array import Array
from .product import Product

Pads = tuple[tuple[int, int], ...]


class Window(Product):
    """Layout is N, C, spatial axes (one to three); pads are (low, high) per spatial axis."""

    # ---- checks of windows

    def _window(self, name: str, x: Array, kernel: tuple, stride: Any, pads: Any, dilate: Any) -> tuple:
        spatial = x.ndim - 2
        stride, dilate = shape_of(stride), shape_of(dilate)
        pads = tuple((index_pair[0], index_pair[1]) for index_pair in map(shape_of, pads))
        if spatial not in (1, 2, 3) or {len(kernel), len(stride), len(pads), len(dilate)} != {spatial}:
            raise DialectError(
                f"{name}(): kernel {kernel}, stride {stride}, pads {pads} and dilation {dilate} must each name the "
                f"one to three spatial axes of {x!r}."
            )
        if min(*kernel, *stride, *dilate) < 1:
            raise DialectError(f"{name}(): kernel {kernel}, stride {stride} and dilation {dilate} must be positive.")
        return stride, pads, dilate

    def _window_output(self, name: str, x: Array, kernel: tuple, stride: tuple, pads: Pads, dilate: tuple) -> tuple:
        size = tuple(
            (n + sum(p) - d * (k - 1) - 1) // s + 1
            for n, k, s, p, d in zip(x.shape[2:], kernel, stride, pads, dilate, strict=True)
        )
        if min(size) < 1:
            raise DialectError(
                f"{name}(): a window {kernel} (dilation {dilate}) is larger than {x!r} with pads {pads}."
            )
        return size

    # ---- convolutions

    def conv(self, x: Array, w: Array, stride: Any, pads: Any, dilate: Any, groups: int = 1) -> Array:
        """Convolution of x[N, I, ...] with w[O, I / groups, kernel...]."""
        self.pair("conv", x, w, FLOATS)
        kernel = w.shape[2:]
        stride, pads, dilate = self._window("conv", x, kernel, stride, pads, dilate)
        if w.shape[1] * groups != x.shape[1] or w.shape[0] % groups:
            raise DialectError(f"conv(): the weight {w!r} with {groups} groups does not fit {x!r}.")
        self._window_output("conv", x, kernel, stride, pads, dilate)
        return self._call("conv", (x, w), (stride, pads, dilate, groups))

    def conv_transpose(
        self, x: Array, w: Array, stride: Any, pads: Any, dilate: Any, groups: int = 1, output_padding: Any = None
    ) -> Array:
        """Transposed convolution of x[N, I, ...] with w[I, O / groups, kernel...].

        Each spatial size becomes (n - 1) * stride + dilate * (kernel - 1) + 1 + output_padding - low - high.
        """
        self.pair("conv_transpose", x, w, FLOATS)
        kernel = w.shape[2:]
        stride, pads, dilate = self._window("conv_transpose", x, kernel, stride, pads, dilate)
        extra = shape_of(output_padding) if output_padding is not None else (0,) * len(kernel)
        if w.shape[0] != x.shape[1] or x.shape[1] % groups or len(extra) != len(kernel):
            raise DialectError(f"conv_transpose(): the weight {w!r} with {groups} groups does not fit {x!r}.")
        return self._call("conv_transpose", (x, w), (stride, pads, dilate, groups, extra))

    # ---- pools

    def max_pool(self, x: Array, kernel: Any, stride: Any, pads: Any) -> Array:
        """Largest value of each window; a window wholly outside gives the lowest finite value."""
        return self._pool("max_pool", x, kernel, stride, pads)

    def sum_pool(self, x: Array, kernel: Any, stride: Any, pads: Any) -> Array:
        """Sum of each window, padded with zeros."""
        return self._pool("sum_pool", x, kernel, stride, pads)

    def _pool(self, name: str, x: Array, kernel: Any, stride: Any, pads: Any) -> Array:
        self._check(name, x, FLOATS)
        kernel = shape_of(kernel)
        stride, pads, dilate = self._window(name, x, kernel, stride, pads, (1,) * len(kernel))
        self._window_output(name, x, kernel, stride, pads, dilate)
        return self._call(name, (x,), (kernel, stride, pads))

    def avg_pool(self, x: Array, kernel: Any, stride: Any, pads: Any, count: Any = None) -> Array:
        """Sum of each window divided by `count`: a number or a known array of the output's spatial shape.

        Without a count every window is divided by its full size, pads included.
        """
        kernel = shape_of(kernel)
        stride, pads, dilate = self._window("avg_pool", x, kernel, stride, pads, (1,) * len(kernel))
        size = self._window_output("avg_pool", x, kernel, stride, pads, dilate)
        found = prod(kernel) if count is None else self.known(count) if isinstance(count, Array) else count
        counts = np.broadcast_to(np.asarray(found, np.float64), size)
        inside = _elements_inside(x.shape[2:], kernel, stride, pads)
        if self._has("avg_pool") and (counts == prod(kernel)).all():
            return self._call("avg_pool", (self._check("avg_pool", x, FLOATS),), (kernel, stride, pads, False))
        if self._has("avg_pool") and (counts == inside).all() and inside.min() > 0:
            return self._call("avg_pool", (self._check("avg_pool", x, FLOATS),), (kernel, stride, pads, True))
        return self.divide(self.sum_pool(x, kernel, stride, pads), self.constant(counts, x.dtype))


def _elements_inside(spatial: Sequence[int], kernel: tuple, stride: tuple, pads: Pads) -> np.ndarray:
    """For each window the number of its elements that are not padding."""
    counts = np.ones(())
    for n, k, s, (low, high) in zip(spatial, kernel, stride, pads, strict=True):
        starts = np.arange((n + low + high - k) // s + 1) * s - low
        inside = np.minimum(starts + k, n) - np.maximum(starts, 0)
        counts = counts[..., None] * np.maximum(inside, 0)
    return counts
