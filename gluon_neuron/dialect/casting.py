"""Automatic casts: matrix products and convolutions computed in a smaller type, everything else as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_PRODUCTS = ("conv", "conv_transpose", "matmul")


def auto_cast(xp: Any, dtype: str) -> Any:
    """Make the namespace `xp` compute products of float32 arrays in `dtype`, with float32 results; returns it."""
    for name in _PRODUCTS:
        setattr(xp, name, _cast(xp, getattr(xp, name), dtype))
    matmul = xp.linear

    def linear(x: Any, w: Any, b: Any = None) -> Any:
        y = _cast(xp, matmul, dtype)(x, w)
        # The bias is added in float32, as a NeuronCore does when only products are cast.
        return y if b is None else xp.add(y, b)

    xp.linear = linear
    return xp


def _cast(xp: Any, function: Callable[..., Any], dtype: str) -> Callable[..., Any]:
    def product(a: Any, b: Any, *args: Any, **kwargs: Any) -> Any:
        if a.dtype != "float32":
            return function(a, b, *args, **kwargs)
        y = function(xp.astype(a, dtype), xp.astype(b, dtype), *args, **kwargs)
        return xp.astype(y, "float32")

    return product
