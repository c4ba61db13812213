"""Softmax and normalisation."""

from __future__ import annotations

from collections.abc import Iterable

from .array import Array
from .base_product import Product
from .base_reduce import Reduce
from .base_unary import Unary
from .dtypes import FLOATS


class Normalize(Unary, Reduce, Product):
    """Floats in; the same shape and dtype out."""

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
