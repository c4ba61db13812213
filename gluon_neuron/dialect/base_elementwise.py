"""Elementwise functions of the array language: arithmetic, comparisons, casts, activations without state."""

from __future__ import annotations

import math
from typing import Any

from ..errors import DialectError
from .array import Array
from .core import Core
from .dtypes import BOOL, FLOATS, INTS, NUMBERS, SCALARS, Scalar, check_dtype, scalar


class Elementwise(Core):
    """One array in, the same shape and dtype out unless said; two arrays have one dtype and broadcast as NumPy does."""

    def _unary(self, name: str, x: Array, dtypes: frozenset[str] = FLOATS) -> Array:
        return self._call(name, (self._check(name, x, dtypes),))

    def _binary(self, name: str, a: Any, b: Any, dtypes: frozenset[str], result: str | None = None) -> Array:
        a, b = self.pair(name, a, b, dtypes)
        self._broadcast_shape(name, a, b)
        return self._call(name, (a, b), (), result)

    def _broadcast_shape(self, name: str, *arrays: Array) -> tuple[int, ...]:
        shape: list[int] = []
        for k in range(1, max(a.ndim for a in arrays) + 1):
            sizes = {a.shape[-k] for a in arrays if a.ndim >= k} - {1}
            if len(sizes) > 1:
                raise DialectError(f"{name}(): {', '.join(map(repr, arrays))} do not broadcast.")
            shape.append(sizes.pop() if sizes else 1)
        return tuple(reversed(shape))

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

    # ---- two arrays, or an array and a scalar

    def add(self, a: Any, b: Any) -> Array:
        """a + b; integers wrap (a target may refuse 8-bit ones)."""
        return self._binary("add", a, b, NUMBERS)

    def subtract(self, a: Any, b: Any) -> Array:
        """a - b."""
        return self._binary("subtract", a, b, NUMBERS)

    def multiply(self, a: Any, b: Any) -> Array:
        """a * b."""
        return self._binary("multiply", a, b, NUMBERS)

    def divide(self, a: Any, b: Any) -> Array:
        """a / b, floats only; integers have trunc_divide."""
        return self._binary("divide", a, b, FLOATS)

    def trunc_divide(self, a: Any, b: Any) -> Array:
        """a / b of integers, towards zero as in C; b must not be 0."""
        return self._binary("trunc_divide", a, b, INTS)

    def remainder(self, a: Any, b: Any) -> Array:
        """a modulo b with the sign of b; b must not be 0, nor infinite."""
        return self._binary("remainder", a, b, NUMBERS)

    def pow(self, a: Any, b: Any) -> Array:
        """a ** b; an integer's exponent must not be negative."""
        if isinstance(b, SCALARS) and isinstance(a, Array) and a.dtype in INTS and b < 0:  # type: ignore[operator]
            raise DialectError(f"pow(): {a!r} to the power of {b!r}; integers have no negative powers.")
        return self._binary("pow", a, b, NUMBERS)

    def maximum(self, a: Any, b: Any) -> Array:
        """The larger one; nothing is promised for NaN."""
        return self._binary("maximum", a, b, NUMBERS)

    def minimum(self, a: Any, b: Any) -> Array:
        """The smaller one; nothing is promised for NaN."""
        return self._binary("minimum", a, b, NUMBERS)

    def equal(self, a: Any, b: Any) -> Array:
        """bool: a == b."""
        return self._binary("equal", a, b, NUMBERS | BOOL, "bool")

    def not_equal(self, a: Any, b: Any) -> Array:
        """bool: a != b."""
        return self._binary("not_equal", a, b, NUMBERS | BOOL, "bool")

    def less(self, a: Any, b: Any) -> Array:
        """bool: a < b."""
        return self._binary("less", a, b, NUMBERS, "bool")

    def less_equal(self, a: Any, b: Any) -> Array:
        """bool: a <= b."""
        return self._binary("less_equal", a, b, NUMBERS, "bool")

    def greater(self, a: Any, b: Any) -> Array:
        """bool: a > b."""
        return self._binary("greater", a, b, NUMBERS, "bool")

    def greater_equal(self, a: Any, b: Any) -> Array:
        """bool: a >= b."""
        return self._binary("greater_equal", a, b, NUMBERS, "bool")

    def logical_and(self, a: Any, b: Any) -> Array:
        """a and b, for bool."""
        return self._binary("logical_and", a, b, BOOL)

    def logical_or(self, a: Any, b: Any) -> Array:
        """a or b, for bool."""
        return self._binary("logical_or", a, b, BOOL)

    def logical_xor(self, a: Any, b: Any) -> Array:
        """Either a or b, for bool."""
        return self._binary("logical_xor", a, b, BOOL)

    def where(self, cond: Array, a: Any, b: Any) -> Array:
        """a where `cond` (bool) holds, else b; all three broadcast."""
        self._check("where", cond, BOOL)
        a, b = self.pair("where", a, b)
        self._broadcast_shape("where", cond, a, b)
        return self._call("where", (cond, a, b), (), a.dtype)

    def clip(self, x: Array, lo: Scalar, hi: Scalar) -> Array:
        """x limited to lo..hi: known scalars, lo <= hi, either may be infinite for floats."""
        self._check("clip", x, NUMBERS)
        if not lo <= hi:
            raise DialectError(f"clip() wants lo <= hi, not {lo!r} and {hi!r}.")
        if self._has("clip") and math.isfinite(lo) and math.isfinite(hi):
            return self._call("clip", (x,), (scalar(lo, x.dtype), scalar(hi, x.dtype)))
        if lo != -math.inf:
            x = self.maximum(x, lo)
        return x if hi == math.inf else self.minimum(x, hi)

    def astype(self, x: Array, dtype: str) -> Array:
        """x in another dtype, promised for values that fit; float to integer truncates, to bool means "not 0"."""
        check_dtype(dtype)
        if self._check("astype", x).dtype == dtype:
            return x
        return self.not_equal(x, 0) if dtype == "bool" else self._call("astype", (x,), (dtype,), dtype)

    # ---- activations

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
