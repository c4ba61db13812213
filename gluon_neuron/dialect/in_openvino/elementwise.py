"""Elementwise functions in OpenVINO: each takes the builder, OpenVINO outputs, then parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .builder import TYPES


def _named(operator: str) -> Callable[..., Any]:
    return lambda op, *inputs: getattr(op, operator)(*inputs)


def absolute(op: Any, x: Any) -> Any:
    """Of a weight in half precision that was converted, OpenVINO's own leaves the sign."""
    node = x.get_node() if hasattr(x, "get_node") else x
    if node.get_type_name() == "Convert" and node.input(0).get_element_type().get_type_name() in ("f16", "bf16"):
        return op.maximum(x, op.negative(x))
    return op.abs(x)


def trunc_divide(op: Any, a: Any, b: Any) -> Any:
    """From magnitudes: OpenVINO truncates when it runs a division, but rounds down when it folds a constant one."""
    magnitude = op.divide(op.abs(a), op.abs(b))
    return op.multiply(magnitude, op.multiply(op.sign(a), op.sign(b)))


# An order as a statement about the larger operand: a <= b says that it is operand 1, a < b that it is not operand 0.
_ORDERS = {"less_equal": (1, True), "greater_equal": (0, True), "greater": (1, False), "less": (0, False)}


def compare(operator: str) -> Callable[..., Any]:
    """OpenVINO compares integers as float32, exact only up to 2**24, but it finds the larger of two exactly.

    Two are equal when their difference is 0, even where it wraps; its sign would be wrong there.
    """

    def comparison(op: Any, a: Any, b: Any) -> Any:
        if a.get_element_type() not in (op.ov.Type.i32, op.ov.Type.i64):
            return getattr(op, operator)(a, b)
        side, same = _ORDERS.get(operator, (1, operator == "equal"))
        larger = op.maximum(a, b) if operator in _ORDERS else a
        difference = op.subtract(larger, (a, b)[side])
        return getattr(op, "equal" if same else "not_equal")(difference, op.like(0, difference.output(0)))

    return comparison


def remainder(op: Any, a: Any, b: Any) -> Any:
    """OpenVINO's own for integers. Of floats it would lose a's digits: it is off by 1e-7 times a, not times b."""
    kind = a.get_element_type().get_type_name()
    if kind not in ("f16", "bf16", "f32", "f64"):
        return op.floor_mod(a, b)
    x, y = (v if kind == "f32" else op.convert(v, "f32") for v in (a, b))
    zero = op.const(0, "float32")
    size = absolute(op, y)
    rest = _rest(op, absolute(op, x), size)
    apart = op.logical_xor(op.less(x, zero), op.less(y, zero))
    rest = op.select(op.logical_and(apart, op.not_equal(rest, zero)), op.subtract(size, rest), rest)
    rest = op.select(op.less(y, zero), op.negative(rest), rest)
    return rest if kind == "f32" else op.convert(rest, kind)


_STEPS = (2.0**22, 2.0**11, 1.0)
_SPLITTER = 2.0**12 + 1
_VAST = 2.0**100


def _rest(op: Any, x: Any, y: Any) -> Any:
    """x modulo y, both positive: exact up to a quotient of 2**33, and beyond that some number from 0 to y.

    Long division by y times 2**22, 2**11 and 1. A digit of the quotient has 12 bits and y is split into two halves of
    12 bits (G. W. Veltkamp's splitting, as in T. J. Dekker's "A floating-point technique for extending the available
    precision"), so that their products are exact, and so are the differences. A digit that was rounded is off by one.
    """

    def const(value: float) -> Any:
        return op.const(value, "float32")

    scale = op.select(op.greater(y, const(_VAST)), const(2.0**-40), const(1))
    rest, unit = op.multiply(x, scale), op.multiply(y, scale)
    split = op.multiply(unit, const(_SPLITTER))
    high = op.subtract(split, op.subtract(split, unit))
    low = op.subtract(unit, high)
    for step in _STEPS:
        times = [op.multiply(part, const(step)) for part in (unit, high, low)]
        digit = op.floor(op.divide(rest, times[0]))
        for part in times[1:]:
            rest = op.subtract(rest, op.multiply(digit, part))
        rest = op.select(op.less(rest, const(0)), op.add(rest, times[0]), rest)
        rest = op.select(op.greater_equal(rest, times[0]), op.subtract(rest, times[0]), rest)
    outside = op.logical_or(op.less(rest, const(0)), op.greater_equal(rest, unit))
    rest = op.divide(op.select(outside, const(0), rest), scale)
    # A small x would lose digits to the scale. Of an infinite one, and of NaN, there is no remainder.
    return op.add(op.select(op.less(x, y), x, rest), op.subtract(x, x))


