"""Elementwise functions of one array that mx.np has and the classic operators lack: predicates, around, nan_to_num."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...graph.graph import Node
from ..registry import ANY, FLOATS, INTS, NUMBERS, rule


@rule("_npi_logical_not", dtypes=ANY)
def logical_not(xp: Any, n: Node, x: Any) -> Any:
    """bool: whether x is 0."""
    return xp.logical_not(x) if x.dtype == "bool" else xp.equal(x, 0)


def _of_floats(n: Node) -> str | None:
    """Refuse dtypes other than floats."""
    dtype = n.in_spec(0).dtype
    return None if dtype in FLOATS else f"{n.op} of {dtype} is not compiled; it is the same for every element"


def _is(xp: Any, x: Any, value: float) -> Any:
    # An engine may hold NaN for equal to anything.
    return xp.logical_and(xp.equal(x, value), xp.logical_not(xp.isnan(x)))


def _infinite(xp: Any, x: Any) -> Any:
    return _is(xp, xp.abs(x), math.inf)


PREDICATES: dict[str, Callable[[Any, Any], Any]] = {
    "isnan": lambda xp, x: xp.isnan(x),
    "isinf": _infinite,
    "isfinite": lambda xp, x: xp.logical_not(xp.logical_or(_infinite(xp, x), xp.isnan(x))),
    "isposinf": lambda xp, x: _is(xp, x, math.inf),
    "isneginf": lambda xp, x: _is(xp, x, -math.inf),
}


def _predicate(name: str) -> None:
    @rule(f"_npi_{name}", refuse=_of_floats, dtypes=FLOATS | {"bool"})
    def build(xp: Any, n: Node, x: Any) -> Any:
        return PREDICATES[name](xp, x)


for _name in PREDICATES:
    _predicate(_name)


@rule("_npi_nan_to_num", dtypes=ANY)
def nan_to_num(xp: Any, n: Node, x: Any) -> Any:
    """NaN to a number, infinities to others: the largest and lowest finite ones unless given. Integers stay."""
    if x.dtype not in FLOATS:
        return x
    limit = float(np.finfo("float32" if x.dtype == "bfloat16" else x.dtype).max)
    high, low = n.attrs.number("posinf", limit), n.attrs.number("neginf", -limit)
    y = xp.where(_is(xp, x, math.inf), high, xp.where(_is(xp, x, -math.inf), low, x))
    return xp.where(xp.isnan(x), n.attrs.number("nan", 0.0), y)


def _places(n: Node) -> str | None:
    """Refuse negative decimals of integers."""
    decimals = n.attrs.integer("decimals", 0)
    if decimals < 0 and n.in_spec(0).dtype in INTS:
        return f"decimals={decimals} of {n.in_spec(0).dtype} is not compiled; cast to a floating-point dtype first"
    return None


@rule("_npi_around", refuse=_places, dtypes=NUMBERS)
def around(xp: Any, n: Node, x: Any) -> Any:
    """To a number of decimals, halves to even; in the dtype of x, one factor of ten at a time, as MXNet has it."""
    if x.dtype in INTS:
        return x
    decimals = n.attrs.integer("decimals", 0)
    there, back = (xp.multiply, xp.divide) if decimals > 0 else (xp.divide, xp.multiply)
    for _ in range(abs(decimals)):
        x = there(x, 10.0)
    x = xp.round(x)
    for _ in range(abs(decimals)):
        x = back(x, 10.0)
    return x
