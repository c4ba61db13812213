"""Elementwise functions in OpenVINO: each takes the builder, OpenVINO outputs, then parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .openvino_builder import TYPES


def _named(operator: str) -> Callable[..., Any]:
    return lambda op, *inputs: getattr(op, operator)(*inputs)


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
    return op.subtract(op.relu(x), op.log(op.sigmoid(op.abs(x))))


KERNELS: Mapping[str, Callable[..., Any]] = {
    **{
        name: _named(name)
        for name in (
            *("abs", "negative", "sign", "floor", "sqrt", "exp", "log", "sin", "cos", "tan", "asin", "acos", "atan"),
            *("sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "sigmoid", "logical_not", "relu", "softsign"),
            *("add", "subtract", "multiply", "divide", "maximum", "minimum", "elu"),
            *("logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor"),
        )
    },
    **{name: compare(name) for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")},
    "ceil": _named("ceiling"),
    "round": lambda op, x: op.round(x, "half_to_even"),
    "isnan": _named("is_nan"),
    "trunc_divide": trunc_divide,
    "remainder": _named("floor_mod"),
    "pow": _named("power"),
    "where": where,
    # Integers beyond 2**24 are clamped as float32, also when written as minimum and maximum.
    "clip": _named("clamp"),
    "astype": lambda op, x, dtype: op.convert(x, TYPES[dtype]),
    "prelu": prelu,
    "gelu": lambda op, x: op.gelu(x, "erf"),
    "softplus": softplus,
}
