"""Elementwise functions in jax: each takes jax.lax, jax arrays, then parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def broadcast(lax: Any, *arrays: Any) -> list[Any]:
    """The arrays in their common shape, which lax needs before anything else."""
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    return [broadcast_to(lax, a, shape) for a in arrays]


def broadcast_to(lax: Any, x: Any, shape: tuple[int, ...]) -> Any:
    """Axes are aligned at the last one."""
    if x.shape == shape:
        return x
    return lax.broadcast_in_dim(x, shape, tuple(range(len(shape) - x.ndim, len(shape))))


def like(lax: Any, value: Any, x: Any) -> Any:
    """An array of one value with the shape and dtype of x."""
    return lax.full(x.shape, value, x.dtype)


def is_float(x: Any) -> bool:
    """Whether an array holds floats; bfloat16 is not one of NumPy's own."""
    return x.dtype.kind not in "biu"


def _unary(operator: str) -> Callable[..., Any]:
    return lambda lax, x: getattr(lax, operator)(x)


def _binary(operator: str) -> Callable[..., Any]:
    return lambda lax, a, b: getattr(lax, operator)(*broadcast(lax, a, b))


def round_(lax: Any, x: Any) -> Any:
    """Half to even."""
    return lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN)


def remainder(lax: Any, a: Any, b: Any) -> Any:
    """With the sign of the divisor; lax has that of the dividend."""
    a, b = broadcast(lax, a, b)
    rest = lax.rem(a, b)
    zero = like(lax, 0, a)
    wrong = lax.bitwise_and(lax.ne(rest, zero), lax.ne(lax.lt(rest, zero), lax.lt(b, zero)))
    return lax.select(wrong, lax.add(rest, b), rest)


def pow_(lax: Any, a: Any, b: Any) -> Any:
    """Of integers by squaring: lax has no such power, and neuronx-cc none of int64."""
    a, b = broadcast(lax, a, b)
    if is_float(a):
        return lax.pow(a, b)
    one, zero = like(lax, 1, a), like(lax, 0, a)
    result = one
    bits = a.dtype.itemsize * 8 - (a.dtype.kind == "i")
    for bit in range(bits):
        # The sign bit is never set, so that an and with one bit tells.
        set_ = lax.ne(lax.bitwise_and(b, like(lax, 1 << bit, b)), zero)
        result = lax.mul(result, lax.select(set_, a, one))
        if bit + 1 < bits:
            a = lax.mul(a, a)
    return result


def where(lax: Any, cond: Any, a: Any, b: Any) -> Any:
    """Choice, element by element."""
    return lax.select(*broadcast(lax, cond, a, b))


def clip(lax: Any, x: Any, lo: Any, hi: Any) -> Any:
    """Between two scalars."""
    return lax.clamp(np.asarray(lo, x.dtype), x, np.asarray(hi, x.dtype))


def astype(lax: Any, x: Any, dtype: str) -> Any:
    """From floats to 8-bit integers through 32 bits, so that what does not fit wraps, as MXNet has it."""
    if is_float(x) and dtype in ("int8", "uint8"):
        x = lax.convert_element_type(x, "int32")
    return lax.convert_element_type(x, dtype)


KERNELS: Mapping[str, Callable[..., Any]] = {
    **{
        name: _unary(name)
        for name in (
            *("floor", "ceil", "sign", "sqrt", "exp", "expm1", "log", "log1p", "sin", "cos", "asin", "acos", "atan"),
            *("sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf"),
        )
    },
    "abs": lambda lax, x: x if x.dtype.kind == "u" else lax.abs(x),
    "negative": _unary("neg"),
    "round": round_,
    # Not all versions of XLA have a tangent of their own.
    "tan": lambda lax, x: lax.div(lax.sin(x), lax.cos(x)),
    "sigmoid": _unary("logistic"),
    "isnan": lambda lax, x: lax.ne(x, x),
    "logical_not": _unary("bitwise_not"),
    "add": _binary("add"),
    "subtract": _binary("sub"),
    "multiply": _binary("mul"),
    "divide": _binary("div"),
    "trunc_divide": _binary("div"),
    "remainder": remainder,
    "pow": pow_,
    "maximum": _binary("max"),
    "minimum": _binary("min"),
    "equal": _binary("eq"),
    "not_equal": _binary("ne"),
    "less": _binary("lt"),
    "less_equal": _binary("le"),
    "greater": _binary("gt"),
    "greater_equal": _binary("ge"),
    **{
        f"{kind}_{name}": _binary(f"bitwise_{name}") for kind in ("logical", "bitwise") for name in ("and", "or", "xor")
    },
    "where": where,
    "clip": clip,
    "astype": astype,
    "narrow": lambda lax, x, lo, hi: lax.convert_element_type(clip(lax, x, lo, hi), "int32"),
}
