"""Reductions and order in jax, in the forms that neuronx-cc takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np

from .elementwise import broadcast_to, is_float, like


def widen(lax: Any, x: Any) -> Any:
    """16-bit floats as float32, in which they are accumulated."""
    return lax.convert_element_type(x, "float32") if is_float(x) and x.dtype.itemsize == 2 else x


def reduce(lax: Any, operator: str, x: Any, axes: tuple[int, ...], keepdims: bool = False) -> Any:
    """A reduction with one operand, in the dtype of x."""
    if operator in ("add", "mul"):
        start: Any = int(operator == "mul")
    elif is_float(x):
        start = -np.inf if operator == "max" else np.inf
    else:
        limits = np.iinfo(x.dtype)
        start = limits.min if operator == "max" else limits.max
    y = lax.reduce(x, np.asarray(start, x.dtype), getattr(lax, operator), axes)
    return lax.reshape(y, tuple(1 if k in axes else n for k, n in enumerate(x.shape))) if keepdims else y


def _reduction(operator: str) -> Callable[..., Any]:
    def reduction(lax: Any, x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
        return lax.convert_element_type(reduce(lax, operator, widen(lax, x), axes, keepdims), x.dtype)

    return reduction


def mean(lax: Any, x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """Sum by count."""
    total = reduce(lax, "add", widen(lax, x), axes, keepdims)
    count = prod(x.shape[a] for a in axes)
    return lax.convert_element_type(lax.div(total, like(lax, count, total)), x.dtype)


def cumsum(lax: Any, x: Any, axis: int) -> Any:
    """Each round adds the sum of as many elements again: log2(n) additions of whole arrays."""
    y, shift, size = widen(lax, x), 1, x.shape[axis]
    while shift < size:
        moved = lax.slice_in_dim(y, 0, size - shift, axis=axis)
        zeros = lax.full((*x.shape[:axis], shift, *x.shape[axis + 1 :]), 0, y.dtype)
        y, shift = lax.add(y, lax.concatenate([zeros, moved], axis)), shift * 2
    return lax.convert_element_type(y, x.dtype)


def _position(operator: str) -> Callable[..., Any]:
    """The smallest position that holds the extreme; jax's own is a reduction of two operands at once."""

    def position(lax: Any, x: Any, axis: int) -> Any:
        extreme = broadcast_to(lax, reduce(lax, operator, x, (axis,), True), x.shape)
        places = lax.broadcasted_iota("int32", x.shape, axis)
        found = lax.select(lax.eq(x, extreme), places, like(lax, x.shape[axis] - 1, places))
        return reduce(lax, "min", found, (axis,))

    return position


def _key(lax: Any, x: Any, descending: bool) -> Any:
    """Integers in the order of x, so that one comparison orders them."""
    if is_float(x):
        x = widen(lax, x)
        bits = lax.bitcast_convert_type(x, f"int{x.dtype.itemsize * 8}")
        # Of negative floats the larger bits are the smaller values.
        mirrored = lax.bitwise_xor(bits, like(lax, np.iinfo(bits.dtype).max, bits))
        key = lax.select(lax.lt(bits, like(lax, 0, bits)), mirrored, bits)
    else:
        key = lax.convert_element_type(x, "int32") if x.dtype.itemsize < 4 else x
    return lax.bitwise_not(key) if descending else key


def _sort(lax: Any, x: Any, axis: int, descending: bool, *more: Any) -> tuple[Any, ...]:
    """`more` and then the positions, in the order of x; equals keep theirs."""
    places = lax.broadcasted_iota("int32", x.shape, axis)
    return lax.sort((_key(lax, x, descending), *more, places), dimension=axis, is_stable=True, num_keys=1)[1:]


def argsort(lax: Any, x: Any, axis: int, descending: bool) -> Any:
    """Positions in order."""
    return _sort(lax, x, axis, descending)[0]


def top_k(lax: Any, x: Any, k: int, axis: int, largest: bool) -> tuple[Any, ...]:
    """From a whole sort: TopK of integers is refused, and its order is that of one axis only."""
    return tuple(lax.slice_in_dim(y, 0, k, axis=axis) for y in _sort(lax, x, axis, largest, x))


KERNELS: Mapping[str, Callable[..., Any]] = {
    "sum": _reduction("add"),
    "mean": mean,
    "prod": _reduction("mul"),
    "max": _reduction("max"),
    "min": _reduction("min"),
    "cumsum": cumsum,
    "argmax": _position("max"),
    "argmin": _position("min"),
    "argsort": argsort,
    "top_k": top_k,
}
