"""Elementwise arithmetic, comparison and logic of two arrays, and sums of many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..graph.graph import Node
from .common import same_dtypes
from .registry import FLOATS, NUMBERS, rule

Function = Callable[[Any, Any, Any], Any]


def divide(xp: Any, a: Any, b: Any) -> Any:
    """a / b; integers towards zero."""
    return xp.divide(a, b) if _dtype(a, b) in FLOATS else xp.trunc_divide(a, b)


def mod(xp: Any, a: Any, b: Any) -> Any:
    """a modulo b with the sign of b; 0 where b is 0."""
    b = _array(xp, b, _dtype(a, b))
    zero = xp.equal(b, 0)
    return xp.where(zero, 0, xp.remainder(a, xp.where(zero, 1, b)))


def hypot(xp: Any, a: Any, b: Any) -> Any:
    """sqrt(a * a + b * b), without overflow of the squares."""
    a, b = (xp.abs(_array(xp, v, _dtype(a, b))) for v in (a, b))
    large, small = xp.maximum(a, b), xp.minimum(a, b)
    ratio = xp.divide(small, xp.where(xp.equal(large, 0), 1, large))
    return xp.multiply(large, xp.sqrt(xp.add(xp.square(ratio), 1)))


def _dtype(a: Any, b: Any) -> str:
    return a.dtype if hasattr(a, "dtype") else b.dtype


def _array(xp: Any, v: Any, dtype: str) -> Any:
    return v if hasattr(v, "dtype") else xp.constant(v, dtype)


def _named(name: str) -> Function:
    """A function of the dialect."""
    return lambda xp, a, b: getattr(xp, name)(a, b)


def _compared(name: str) -> Function:
    """A comparison; MXNet's result has the inputs' dtype."""
    return lambda xp, a, b: xp.astype(getattr(xp, name)(a, b), _dtype(a, b))


def _logic(name: str) -> Function:
    """A connective of "is not 0"; MXNet's result has the inputs' dtype."""

    def build(xp: Any, a: Any, b: Any) -> Any:
        truth = [xp.not_equal(v, 0) if hasattr(v, "dtype") else v != 0 for v in (a, b)]
        return xp.astype(getattr(xp, name)(*truth), _dtype(a, b))

    return build


# What each operator computes, its dtypes, and its MXNet names.
FUNCTIONS: dict[str, tuple[Function, frozenset[str], tuple[str, ...]]] = {
    "add": (_named("add"), NUMBERS, ("elemwise_add", "broadcast_add", "broadcast_plus", "_plus", "_Plus", "_add")),
    "sub": (
        _named("subtract"),
        NUMBERS,
        ("elemwise_sub", "broadcast_sub", "broadcast_minus", "_minus", "_Minus", "_sub"),
    ),
    "mul": (_named("multiply"), NUMBERS, ("elemwise_mul", "broadcast_mul", "_mul", "_Mul")),
    "div": (divide, NUMBERS, ("elemwise_div", "broadcast_div", "_div", "_Div")),
    "mod": (mod, NUMBERS, ("broadcast_mod", "_mod", "_Mod")),
    # Integers may have negative exponents or overflow here, where MXNet computes in double.
    "power": (_named("pow"), FLOATS, ("broadcast_power", "_power", "_Power")),
    "hypot": (hypot, FLOATS, ("broadcast_hypot", "_hypot", "_Hypot", "_npi_hypot")),
    "maximum": (_named("maximum"), NUMBERS, ("broadcast_maximum", "_maximum", "_Maximum", "_npi_maximum")),
    "minimum": (_named("minimum"), NUMBERS, ("broadcast_minimum", "_minimum", "_Minimum", "_npi_minimum")),
    "equal": (_compared("equal"), NUMBERS, ("broadcast_equal", "_equal", "_Equal")),
    "not_equal": (_compared("not_equal"), NUMBERS, ("broadcast_not_equal", "_not_equal", "_Not_Equal")),
    "greater": (_compared("greater"), NUMBERS, ("broadcast_greater", "_greater", "_Greater")),
    "greater_equal": (
        _compared("greater_equal"),
        NUMBERS,
        ("broadcast_greater_equal", "_greater_equal", "_Greater_Equal"),
    ),
    "lesser": (_compared("less"), NUMBERS, ("broadcast_lesser", "_lesser", "_Lesser")),
    "lesser_equal": (_compared("less_equal"), NUMBERS, ("broadcast_lesser_equal", "_lesser_equal", "_Lesser_Equal")),
    "logical_and": (_logic("logical_and"), NUMBERS, ("broadcast_logical_and", "_logical_and", "_Logical_And")),
    "logical_or": (_logic("logical_or"), NUMBERS, ("broadcast_logical_or", "_logical_or", "_Logical_Or")),
    "logical_xor": (_logic("logical_xor"), NUMBERS, ("broadcast_logical_xor", "_logical_xor", "_Logical_Xor")),
}


INEXACT = frozenset(("div", "mod", "maximum", "minimum"))
"""What OpenVINO's CPU plugin computes in float32 of int32 too."""


def _register(function: Function, dtypes: frozenset[str], names: tuple[str, ...], exact_int32: bool) -> None:
    @rule(*names, refuse=same_dtypes, dtypes=dtypes, exact_int32=exact_int32)
    def build(xp: Any, n: Node, a: Any, b: Any) -> Any:
        return function(xp, a, b)


for _key, (_function, _dtypes, _names) in FUNCTIONS.items():
    _register(_function, _dtypes, _names, _key not in INEXACT)
_register(_named("add"), NUMBERS, ("_grad_add",), True)


@rule("add_n", "ElementWiseSum", refuse=same_dtypes, dtypes=NUMBERS)
def add_n(xp: Any, n: Node, *xs: Any) -> Any:
    """The sum of one or more arrays of one shape."""
    # MXNet writes three and four as one expression, which it works out from its end: float16 shows the order.
    total, *rest = xs[::-1] if len(xs) in (3, 4) else xs
    for x in rest:
        total = xp.add(total, x)
    return total
