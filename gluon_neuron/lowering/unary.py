"""Elementwise mathematics of one array, the identities (copies, losses and dropout at inference), and casts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..graph.graph import Node
from .common import first_of, only_first_output
from .registry import ANY, FLOATS, INTS, NUMBERS, rule

# MXNet's name -> the dialect's. Of integers MXNet computes these in double and truncates, which nobody means.
FLOAT_FUNCTIONS = {
    "sqrt": "sqrt",
    "rsqrt": "rsqrt",
    "reciprocal": "reciprocal",
    "exp": "exp",
    "expm1": "expm1",
    "log": "log",
    "log1p": "log1p",
    "log2": "log2",
    "log10": "log10",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "sinh": "sinh",
    "cosh": "cosh",
    "tanh": "tanh",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "erf": "erf",
    "sigmoid": "sigmoid",
    "softsign": "softsign",
}
# Names in mx.np and mx.npx that are not just "_npi_" before MXNet's.
_NUMPY_NAMES: dict[str, tuple[str, ...]] = {
    "abs": ("_npi_abs", "_npi_absolute"),
    "erf": ("_npx_erf",),
    "sigmoid": ("_npx_sigmoid",),
    "rsqrt": (),
    "softsign": (),
}
NUMBER_FUNCTIONS = {"abs": "abs", "negative": "negative", "sign": "sign", "square": "square"}
ROUNDING_FUNCTIONS = {"floor": "floor", "ceil": "ceil", "trunc": "trunc", "fix": "trunc"}


def _register(name: str, function: str, dtypes: frozenset[str], integers_stay: bool = False) -> None:
    @rule(name, *_NUMPY_NAMES.get(name, (f"_npi_{name}",)), dtypes=dtypes)
    def build(xp: Any, n: Node, x: Any) -> Any:
        return x if integers_stay and x.dtype in INTS else getattr(xp, function)(x)


for _name, _function in FLOAT_FUNCTIONS.items():
    _register(_name, _function, FLOATS)
for _name, _function in NUMBER_FUNCTIONS.items():
    _register(_name, _function, NUMBERS)
for _name, _function in ROUNDING_FUNCTIONS.items():
    _register(_name, _function, NUMBERS, integers_stay=True)


@rule("round", "_contrib_round_ste", dtypes=NUMBERS)
def round_away(xp: Any, n: Node, x: Any) -> Any:
    """To the nearest integer, halves away from zero."""
    return x if x.dtype in INTS else half_away(xp, x)


def half_away(xp: Any, x: Any) -> Any:
    """Floats to the nearest whole number, halves away from zero; adding 0.5 first would be wrong just below a half."""
    whole = xp.trunc(x)
    far = xp.greater_equal(xp.abs(xp.subtract(x, whole)), 0.5)
    return xp.where(far, xp.add(whole, xp.sign(x)), whole)


@rule("rint", "_npi_rint", dtypes=NUMBERS)
def rint(xp: Any, n: Node, x: Any) -> Any:
    """To the nearest integer, halves down: MXNet takes the floor unless the ceiling is nearer."""
    if x.dtype in INTS:
        return x
    low, high = xp.floor(x), xp.ceil(x)
    return xp.where(xp.less_equal(xp.subtract(x, low), xp.subtract(high, x)), low, high)


@rule("_contrib_sign_ste", dtypes=NUMBERS)
def sign_ste(xp: Any, n: Node, x: Any) -> Any:
    """sign(x); only its gradient differs."""
    return xp.sign(x)


@rule("cbrt", "_npi_cbrt")
def cbrt(xp: Any, n: Node, x: Any) -> Any:
    """The cube root, negative for negative x."""
    return xp.multiply(xp.sign(x), xp.pow(xp.abs(x), 1 / 3))


@rule("rcbrt")
def rcbrt(xp: Any, n: Node, x: Any) -> Any:
    """1 / the cube root."""
    return xp.reciprocal(cbrt(xp, n, x))


@rule("degrees", "_npi_degrees")
def degrees(xp: Any, n: Node, x: Any) -> Any:
    """Radians to degrees, by a factor of float32 precision for float64 too."""
    return xp.multiply(x, float(np.float32(180) / np.float32(math.pi)))


@rule("radians", "_npi_radians")
def radians(xp: Any, n: Node, x: Any) -> Any:
    """Degrees to radians, by a factor of float32 precision for float64 too."""
    return xp.multiply(x, float(np.float32(math.pi) / np.float32(180)))


@rule("_contrib_quadratic")
def quadratic(xp: Any, n: Node, x: Any) -> Any:
    """a * x * x + b * x + c."""
    a, b, c = (n.attrs.single(key, 0.0) for key in "abc")
    return xp.add(xp.multiply(xp.add(xp.multiply(x, a), b), x), c)


@rule("logical_not", dtypes=NUMBERS)
def logical_not(xp: Any, n: Node, x: Any) -> Any:
    """1 where x is 0, else 0, in the dtype of x."""
    return xp.astype(xp.equal(x, 0), x.dtype)


def _dropout(n: Node) -> str | None:
    """Refuse mode="always"."""
    if n.attrs.text("mode", "training") == "always":
        return "mode='always' draws random numbers at inference"
    return None


def _identity(*names: str, refuse: Callable[[Node], str | None] | None = None, moves: bool = True) -> None:
    @rule(*names, refuse=refuse, dtypes=ANY, moves=moves)
    def build(xp: Any, n: Node, x: Any, like: Any = None) -> Any:
        return x


_identity(
    "_copy",
    "_np_copy",
    "identity",
    "BlockGrad",
    "stop_gradient",
    "make_loss",
    "MakeLoss",
    "_contrib_gradientmultiplier",
)
_identity("_identity_with_attr_like_rhs", moves=False)
_identity("Dropout", "_npx_dropout", refuse=first_of(_dropout, only_first_output))


def cast(xp: Any, x: Any, dtype: str) -> Any:
    """x in another dtype. 8-bit integers wrap as in C; libraries agree on that only by way of int32 and a remainder."""
    if x.dtype in (dtype, "bool") or dtype not in ("int8", "uint8"):
        return xp.astype(x, dtype)
    if x.dtype != "int64":
        x = xp.astype(x, "int32")
    if dtype == "uint8":
        return xp.astype(xp.remainder(x, 256), dtype)
    return xp.astype(xp.subtract(xp.remainder(xp.add(x, 128), 256), 128), dtype)


@rule("Cast", "cast", "_npi_cast", "_npx_cast", dtypes=ANY, moves=True)
def cast_rule(xp: Any, n: Node, x: Any) -> Any:
    """Floats are truncated to integers; those that do not fit 32 bits are undefined, as in MXNet."""
    return cast(xp, x, n.out.dtype)


def _amp(n: Node) -> str | None:
    """Refuse casts between floats and integers."""
    pairs = ((n.in_spec(i).dtype, spec.dtype) for i, spec in n.outs.items() if spec is not None)
    for source, target in pairs:
        if source != target and not {source, target} <= FLOATS:
            return f"{n.op} from {source} to {target} rounds as oneDNN likes; use cast"
    return None


@rule("amp_cast", refuse=_amp, dtypes=ANY)
def amp_cast(xp: Any, n: Node, x: Any) -> Any:
    """Floats to the dtype given; other dtypes stay as they are."""
    return xp.astype(x, n.out.dtype)


@rule("amp_multicast", refuse=_amp)
def amp_multicast(xp: Any, n: Node, *xs: Any) -> tuple[Any, ...]:
    """Every array to the widest (or narrowest) float among them; MXNet's inference says which."""
    return tuple(xp.astype(x, n.out.dtype) for x in xs)
