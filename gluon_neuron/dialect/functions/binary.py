"""Elementwise functions of two arrays, and choice, limits and casts."""

from __future__ import annotations

import math
from typing import Any

from ...errors import DialectError
from ..core import Core
from ..dtypes import BOOL, FLOATS, INTS, NUMBERS, SCALARS, Scalar, check_dtype, scalar
from ..strict_array import Array


class Binary(Core):
    """Two arrays of one dtype that broadcast as NumPy does, or an array and a scalar, which takes its dtype."""

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

    def bitwise_and(self, a: Any, b: Any) -> Array:
        """The bits that are set in both integers."""
        return self._binary("bitwise_and", a, b, INTS)

    def bitwise_or(self, a: Any, b: Any) -> Array:
        """The bits that are set in either integer."""
        return self._binary("bitwise_or", a, b, INTS)

    def bitwise_xor(self, a: Any, b: Any) -> Array:
        """The bits that are set in one of two integers."""
        return self._binary("bitwise_xor", a, b, INTS)

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
            raise DialectError(f"clip() needs lo <= hi, not {lo!r} and {hi!r}.")
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