def where(op: Any, cond: Any, a: Any, b: Any) -> Any:
    """Of integers bit by bit: OpenVINO joins a choice with the comparison it hangs on, and computes that in float32."""
    if a.get_element_type() != op.ov.Type.i32:
        return op.select(cond, a, b)
    mask = op.negative(op.convert(cond, TYPES["int32"]))
    return op.bitwise_xor(op.bitwise_and(op.bitwise_xor(a, b), mask), b)


def prelu(op: Any, x: Any, slope: Any) -> Any:
    """A slope of fewer axes would be taken along axis 1; the language broadcasts it from the last axis."""
    shape = list(slope.get_shape())
    ndim = len(x.get_shape())
    if len(shape) < ndim:
        slope = op.reshape(slope, op.const([1] * (ndim - len(shape)) + shape), False)
    return op.prelu(x, slope)


def softplus(op: Any, x: Any) -> Any:
    """max(x, 0) - log(sigmoid(|x|)).

    OpenVINO's own operator, into which it also turns log(1 + exp(x)), is off by 2e-6 and not always positive.
    """
    return op.subtract(op.relu(x), op.log(op.sigmoid(absolute(op, x))))


def half(op: Any, x: Any, which: int) -> Any:
    """The lower (0) or the upper (1) halves of 64-bit integers, which lie along the last axis."""
    return op.gather(x, op.const(which), op.const(-1))


def narrow_halves(op: Any, x: Any, lo: int, hi: int) -> Any:
    """The lower halves, limited, where the upper ones only repeat their sign; else the limit on the number's side."""
    low, high = half(op, x, 0), half(op, x, 1)
    zero, least, greatest = op.const(0), op.const(lo), op.const(hi)
    fits = op.equal(high, op.select(op.less(low, zero), op.const(-1), zero))
    limited = op.minimum(op.maximum(low, least), greatest)
    return op.select(fits, limited, op.select(op.less(high, zero), least, greatest))


KERNELS: Mapping[str, Callable[..., Any]] = {
    **{
        name: _named(name)
        for name in (
            *("negative", "sign", "floor", "sqrt", "exp", "log", "sin", "cos", "tan", "asin", "acos", "atan"),
            *("sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "sigmoid", "logical_not", "relu", "softsign"),
            *("add", "subtract", "multiply", "divide", "maximum", "minimum", "elu"),
            *("logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor"),
        )
    },
    **{name: compare(name) for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")},
    "abs": absolute,
    "ceil": _named("ceiling"),
    "round": lambda op, x: op.round(x, "half_to_even"),
    "isnan": _named("is_nan"),
    "trunc_divide": trunc_divide,
    "remainder": remainder,
    "pow": _named("power"),
    "where": where,
    # Integers beyond 2**24 are clamped as float32, also when written as minimum and maximum.
    "clip": _named("clamp"),
    "astype": lambda op, x, dtype: op.convert(x, TYPES[dtype]),
    "narrow": lambda op, x, lo, hi: op.convert(op.clamp(x, lo, hi), TYPES["int32"]),
    "prelu": prelu,
    "gelu": lambda op, x: op.gelu(x, "erf"),
    "softplus": softplus,
}

OF_HALVES: Mapping[str, Callable[..., Any]] = {
    "astype": lambda op, x, dtype: half(op, x, 0),
    "narrow": narrow_halves,
}
"""What int64 numbers can become that are known as two halves."""
