"""The gamma function, its logarithm, and the inverse of the error function, to the precision of float32."""

from __future__ import annotations

import math
from typing import Any

from ..graph.graph import Node
from .registry import rule

HALVES_AND_SINGLES = frozenset(("float16", "bfloat16", "float32"))
_SHIFT = 7
_ZETA_LESS_ONE = (
    *(0.6449340668482264, 0.2020569031595943, 0.0823232337111382, 0.0369277551433699, 0.0173430619844491),
    *(0.0083492773819228, 0.0040773561979443, 0.0020083928260822, 0.0009945751278181, 0.0004941886041194),
    *(0.0002460865533080, 0.0001227133475785),
)
"""Riemann's zeta function at 2, 3, ... less one."""
_EULER = 0.5772156649015329
_AROUND_TWO = (*reversed([zeta / (k if k % 2 == 0 else -k) for k, zeta in enumerate(_ZETA_LESS_ONE, 2)]), 1 - _EULER)
"""The Taylor series of the logarithm of gamma(2 + z), divided by z, the highest power first (DLMF 5.7.3)."""


def _single(xp: Any, x: Any) -> Any:
    return xp.astype(x, xp.float32)


def _polynomial(xp: Any, x: Any, *coefficients: float) -> Any:
    """The highest power first."""
    total = xp.add(xp.multiply(x, coefficients[0]), coefficients[1])
    for c in coefficients[2:]:
        total = xp.add(xp.multiply(total, x), c)
    return total


def _stirling(xp: Any, x: Any) -> tuple[Any, Any, Any]:
    """For positive x: y, r and p so that the gamma function of x is sqrt(2 pi) y ** (y - 1/2) exp(r - y) / p.

    y is x, or x + 7 where that is small, and p the product by which the two gamma functions then differ.
    """
    small = xp.less(x, float(_SHIFT))
    product = x
    for k in range(1, _SHIFT):
        product = xp.multiply(product, xp.add(xp.where(small, x, 1.0), float(k)))
    y = xp.where(small, xp.add(x, float(_SHIFT)), x)
    inverse = xp.reciprocal(y)
    correction = xp.multiply(inverse, _polynomial(xp, xp.square(inverse), 1 / 1260, -1 / 360, 1 / 12))
    return y, correction, xp.where(small, product, 1.0)


def _positive_gamma(xp: Any, x: Any) -> Any:
    y, correction, product = _stirling(xp, x)
    # In two halves, as y ** (y - 1/2) overflows before the function does.
    half = xp.pow(y, xp.multiply(xp.subtract(y, 0.5), 0.5))
    rest = xp.multiply(xp.exp(xp.subtract(correction, y)), math.sqrt(2 * math.pi))
    return xp.divide(xp.multiply(xp.multiply(half, rest), half), product)


def _positive_gammaln(xp: Any, x: Any) -> Any:
    """For x of at least 1/2. Stirling's terms cancel at the zeros, 1 and 2, so there it is the Taylor series."""
    y, correction, product = _stirling(xp, x)
    power = xp.multiply(xp.subtract(y, 0.5), xp.log(y))
    tail = xp.add(xp.subtract(correction, y), math.log(2 * math.pi) / 2)
    far = xp.subtract(xp.add(power, tail), xp.log(product))
    one, near = xp.less(x, 1.5), xp.less(x, 2.5)
    z = xp.where(near, xp.where(one, xp.subtract(x, 1.0), xp.subtract(x, 2.0)), 0.0)
    # Of the function at 2 + z; at 1 + z it is less by the logarithm of 1 + z.
    series = xp.multiply(_polynomial(xp, z, *_AROUND_TWO), z)
    return xp.where(near, xp.subtract(series, xp.where(one, xp.log1p(z), 0.0)), far)


def _mirrored(xp: Any, x: Any) -> tuple[Any, Any, Any]:
    """Whether x is below 1/2, the x or 1 - x that is not, and sin(pi x) with its period taken off first."""
    low = xp.less(x, 0.5)
    whole = xp.round(x)
    # Of an odd number of half turns the sine has the other sign.
    sign = xp.subtract(1.0, xp.multiply(xp.remainder(whole, 2.0), 2.0))
    sine = xp.multiply(xp.sin(xp.multiply(xp.subtract(x, whole), math.pi)), sign)
    return low, xp.where(low, xp.subtract(1.0, x), x), sine


@rule("gamma", "_npx_gamma", dtypes=HALVES_AND_SINGLES)
def gamma(xp: Any, n: Node, x: Any) -> Any:
    """(x - 1)! for whole positive x; below 1/2 by reflection."""
    low, mirrored, sine = _mirrored(xp, _single(xp, x))
    y = _positive_gamma(xp, mirrored)
    reflected = xp.divide(math.pi, xp.multiply(xp.where(low, sine, 1.0), y))
    return xp.astype(xp.where(low, reflected, y), x.dtype)


@rule("gammaln", "_npx_gammaln", dtypes=HALVES_AND_SINGLES)
def gammaln(xp: Any, n: Node, x: Any) -> Any:
    """The logarithm of the gamma function's magnitude."""
    low, mirrored, sine = _mirrored(xp, _single(xp, x))
    y = _positive_gammaln(xp, mirrored)
    reflected = xp.subtract(xp.log(xp.divide(math.pi, xp.abs(xp.where(low, sine, 1.0)))), y)
    return xp.astype(xp.where(low, reflected, y), x.dtype)


@rule("erfinv", "_npx_erfinv", dtypes=HALVES_AND_SINGLES)
def erfinv(xp: Any, n: Node, x: Any) -> Any:
    """The number whose error function is x, infinite for 1 and -1.

    By the polynomials of M. Giles, "Approximating the erfinv function": one for the middle, one for the tails.
    """
    z = _single(xp, x)
    edge = xp.equal(xp.abs(z), 1)
    z = xp.where(edge, 0.0, z)
    w = xp.negative(xp.log(xp.multiply(xp.subtract(1.0, z), xp.add(z, 1.0))))
    middle = _polynomial(
        xp,
        xp.subtract(w, 2.5),
        *(2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087),
        *(-0.00125372503, -0.00417768164, 0.246640727, 1.50140941),
    )
    tail = _polynomial(
        xp,
        xp.subtract(xp.sqrt(xp.maximum(w, 5.0)), 3.0),
        *(-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773),
        *(-0.0076224613, 0.00943887047, 1.00167406, 2.83297682),
    )
    y = xp.multiply(xp.where(xp.less(w, 5.0), middle, tail), z)
    y = xp.where(edge, xp.multiply(xp.sign(_single(xp, x)), math.inf), y)
    return xp.astype(y, x.dtype)
