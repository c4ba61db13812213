"""Resampling: resizing, and means over cells."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, prod
from typing import Any

import numpy as np

from ...errors import CompileError, DialectError
from ..core import shape_of
from ..dtypes import FLOATS
from ..strict_array import Array
from .product import Product

MOST_ELEMENTS = 1 << 23
"""Of a table in a program for any shape; none larger is looked at."""


class Resample(Product):
    """Layout is N, C, spatial axes."""

    def adaptive_avg_pool(self, x: Array, size: Any) -> Array:
        """Mean over `size` cells per spatial axis; cell i is floor(i n / size) .. ceil((i + 1) n / size)."""
        self._check("adaptive_avg_pool", x, FLOATS)
        size = shape_of(size)
        matrices = []
        for n, m in zip(x.shape[2:], size, strict=True):
            matrix = self._zeros(m, n)
            for i in range(m):
                lo, hi = i * n // m, ceil((i + 1) * n / m)
                matrix[i, lo:hi] = 1 / (hi - lo)
            matrices.append(matrix)
        return self._matrix_per_axis(x, matrices)

    def _zeros(self, m: int, n: int) -> np.ndarray:
        """A matrix to be filled in. One for any shape is a table of the program's, and is not to be the most of it."""
        if self.any_shape and m * n > MOST_ELEMENTS:
            raise CompileError(f"resampling {n} to {m} takes a matrix of {m * n} elements")
        return np.zeros((m, n))

    def _matrix_per_axis(self, x: Array, matrices: Sequence[np.ndarray]) -> Array:
        """Multiply known matrices[k] (m, n) into spatial axis k."""
        for axis, matrix in enumerate(matrices, start=2):
            if not self.any_shape and matrix.shape[0] == matrix.shape[1] and (matrix == np.eye(len(matrix))).all():
                continue
            known = self.constant(matrix, x.dtype)
            after = x.shape[axis + 1 :]
            if not after:
                x = self.matmul(x, known, transpose_b=True, exact=True)
            else:
                # The axes behind become one, so that the product needs no transposition.
                flat = self.reshape(x, (*x.shape[: axis + 1], prod(after)))
                x = self.reshape(self.matmul(known, flat, exact=True), (*x.shape[:axis], matrix.shape[0], *after))
        return x

    def resize_nearest(self, x: Array, factor: int | Sequence[int]) -> Array:
        """Repeat each element `factor` times along every spatial axis (one number, or one per axis)."""
        spatial = x.shape[2:]
        factors = (factor,) * len(spatial) if isinstance(factor, int) else shape_of(factor)
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
        for n, m, positions in zip(x.shape[2:], shape_of(size), coords, strict=True):
            at = np.clip(np.asarray(self.known(positions) if isinstance(positions, Array) else positions), 0, n - 1)
            if at.shape != (m,):
                raise DialectError(f"resize_linear(): {at.shape} positions for an axis of size {m}.")
            low = np.minimum(np.floor(at).astype(int), max(n - 2, 0))
            matrix = self._zeros(m, n)
            rows = np.arange(m)
            matrix[rows, low] += 1 - (at - low)
            matrix[rows, np.minimum(low + 1, n - 1)] += at - low
            matrices.append(matrix)
        return self._matrix_per_axis(x, matrices)
