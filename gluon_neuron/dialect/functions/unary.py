"""Elementwise functions of one array."""

from __future__ import annotations

import math

from ..dtypes import BOOL, FLOATS, NUMBERS
from ..strict_array import Array
from .binary import Binary


class Unary(Binary):
    """One array in; the same shape and dtype out unless stated otherwise."""

    def _unary(self, name: str, x: Array, dtypes: frozenset[str] = FLOATS) -> Array:
        return self._call(name, (self._check(name, x, dtypes),))

    # ---- one array, also integers

    def abs(self, x: Array) -> Array:
        """|x|."""
        return self._unary("abs", x, NUMBERS)

    def negative(self, x: Array) -> Array:
        """-x."""
        return self._unary("negative", x, NUMBERS)

    def sign(self, x: Array) -> Array:
        """-1, 0 or 1."""
        return self._unary("sign", x, NUMBERS)

    def square(self, x: Array) -> Array:
        """x * x."""
        return self.multiply(x, x)

    # ---- one array of floats

    def floor(self, x: Array) -> Array:
        """Round down."""
        return self._unary("floor", x)

    def ceil(self, x: Array) -> Array:
        """Round up."""
        return self._unary("ceil", x)

    def trunc(self, x: Array) -> Array:
        """Round towards zero."""
        if self._has("trunc"):
            return self._unary("trunc", x)
        return self.multiply(self.sign(self._check("trunc", x, FLOATS)), self.floor(self.abs(x)))

    def round(self, x: Array) -> Array:
        """Round to the nearest, half to even."""
        return self._unary("round", x)

    def sqrt(self, x: Array) -> Array:
        """Square root."""
        return self._unary("sqrt", x)

    def rsqrt(self, x: Array) -> Array:
        """1 / sqrt(x)."""
        return self.divide(1.0, self.sqrt(x))

    def reciprocal(self, x: Array) -> Array:
        """1 / x."""
        return self.divide(1.0, x)

    def exp(self, x: Array) -> Array:
        """e ** x."""
        return self._unary("exp", x)

    def expm1(self, x: Array) -> Array:
        """exp(x) - 1, exact near 0."""
        if self._has("expm1"):
            return self._unary("expm1", x)
        return self.multiply(self.tanh(self.multiply(x, 0.5)), self.add(self.exp(x), 1.0))

    def log(self, x: Array) -> Array:
        """Natural logarithm."""
        return self._unary("log", x)

    def log1p(self, x: Array) -> Array:
        """log(1 + x), exact near 0."""
        if self._has("log1p"):
            return self._unary("log1p", x)
        near = self.less(self.abs(self._check("log1p", x, FLOATS)), 0.5)
        small = self.where(near, x, 0.0)
        series = self.multiply(self.atanh(self.divide(small, self.add(small, 2.0))), 2.0)
        return self.where(near, series, self.log(self.add(x, 1.0)))

    def log2(self, x: Array) -> Array:
        """Logarithm to base 2."""
        return self._unary("log2", x) if self._has("log2") else self.multiply(self.log(x), 1 / math.log(2))

    def log10(self, x: Array) -> Array:
        """Logarithm to base 10."""
        return self._unary("log10", x) if self._has("log10") else self.multiply(self.log(x), 1 / math.log(10))

    def sin(self, x: Array) -> Array:
        """Sine."""
        return self._unary("sin", x)

    def cos(self, x: Array) -> Array:
        """Cosine."""
        return self._unary("cos", x)

    def tan(self, x: Array) -> Array:
        """Tangent."""
        return self._unary("tan", x)

    def asin(self, x: Array) -> Array:
        """Inverse sine."""
        return self._unary("asin", x)

    def acos(self, x: Array) -> Array:
        """Inverse cosine."""
        return self._unary("acos", x)

    def atan(self, x: Array) -> Array:
        """Inverse tangent."""
        return self._unary("atan", x)

    def sinh(self, x: Array) -> Array:
        """Hyperbolic sine."""
        return self._unary("sinh", x)

    def cosh(self, x: Array) -> Array:
        """Hyperbolic cosine."""
        return self._unary("cosh", x)

    def tanh(self, x: Array) -> Array:
        """Hyperbolic tangent."""
        return self._unary("tanh", x)

    def asinh(self, x: Array) -> Array:
        """Inverse hyperbolic sine."""
        return self._unary("asinh", x)

    def acosh(self, x: Array) -> Array:
        """Inverse hyperbolic cosine."""
        return self._unary("acosh", x)

    def atanh(self, x: Array) -> Array:
        """Inverse hyperbolic tangent."""
        return self._unary("atanh", x)

    def erf(self, x: Array) -> Array:
        """Error function."""
        return self._unary("erf", x)

    def sigmoid(self, x: Array) -> Array:
        """1 / (1 + exp(-x))."""
        return self._unary("sigmoid", x)

    def isnan(self, x: Array) -> Array:
        """bool: whether x is not a number."""
        return self._call("isnan", (self._check("isnan", x, FLOATS),), (), "bool")

    def logical_not(self, x: Array) -> Array:
        """Not x, for bool."""
        return self._unary("logical_not", x, BOOL)
