"""Elementwise operators with a number in an attribute: _plus_scalar and the like, clip, smooth_l1."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

from ..graph.graph import Node
from .binary import FUNCTIONS, Function
from .registry import ANY, FLOATS, INTS, NUMBERS, rule


def _flipped(function: Function) -> Function:
    return lambda xp, a, b: function(xp, b, a)


def _value(n: Node) -> float | int:
    """The scalar as the result's dtype has it: MXNet truncates it for integers."""
    scalar = n.attrs.number("scalar", 1.0)
    return scalar if n.out.dtype in FLOATS else int(scalar)


def _fits(n: Node) -> str | None:
    """Refuse a scalar that is NaN, or that the dtype cannot hold."""
    scalar = n.attrs.number("scalar", 1.0)
    if math.isnan(scalar):
        return "its scalar is not a number"
    if n.out.dtype in INTS:
        limits = np.iinfo(n.out.dtype)
        if not limits.min <= scalar <= limits.max:
            return f"its scalar {scalar:g} does not fit {n.out.dtype}"
    return None


def _divisor(n: Node) -> str | None:
    """Refuse a division of integers by 0, and a scalar that the dtype cannot hold."""
    if n.out.dtype in INTS and not _fits(n) and _value(n) == 0:
        return f"it divides {n.out.dtype} by 0"
    return _fits(n)


def _exponent(n: Node) -> str | None:
    """Refuse a negative exponent of integers, and one that the dtype cannot hold."""
    if n.out.dtype in INTS and n.attrs.number("scalar", 1.0) < 0:
        return f"it has a negative exponent of {n.out.dtype}"
    return _fits(n)


def _finite(n: Node) -> str | None:
    """Refuse a scalar that is infinite in the dtype."""
    # In float16 a large number is infinite too.
    if abs(n.attrs.number("scalar", 1.0)) > (65504 if n.out.dtype == "float16" else sys.float_info.max):
        return f"its scalar is infinite in {n.out.dtype}"
    return _fits(n)


def _register(
    function: Function, dtypes: frozenset[str], names: tuple[str, ...], refuse: Any = _fits, exact_int32: bool = True
) -> None:
    @rule(*names, refuse=refuse, dtypes=dtypes, exact_int32=exact_int32)
    def build(xp: Any, n: Node, x: Any) -> Any:
        # Of integers with is_int=0 the result is float64, of bool it is int64.
        return function(xp, xp.astype(x, n.out.dtype), _value(n))


