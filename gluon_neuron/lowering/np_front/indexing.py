"""Choice, borders and assignment of mx.np, where positions are known."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ...graph.graph import Node
from ..common import first_of, same_dtypes
from ..extents import nonempty
from ..registry import ANY, INTS, NUMBERS, rule
from ..slicing import bounds


def _condition(xp: Any, c: Any) -> Any:
    return c if c.dtype == xp.bool else xp.not_equal(c, 0)


def _choices_match(n: Node) -> str | None:
    """Refuse choices of two dtypes."""
    x, y = n.in_spec(1).dtype, n.in_spec(2).dtype
    return None if x == y else f"it chooses between {x} and {y}; cast them to one"


@rule("_npi_where", dtypes=ANY, refuse=first_of(nonempty, _choices_match))
def where(xp: Any, n: Node, condition: Any, x: Any, y: Any) -> Any:
    """x where the condition is not 0, else y; all three broadcast."""
    return xp.where(_condition(xp, condition), x, y)


def _number(n: Node, key: str, dtype: str) -> float | int:
    """An attribute as `dtype` has it: integers lose its fraction."""
    value = n.attrs.number(key, 0.0)
    return int(value) if dtype in INTS else value


def _holds(dtype: str, value: float) -> bool:
    """Whether an integer dtype has room for a value; floats have for any."""
    return dtype not in INTS or bool(np.iinfo(dtype).min <= value <= np.iinfo(dtype).max)


def _scalar_fits(n: Node) -> str | None:
    """Refuse a scalar that the dtype cannot hold, and bool."""
    value, dtype = n.attrs.number("scalar", 0.0), n.out.dtype
    if not _holds(dtype, value):
        return f"its scalar {value:g} does not fit {dtype}"
    return "a choice between bool and a number is not compiled" if dtype == "bool" else None


@rule("_npi_where_lscalar", dtypes=ANY, refuse=first_of(nonempty, _scalar_fits))
def where_lscalar(xp: Any, n: Node, condition: Any, y: Any) -> Any:
    """A number where the condition is not 0, else y."""
    return xp.where(_condition(xp, condition), _number(n, "scalar", y.dtype), y)


@rule("_npi_where_rscalar", dtypes=ANY, refuse=first_of(nonempty, _scalar_fits))
def where_rscalar(xp: Any, n: Node, condition: Any, x: Any) -> Any:
    """x where the condition is not 0, else a number."""
    return xp.where(_condition(xp, condition), x, _number(n, "scalar", x.dtype))


@rule("_npi_where_scalar2", dtypes=ANY, refuse=nonempty)
def where_scalar2(xp: Any, n: Node, condition: Any) -> Any:
    """One number where the condition is not 0, another elsewhere."""
    x, y = (xp.constant(n.attrs.number(key, 0.0), n.out.dtype) for key in ("x", "y"))
    return xp.where(_condition(xp, condition), x, y)


def _pads(n: Node) -> list[tuple[int, int]]:
    numbers = [int(v) for v in re.findall(r"-?\d+", n.attrs["pad_width"])]
    return list(zip(numbers[::2], numbers[1::2]))


def _pad_mode(n: Node) -> str | None:
    """Refuse unknown modes, and widths that do not fit the shape."""
    shape, pads, mode = n.in_spec(0).shape, _pads(n), n.attrs.text("mode", "constant")
    if len(pads) != len(shape) or any(p < 0 for pair in pads for p in pair):
        return f"pad_width={n.attrs['pad_width']} is not a pair of counts for each axis of {shape}"
    if mode not in ("constant", "edge", "reflect", "symmetric", "maximum", "minimum"):
        return f"mode={mode!r} is not compiled"
    if mode == "constant" and not _holds(n.out.dtype, n.attrs.number("constant_value", 0.0)):
        return f"constant_value={n.attrs['constant_value']} does not fit {n.out.dtype}"
    if mode in ("reflect", "symmetric") and any(max(p) >= d for p, d in zip(pads, shape) if max(p)):
        return f"pad_width={n.attrs['pad_width']} is not smaller than the shape {shape}, which mode {mode!r} needs"
    return None


@rule("_npi_pad", dtypes=NUMBERS, refuse=first_of(nonempty, _pad_mode), exact_int32=False)
def pad(xp: Any, n: Node, x: Any) -> Any:
    """A border of one value, of the edge, of the mirrored inside, or of the extreme along each axis in turn."""
    pads, mode = _pads(n), n.attrs.text("mode", "constant")
    if mode == "constant":
        return xp.pad(x, pads, "constant", _number(n, "constant_value", x.dtype))
    for axis, (low, high) in enumerate(pads):
        if mode in ("maximum", "minimum"):
            extreme = (xp.max if mode == "maximum" else xp.min)(x, (axis,), True)
            sides = [_repeated(xp, extreme, axis, count) for count in (low, high)]
            x = xp.concat([s for s in (sides[0], x, sides[1]) if s is not None], axis)
        elif low or high:
            places = np.pad(np.arange(x.shape[axis]), (low, high), mode)  # type: ignore[call-overload]
            x = xp.take(x, xp.constant(places, xp.int32), axis)
    return x


def _repeated(xp: Any, x: Any, axis: int, count: int) -> Any:
    return xp.broadcast_to(x, (*x.shape[:axis], count, *x.shape[axis + 1 :])) if count else None


def _assigned(n: Node) -> list[np.ndarray]:
    """For each axis the position of every element within the slice that is written, or -1."""
    found = []
    for size, part in zip(n.in_spec(0).shape, bounds(n, n.in_spec(0).shape)):
        places = np.full(size, -1)
        places[part] = np.arange(places[part].size)
        found.append(places)
    return found


def _mask(xp: Any, places: list[np.ndarray]) -> Any:
    mask = np.ones([p.size for p in places], bool)
    for axis, place in enumerate(places):
        mask &= np.reshape(place >= 0, (-1,) + (1,) * (len(places) - 1 - axis))
    return xp.constant(mask, xp.bool)


@rule("_slice_assign", "_npi_slice_assign", "_crop_assign", dtypes=NUMBERS, refuse=first_of(nonempty, same_dtypes))
def slice_assign(xp: Any, n: Node, x: Any, values: Any) -> Any:
    """x with a range of it replaced by an array of the range's shape."""
    places = _assigned(n)
    for axis, place in enumerate(places):
        if not np.array_equal(place, np.arange(x.shape[axis])):
            values = xp.take(values, xp.constant(np.maximum(place, 0), xp.int32), axis)
    return xp.where(_mask(xp, places), values, x)


@rule("_slice_assign_scalar", "_npi_slice_assign_scalar", "_crop_assign_scalar", dtypes=NUMBERS, refuse=_scalar_fits)
def slice_assign_scalar(xp: Any, n: Node, x: Any) -> Any:
    """x with a range of it replaced by a number."""
    return xp.where(_mask(xp, _assigned(n)), _number(n, "scalar", x.dtype), x)
