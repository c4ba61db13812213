"""Elementwise arithmetic of mx.np, where dtypes may mix, and its functions of two floats."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ...graph.graph import Node
from ..binary import Function, divide, mod
from ..common import first_of, same_dtypes
from ..registry import ANY, FLOATS, rule


def _dtypes(n: Node) -> tuple[str, str]:
    return n.in_spec(0).dtype, n.in_spec(1).dtype


def _mixed_integers(n: Node) -> str | None:
    """Of different dtypes without a float among them MXNet has subtract, mod and true_divide on paper only."""
    a, b = _dtypes(n)
    if a != b and not {a, b} & FLOATS:
        return f"MXNet does not compute {n.op} of {a} and {b}"
    return None


def _mixed_floats(n: Node) -> str | None:
    """Refuse floats of two kinds."""
    a, b = _dtypes(n)
    if a != b and {a, b} <= FLOATS:
        return f"MXNet does not compute {n.op} of {a} and {b}"
    return None


def _signs(n: Node) -> str | None:
    """Refuse int8 with uint8."""
    if set(_dtypes(n)) == {"int8", "uint8"}:
        return f"MXNet does not compute {n.op} of int8 and uint8"
    return None


def _floating(n: Node) -> str | None:
    """Refuse integer results."""
    if n.out.dtype not in FLOATS:
        return f"{n.op} of integers is not compiled; cast to a floating-point dtype first"
    return None


def _arithmetic(name: str, function: Function, refuse: Any, exact_int32: bool = True) -> None:
    @rule(name, refuse=refuse, dtypes=ANY, exact_int32=exact_int32)
    def build(xp: Any, n: Node, a: Any, b: Any) -> Any:
        return function(xp, xp.astype(a, n.out.dtype), xp.astype(b, n.out.dtype))


def _add(xp: Any, a: Any, b: Any) -> Any:
    return xp.logical_or(a, b) if a.dtype == "bool" else xp.add(a, b)


def _multiply(xp: Any, a: Any, b: Any) -> Any:
    return xp.logical_and(a, b) if a.dtype == "bool" else xp.multiply(a, b)


def _no_bool_result(n: Node) -> str | None:
    """Refuse bool results."""
    return f"{n.op} of bool is not compiled; MXNet refuses it too" if n.out.dtype == "bool" else None


_arithmetic("_npi_add", _add, _signs)
_arithmetic("_npi_multiply", _multiply, _signs)
_arithmetic("_npi_subtract", lambda xp, a, b: xp.subtract(a, b), first_of(_mixed_integers, _no_bool_result))
_arithmetic("_npi_mod", mod, first_of(_mixed_integers, _no_bool_result), exact_int32=False)
_arithmetic("_npi_true_divide", divide, first_of(_mixed_integers, _mixed_floats))
_arithmetic("_npi_power", lambda xp, a, b: xp.pow(a, b), _floating)


def _negative(xp: Any, x: Any) -> Any:
    """Whether the sign bit is set: also of -0."""
    zero = xp.equal(x, 0)
    return xp.logical_or(xp.less(x, 0), xp.logical_and(zero, xp.less(xp.divide(1.0, x), 0)))


def copysign(xp: Any, a: Any, b: Any) -> Any:
    """a if a and b have one sign, else -a; MXNet takes -0 for positive, unlike C."""
    signs = [xp.greater_equal(v, 0) if hasattr(v, "dtype") else v >= 0 for v in (a, b)]
    a = a if hasattr(a, "dtype") else xp.constant(a, b.dtype)
    return xp.where(xp.logical_xor(*signs), xp.negative(a), a)


def arctan2(xp: Any, y: Any, x: Any) -> Any:
    """The angle of the point (x, y) in -pi..pi, with the signs of zeros as C has them."""
    dtype = y.dtype if hasattr(y, "dtype") else x.dtype
    y, x = (v if hasattr(v, "dtype") else xp.constant(v, dtype) for v in (y, x))
    flat, upright = xp.equal(y, 0), xp.equal(x, 0)
    steep = xp.where(_negative(xp, y), -math.pi / 2, xp.constant(math.pi / 2, dtype))
    angle = xp.where(upright, steep, xp.atan(xp.divide(y, xp.where(upright, 1.0, x))))
    turned = xp.add(angle, xp.multiply(steep, 2.0))
    angle = xp.where(xp.less(x, 0), turned, angle)
    on_axis = xp.where(_negative(xp, x), xp.multiply(steep, 2.0), xp.multiply(y, 1.0))
    return xp.where(flat, on_axis, angle)


def ldexp(xp: Any, a: Any, b: Any) -> Any:
    """a * 2 ** b."""
    return xp.multiply(a, xp.pow(2.0, b) if hasattr(b, "dtype") else 2.0**b)


def _finite(n: Node) -> str | None:
    """Refuse a scalar of 1e30 and above."""
    scalar = n.attrs.number("scalar", 1.0)
    return None if abs(scalar) < 1e30 else f"its scalar {scalar:g} is beyond what is compiled"


def _power_of_two(n: Node) -> str | None:
    """Refuse a scalar exponent whose power of two is not finite."""
    scalar = n.attrs.number("scalar", 1.0)
    limit = 15 if n.out.dtype == "float16" else 127
    if n.op == "_npi_ldexp_scalar" and not scalar <= limit:
        return f"2 ** {scalar:g} does not fit {n.out.dtype}"
    return _finite(n)


def _float_function(name: str, function: Callable[[Any, Any, Any], Any], refuse: Any = _finite) -> None:
    @rule(f"_npi_{name}", refuse=same_dtypes)
    def build(xp: Any, n: Node, a: Any, b: Any) -> Any:
        return function(xp, a, b)

    @rule(f"_npi_{name}_scalar", refuse=refuse)
    def build_scalar(xp: Any, n: Node, x: Any) -> Any:
        return function(xp, x, n.attrs.number("scalar", 1.0))

    @rule(f"_npi_r{name}_scalar", refuse=refuse)
    def build_reversed(xp: Any, n: Node, x: Any) -> Any:
        return function(xp, n.attrs.number("scalar", 1.0), x)


_float_function("copysign", copysign)
_float_function("arctan2", arctan2)
_float_function("ldexp", ldexp, _power_of_two)