_OF = {key: function for key, (function, _, _) in FUNCTIONS.items()}
_register(_OF["add"], ANY, ("_plus_scalar", "_PlusScalar", "_npi_add_scalar"))
_register(_OF["sub"], ANY, ("_minus_scalar", "_MinusScalar", "_npi_subtract_scalar"))
_register(_flipped(_OF["sub"]), ANY, ("_rminus_scalar", "_RMinusScalar", "_npi_rsubtract_scalar"))
_register(_OF["mul"], ANY, ("_mul_scalar", "_MulScalar", "_npi_multiply_scalar"))
_register(_OF["div"], ANY, ("_div_scalar", "_DivScalar"), _divisor, exact_int32=False)
_register(_flipped(_OF["div"]), ANY, ("_rdiv_scalar", "_RDivScalar"), exact_int32=False)
# These give float32 for integers, so that the scalar keeps its fraction and may be 0.
_register(_OF["div"], ANY, ("_npi_true_divide_scalar",))
_register(_flipped(_OF["div"]), ANY, ("_npi_rtrue_divide_scalar",))
_register(_OF["mod"], ANY, ("_mod_scalar", "_ModScalar", "_npi_mod_scalar"), _finite, exact_int32=False)
_register(_flipped(_OF["mod"]), ANY, ("_rmod_scalar", "_RModScalar", "_npi_rmod_scalar"), _finite, exact_int32=False)
_register(_OF["power"], ANY, ("_power_scalar", "_PowerScalar", "_npi_power_scalar"), _exponent, exact_int32=False)
_register(_flipped(_OF["power"]), FLOATS, ("_rpower_scalar", "_RPowerScalar", "_npi_rpower_scalar"), exact_int32=False)
_register(_OF["hypot"], FLOATS, ("_hypot_scalar", "_HypotScalar", "_npi_hypot_scalar"), _finite)
_register(_OF["maximum"], ANY, ("_maximum_scalar", "_MaximumScalar", "_npi_maximum_scalar"), exact_int32=False)
_register(_OF["minimum"], ANY, ("_minimum_scalar", "_MinimumScalar", "_npi_minimum_scalar"), exact_int32=False)
_register(_OF["equal"], ANY, ("_equal_scalar", "_EqualScalar"))
_register(_OF["not_equal"], ANY, ("_not_equal_scalar", "_NotEqualScalar"))
_register(_OF["greater"], ANY, ("_greater_scalar", "_GreaterScalar"))
_register(_OF["greater_equal"], ANY, ("_greater_equal_scalar", "_GreaterEqualScalar"))
_register(_OF["lesser"], ANY, ("_lesser_scalar", "_LesserScalar"))
_register(_OF["lesser_equal"], ANY, ("_lesser_equal_scalar", "_LesserEqualScalar"))
_register(_OF["logical_and"], ANY, ("_logical_and_scalar", "_LogicalAndScalar"))
_register(_OF["logical_or"], ANY, ("_logical_or_scalar", "_LogicalOrScalar"))
_register(_OF["logical_xor"], ANY, ("_logical_xor_scalar", "_LogicalXorScalar"))


def _limits(n: Node) -> tuple[float, float]:
    """a_min and a_max, for integers limited to what the dtype can hold."""
    lo, hi = n.attrs.single("a_min"), n.attrs.single("a_max")
    if n.out.dtype in INTS:
        limits = np.iinfo(n.out.dtype)
        return max(lo, limits.min), min(hi, limits.max)
    return lo, hi


def _clip(n: Node) -> str | None:
    """Refuse bounds that are NaN, or that the integers of the dtype do not reach."""
    given, (lo, hi) = (n.attrs.number("a_min"), n.attrs.number("a_max")), _limits(n)
    limits = np.iinfo(n.out.dtype) if n.out.dtype in INTS else None
    held = limits is None or all(limits.min <= bound <= limits.max for bound in given)
    if (given[0] <= given[1] and lo <= hi) or (given[0] > given[1] and held):
        return None
    return f"a_min={n.attrs['a_min']} and a_max={n.attrs['a_max']} leave no value of {n.out.dtype} between them"


@rule("clip", "_npi_clip", refuse=_clip, dtypes=NUMBERS, exact_int32=False)
def clip(xp: Any, n: Node, x: Any) -> Any:
    """x limited to a_min..a_max, either of which may be infinite. Of crossed bounds a_max is tested first."""
    lo, hi = _limits(n)
    if lo <= hi:
        return xp.clip(x, lo, hi) if x.dtype in FLOATS else xp.clip(x, int(lo), int(hi))
    if x.dtype in FLOATS:
        return xp.where(xp.greater(x, hi), hi, xp.maximum(x, lo))
    # The bounds are compared as they are, and cut off where they become the result.
    return xp.where(xp.greater(x, math.floor(hi)), int(hi), xp.where(xp.less(x, math.ceil(lo)), int(lo), x))


@rule("smooth_l1", "_npx_smooth_l1")
def smooth_l1(xp: Any, n: Node, x: Any) -> Any:
    """(s * x) ** 2 / 2 where |x| < 1 / s ** 2, else |x| - 1 / (2 * s ** 2)."""
    square = n.attrs.single("scalar", 1.0) ** 2
    parabola = xp.multiply(xp.square(x), 0.5 * square)
    if square == 0:
        return parabola
    distance = xp.abs(x)
    return xp.where(xp.less(distance, 1 / square), parabola, xp.subtract(distance, 0.5 / square))
