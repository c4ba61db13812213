"""Neural-network functions of the array language: convolutions, pools, normalisation, resampling."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil, prod
from typing import Any

import numpy as np

from ..errors import DialectError
from .array import Array
from .base_shape import Reduce
from .core import _ints
from .dtypes import FLOATS, NUMBERS

Pads = tuple[tuple[int, int], ...]


class NeuralNet(Reduce):
    """Layout is N, C, spatial axes (one to three); pads are (low, high) per spatial axis."""

    # ---- checks of windows

    def _window(self, name: str, x: Array, kernel: tuple, stride: Any, pads: Any, dilate: Any) -> tuple:
        spatial = x.ndim - 2
        stride, dilate = _ints(stride), _ints(dilate)
        pads = tuple((index_pair[0], index_pair[1]) for index_pair in map(_ints, pads))
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

    def bias(self, x: Array, b: Array, axis: int = 1) -> Array:
        """x plus the vector b along `axis`."""
        return self.add(x, self._along(x, b, axis))

    def _along(self, x: Array, b: Array, axis: int) -> Array:
        self.pair("bias", x, b, NUMBERS)
        k = self._axis("bias", x, axis)
        if b.shape != (x.shape[k],):
            raise DialectError(f"{b!r} does not lie along axis {axis} of {x!r}.")
        return self.reshape(b, tuple(b.size if a == k else 1 for a in range(x.ndim)))

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
        extra = _ints(output_padding) if output_padding is not None else (0,) * len(kernel)
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
        kernel = _ints(kernel)
        stride, pads, dilate = self._window(name, x, kernel, stride, pads, (1,) * len(kernel))
        self._window_output(name, x, kernel, stride, pads, dilate)
        return self._call(name, (x,), (kernel, stride, pads))

    def avg_pool(self, x: Array, kernel: Any, stride: Any, pads: Any, count: Any = None) -> Array:
        """Sum of each window divided by `count`: a number or a known array of the output's spatial shape.

        Without a count every window is divided by its full size, pads included.
        """
        kernel = _ints(kernel)
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

    def adaptive_avg_pool(self, x: Array, size: Any) -> Array:
        """Mean over `size` cells per spatial axis; cell i is floor(i n / size) .. ceil((i + 1) n / size)."""
        self._check("adaptive_avg_pool", x, FLOATS)
        size = _ints(size)
        matrices = []
        for n, m in zip(x.shape[2:], size, strict=True):
            matrix = np.zeros((m, n))
            for i in range(m):
                lo, hi = i * n // m, ceil((i + 1) * n / m)
                matrix[i, lo:hi] = 1 / (hi - lo)
            matrices.append(matrix)
        return self._matrix_per_axis(x, matrices)

    def _matrix_per_axis(self, x: Array, matrices: Sequence[np.ndarray]) -> Array:
        """Multiply known matrices[k] (m, n) into spatial axis k."""
        for axis, matrix in enumerate(matrices, start=2):
            if matrix.shape[0] == matrix.shape[1] and (matrix == np.eye(len(matrix))).all():
                continue
            known = self.constant(matrix, x.dtype)
            after = x.shape[axis + 1 :]
            if not after:
                x = self.linear(x, known)
            else:
                # The axes behind become one, so that the product needs no transposition.
                flat = self.reshape(x, (*x.shape[: axis + 1], prod(after)))
                x = self.reshape(self.matmul(known, flat), (*x.shape[:axis], matrix.shape[0], *after))
        return x

    # ---- softmax and normalisation

    def softmax(self, x: Array, axis: int = -1) -> Array:
        """exp(x), scaled to sum 1 along `axis`."""
        k = self._axis("softmax", self._check("softmax", x, FLOATS), axis)
        if self._has("softmax"):
            return self._call("softmax", (x,), (k,))
        e = self.exp(self.subtract(x, self.max(x, (k,), True)))
        return self.divide(e, self.sum(e, (k,), True))

    def log_softmax(self, x: Array, axis: int = -1) -> Array:
        """Logarithm of the softmax, without underflow."""
        k = self._axis("log_softmax", self._check("log_softmax", x, FLOATS), axis)
        if self._has("log_softmax"):
            return self._call("log_softmax", (x,), (k,))
        z = self.subtract(x, self.max(x, (k,), True))
        return self.subtract(z, self.log(self.sum(self.exp(z), (k,), True)))

    def layer_norm(
        self, x: Array, axes: int | Iterable[int], eps: float, gamma: Array | None = None, beta: Array | None = None
    ) -> Array:
        """(x - mean) / sqrt(variance + eps) over `axes`, times gamma, plus beta, both of which broadcast to x.

        Also InstanceNorm (axes 2 and on) and GroupNorm (after a reshape).
        """
        found = self._axes("layer_norm", self._check("layer_norm", x, FLOATS), axes)
        if self._has("normalize"):
            y = self._call("normalize", (x,), (found, float(eps)))
        else:
            y = self.subtract(x, self.mean(x, found, True))
            y = self.divide(y, self.sqrt(self.add(self.mean(self.square(y), found, True), eps)))
        if gamma is not None:
            y = self.multiply(y, gamma)
        return y if beta is None else self.add(y, beta)

    def batch_norm(
        self,
        x: Array,
        gamma: Array | None,
        beta: Array | None,
        mean: Array,
        var: Array,
        eps: float,
        axis: int = 1,
    ) -> Array:
        """(x - mean) / sqrt(var + eps) * gamma + beta with given statistics, all vectors along `axis`."""
        k = self._axis("batch_norm", self._check("batch_norm", x, FLOATS), axis)
        if self._has("batch_norm") and k == 1 and gamma is not None and beta is not None:
            for vector in (gamma, beta, mean, var):
                self._along(x, vector, k)
            return self._call("batch_norm", (x, gamma, beta, mean, var), (float(eps),))
        scale = self.rsqrt(self.add(var, eps))
        if gamma is not None:
            scale = self.multiply(scale, gamma)
        shift = self.negative(self.multiply(mean, scale))
        if beta is not None:
            shift = self.add(shift, beta)
        return self.add(self.multiply(x, self._along(x, scale, k)), self._along(x, shift, k))

    # ---- resampling

    def resize_nearest(self, x: Array, factor: int | Sequence[int]) -> Array:
        """Repeat each element `factor` times along every spatial axis (one number, or one per axis)."""
        spatial = x.shape[2:]
        factors = (factor,) * len(spatial) if isinstance(factor, int) else _ints(factor)
        if len(factors) != len(spatial) or min(factors, default=1) < 1:
            raise DialectError(f"resize_nearest(): factors {factors} do not fit {x!r}.")
        if self._has("resize_nearest"):
            return self._call("resize_nearest", (self._check("resize_nearest", x, FLOATS),), (factors,))
        inner = [n for pair in zip(spatial, (1,) * len(spatial), strict=True) for n in pair]
        outer = [n for pair in zip(spatial, factors, strict=True) for n in pair]
        wide = self.broadcast_to(self.reshape(x, (*x.shape[:2], *inner)), (*x.shape[:2], *outer))
        return self.reshape(wide, (*x.shape[:2], *(n * f for n, f in zip(spatial, factors, strict=True))))

    def resize_linear(self, x: Array, size: Sequence[int], coords: Sequence[Any]) -> Array:
        """Linear interpolation: element i of spatial axis k is x at the known source position coords[k][i].

        Positions outside are clamped. Weights are known, so any alignment of corners is the rule's choice.
        """
        self._check("resize_linear", x, FLOATS)
        matrices = []
        for n, m, positions in zip(x.shape[2:], _ints(size), coords, strict=True):
            at = np.clip(np.asarray(self.known(positions) if isinstance(positions, Array) else positions), 0, n - 1)
            if at.shape != (m,):
                raise DialectError(f"resize_linear(): {at.shape} positions for an axis of size {m}.")
            low = np.minimum(np.floor(at).astype(int), max(n - 2, 0))
            matrix = np.zeros((m, n))
            rows = np.arange(m)
            matrix[rows, low] += 1 - (at - low)
            matrix[rows, np.minimum(low + 1, n - 1)] += at - low
            matrices.append(matrix)
        return self._matrix_per_axis(x, matrices)

    def grid_sample(self, x: Array, grid: Array) -> Array:
        """Bilinear samples of x[N, C, H, W] at grid[N, h, w, 2] = (x, y) in -1..1 (the outer elements' centres).

        Outside counts as 0, element by element.
        """
        self.pair("grid_sample", x, grid, FLOATS)
        if x.ndim != 4 or grid.ndim != 4 or grid.shape[-1] != 2 or grid.shape[0] != x.shape[0]:
            raise DialectError(f"grid_sample(): {grid!r} is no grid for {x!r}.")
        return self._call("grid_sample", (x, grid))

    def roi_align(
        self, x: Array, rois: Array, size: Sequence[int], scale: float, samples: int, aligned: bool = False
    ) -> Array:
        """Mean of bilinear samples in each of size[0] x size[1] cells of each region; result [n, C, *size].

        x is [N, C, H, W]; rois[n, 5] = (batch index, x1, y1, x2, y2) in units that `scale` brings to elements.
        `samples` per cell and axis; 0 means ceil(region size / cells). `aligned` shifts by half an element and
        lets regions be smaller than one element.
        """
        return self._roi("roi_align", x, rois, (tuple(_ints(size)), float(scale), int(samples), bool(aligned)))

    def roi_pool(self, x: Array, rois: Array, size: Sequence[int], scale: float) -> Array:
        """Largest element in each of size[0] x size[1] cells of each region, corners rounded; an empty cell is 0."""
        return self._roi("roi_pool", x, rois, (tuple(_ints(size)), float(scale)))

    def _roi(self, name: str, x: Array, rois: Array, params: tuple) -> Array:
        self.pair(name, x, rois, FLOATS)
        if x.ndim != 4 or rois.ndim != 2 or rois.shape[1] != 5:
            raise DialectError(f"{name}(): {x!r} with regions {rois!r}; it wants four axes and n x 5.")
        return self._call(name, (x, rois), params)


def _elements_inside(spatial: Sequence[int], kernel: tuple, stride: tuple, pads: Pads) -> np.ndarray:
    """For each window the number of its elements that are not padding."""
    counts = np.ones(())
    for n, k, s, (low, high) in zip(spatial, kernel, stride, pads, strict=True):
        starts = np.arange((n + low + high - k) // s + 1) * s - low
        inside = np.minimum(starts + k, n) - np.maximum(starts, 0)
        counts = counts[..., None] * np.maximum(inside, 0)
    return counts
