"""Comparisons of mx.np, which give bool, and operators on the bits of integers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...graph.graph import Node
from ..common import same_dtypes
from ..registry import ANY, FLOATS, INTS, rule

COMPARISONS = ("equal", "not_equal", "greater", "greater_equal", "less", "less_equal")


def _compared(name: str) -> None:
    @rule(f"_npi_{name}", refuse=same_dtypes, dtypes=ANY)
    def build(xp: Any, n: Node, a: Any, b: Any) -> Any:
        if a.dtype == "bool":
            a, b = xp.astype(a, xp.int32), xp.astype(b, xp.int32)
        return getattr(xp, name)(a, b)


def _threshold(n: Node) -> float | int | None:
    """The scalar as the array's dtype has it; None where no element can equal it.

    Integers are compared with a fraction when is_int is off; otherwise it is cut off. Bools compare with "is not 0".
    """
    scalar, dtype = n.attrs.number("scalar", 1.0), n.in_spec(0).dtype
    if dtype in FLOATS:
        return scalar
    if dtype == "bool":
        return int(bool(scalar))
    if n.attrs.flag("is_int", True) or scalar == int(scalar):
        return int(scalar)
    if n.op.startswith(("_npi_equal", "_npi_not_equal")):
        return None
    # x > 2.5 is x > 2, and x < 2.5 is x < 3: the comparison stays one of integers.
    up = n.op in ("_npi_less_scalar", "_npi_greater_equal_scalar")
    return math.ceil(scalar) if up else math.floor(scalar)


def _fits(n: Node) -> str | None:
    """Refuse a scalar that is NaN, or that the dtype cannot hold."""
    scalar, dtype = n.attrs.number("scalar", 1.0), n.in_spec(0).dtype
    if math.isnan(scalar):
        return "its scalar is not a number"
    if dtype in INTS:
        limits = np.iinfo(dtype)
        if not limits.min + 1 <= scalar <= limits.max - 1:
            return f"its scalar {scalar:g} does not fit {dtype}"
    elif dtype == "bool" and math.isinf(scalar):
        return "its scalar is infinite"
    return None


def _compared_with_scalar(name: str) -> None:
    @rule(f"_npi_{name}_scalar", refuse=_fits, dtypes=ANY)
    def build(xp: Any, n: Node, x: Any) -> Any:
        value = _threshold(n)
        if value is None:
            return xp.full(x.shape, name == "not_equal", "bool")
        return getattr(xp, name)(xp.astype(x, xp.int32) if x.dtype == "bool" else x, value)


for _name in COMPARISONS:
    _compared(_name)
    _compared_with_scalar(_name)


_LOGIC = {"and": "logical_and", "or": "logical_or", "xor": "logical_xor"}


def _bitwise(name: str, logical: str) -> None:
    @rule(f"_npi_bitwise_{name}", refuse=same_dtypes, dtypes=INTS | {"bool"})
    def build(xp: Any, n: Node, a: Any, b: Any) -> Any:
        return getattr(xp, logical if a.dtype == "bool" else f"bitwise_{name}")(a, b)

    @rule(f"_npi_bitwise_{name}_scalar", refuse=_fits, dtypes=INTS | {"bool"})
    def build_scalar(xp: Any, n: Node, x: Any) -> Any:
        value = n.attrs.number("scalar", 1.0)
        if x.dtype == "bool":
            return getattr(xp, logical)(x, xp.constant(bool(value), xp.bool))
        return getattr(xp, f"bitwise_{name}")(x, int(value))


for _name, _logical in _LOGIC.items():
    _bitwise(_name, _logical)


@rule("_npi_bitwise_not", dtypes=INTS | {"bool"})
def bitwise_not(xp: Any, n: Node, x: Any) -> Any:
    """Every bit turned over."""
    return xp.logical_not(x) if x.dtype == "bool" else xp.bitwise_xor(x, 255 if x.dtype == "uint8" else -1)
