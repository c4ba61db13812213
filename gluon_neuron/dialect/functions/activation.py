"""Activations: elementwise functions of neural networks."""

from __future__ import annotations

import math
from typing import Any

from ...errors import DialectError
from ..dtypes import FLOATS
from ..strict_array import Array
from .unary import Unary


class Activation(Unary):
    """Floats in; the same shape and dtype out."""

    def relu(self, x: Array) -> Array:
        """max(x, 0)."""
        return self._unary("relu", x) if self._has("relu") else self.maximum(self._check("relu", x, FLOATS), 0.0)

    def prelu(self, x: Array, slope: Any) -> Array:
        """x where positive, else slope * x; `slope` is a scalar or an array that broadcasts to x."""
        x, slope = self.pair("prelu", x, slope, FLOATS)
        if self._broadcast_shape("prelu", x, slope) != x.shape:
            raise DialectError(f"prelu(): the slope {slope!r} does not broadcast to {x!r}.")
        if self._has("prelu"):
            return self._call("prelu", (x, slope))
        return self.where(self.greater(x, 0.0), x, self.multiply(x, slope))

    def elu(self, x: Array, alpha: float = 1.0) -> Array:
        """x where positive, else alpha * (exp(x) - 1)."""
        self._check("elu", x, FLOATS)
        if self._has("elu"):
            return self._call("elu", (x,), (float(alpha),))
        negative = self.multiply(self.expm1(self.minimum(x, 0.0)), alpha)
        return self.where(self.greater(x, 0.0), x, negative)

    def selu(self, x: Array) -> Array:
        """Self-normalising elu: 1.0507 * elu(x, 1.6733)."""
        return self.multiply(self.elu(x, 1.6732632423543772848170429916717), 1.0507009873554804934193349852946)

    def gelu(self, x: Array) -> Array:
        """x * P(X <= x) of a normal X, the erf form."""
        if self._has("gelu"):
            return self._unary("gelu", x)
        half = self.multiply(self.add(self.erf(self.multiply(x, math.sqrt(0.5))), 1.0), 0.5)
        return self.multiply(x, half)

    def softplus(self, x: Array) -> Array:
        """log(1 + exp(x)), without overflow."""
        if self._has("softplus"):
            return self._unary("softplus", x)
        return self.add(self.maximum(x, 0.0), self.log1p(self.exp(self.negative(self.abs(x)))))

    def softsign(self, x: Array) -> Array:
        """x / (1 + |x|)."""
        return self._unary("softsign", x) if self._has("softsign") else self.divide(x, self.add(self.abs(x), 1.0))

    def hard_sigmoid(self, x: Array, alpha: float, beta: float) -> Array:
        """alpha * x + beta, limited to 0..1."""
        self._check("hard_sigmoid", x, FLOATS)
        if self._has("hard_sigmoid"):
            return self._call("hard_sigmoid", (x,), (float(alpha), float(beta)))
        return self.clip(self.add(self.multiply(x, alpha), beta), 0.0, 1.0)
