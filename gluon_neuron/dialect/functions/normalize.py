"""Softmax and normalisation."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import DialectError
from ..dtypes import FLOATS
from ..strict_array import Array
from .reduce import Reduce
from .unary import Unary
from .window import Window


class Normalize(Unary, Reduce, Window):
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

    def local_response_norm(self, x: Array, size: int, alpha: float, beta: float, knorm: float) -> Array:
        """x / (knorm + alpha / size * sum of squares)**beta; the sum is over an odd `size` of channels (axis 1)."""
        self._check("local_response_norm", x, FLOATS)
        if x.ndim != 4 or size < 1 or size % 2 == 0:
            raise DialectError(f"local_response_norm() takes 4-d data and an odd size, not {x!r} and {size}.")
        if self._has("local_response_norm") and not x.known and knorm > 0:
            # knorm becomes 1, as OpenVINO takes integers only.
            y = self._call("local_response_norm", (x,), (size, alpha / knorm, float(beta)))
            return self.multiply(y, knorm**-beta)
        # The channels become a spatial axis, so that a pooling window slides over them.
        flat = self.reshape(self.square(x), (x.shape[0], 1, x.shape[1], x.shape[2] * x.shape[3]))
        total = self.sum_pool(flat, (size, 1), (1, 1), ((size // 2, size // 2), (0, 0)))
        scale = self.add(self.multiply(self.reshape(total, x.shape), alpha / size), knorm)
        return self.multiply(x, self.pow(scale, -beta))

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
