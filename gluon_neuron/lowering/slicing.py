"""Operators that cut arrays apart, put them together, and pad them."""

from __future__ import annotations

from typing import Any

from ..graph.graph import Node
from .common import first_of, same_dtypes
from .extents import axis_of, nonempty
from .registry import ANY, FLOATS, rule


def _range(begin: int | None, end: int | None, step: int | None, size: int) -> slice:
    """A slice whose bounds lie inside the axis, from bounds that may be None, negative or beyond it."""
    start, stop, by = slice(begin, end, step).indices(size)
    # Running down to the very first element, Python's bound would be -1, which means the last one.
    return slice(start, None if stop < 0 else stop, by)


def _cut(x: Any, axis: int, part: slice | int) -> Any:
    return x[(slice(None),) * axis + (part,)]


@rule("slice", "crop", "_npx_slice", "_npi_slice", dtypes=ANY, refuse=nonempty, moves=True)
def slice_(xp: Any, n: Node, x: Any) -> Any:
    """A range with a step, which may be negative, along each of the first axes."""
    return x[bounds(n, x.shape)]


def bounds(n: Node, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """The slice of each axis that a node's attributes `begin`, `end` and `step` ask for."""
    given = [n.attrs.optional_ints(key) for key in ("begin", "end", "step")]
    begin, end, step = (b + (None,) * (len(shape) - len(b)) for b in given)
    return tuple(_range(*r) for r in zip(begin, end, step, shape))


@rule("slice_axis", dtypes=ANY, refuse=nonempty, moves=True)
def slice_axis(xp: Any, n: Node, x: Any) -> Any:
    """A range along one axis."""
    axis = axis_of(n, "axis", 0, x.ndim)
    end = n.attrs.integer("end") if n.attrs.has("end") else None
    return _cut(x, axis, _range(n.attrs.integer("begin", 0), end, None, x.shape[axis]))


@rule("slice_like", dtypes=ANY, refuse=nonempty, moves=True)
def slice_like(xp: Any, n: Node, x: Any, like: Any) -> Any:
    """The first elements along the axes, as many as the other input has."""
    return x[tuple(slice(0, size) for size in n.out.shape)]


def _split(xp: Any, n: Node, x: Any, axis: int, starts: list[int]) -> tuple[Any, ...]:
    """Cut at `starts`; outputs that nobody reads are made too, and cost nothing."""
    squeeze = n.attrs.flag("squeeze_axis")
    bounds = zip(starts, (*starts[1:], x.shape[axis]))
    parts = [_cut(x, axis, slice(a, b)) for a, b in bounds]
    return tuple(xp.squeeze(p, axis) if squeeze and p.shape[axis] == 1 else p for p in parts)


@rule("SliceChannel", "split", dtypes=ANY, refuse=nonempty, moves=True)
def slice_channel(xp: Any, n: Node, x: Any) -> tuple[Any, ...]:
    """`num_outputs` equal parts along an axis, which is dropped if asked to."""
    axis = axis_of(n, "axis", 1, x.ndim)
    length = x.shape[axis] // n.attrs.integer("num_outputs")
    return _split(xp, n, x, axis, list(range(0, x.shape[axis], length)))


@rule("_split_v2", "_npi_split", "_npi_dsplit", dtypes=ANY, refuse=nonempty, moves=True)
def split_v2(xp: Any, n: Node, x: Any) -> tuple[Any, ...]:
    """Parts that begin at `indices` along an axis, or `sections` parts of which the first are one longer."""
    return split_at(xp, n, x, axis_of(n, "axis", 1, x.ndim))


def split_at(xp: Any, n: Node, x: Any, axis: int) -> tuple[Any, ...]:
    """The parts along `axis` that a node's attributes `indices` and `sections` ask for."""
    sections = n.attrs.integer("sections", 0)
    if not sections:
        return _split(xp, n, x, axis, list(n.attrs.ints("indices")))
    short, longer = divmod(x.shape[axis], sections)
    return _split(xp, n, x, axis, [i * short + min(i, longer) for i in range(sections)])


def _crop_offset(n: Node) -> tuple[int, ...]:
    whole, part = n.in_spec(0).shape[2:], n.out.shape[2:]
    if n.attrs.flag("center_crop"):
        return tuple((w - p) // 2 for w, p in zip(whole, part))
    return n.attrs.ints("offset", (0, 0))


def _crop_fits(n: Node) -> str | None:
    """Refuse a window that does not lie within the data."""
    whole, part, offset = n.in_spec(0).shape[2:], n.out.shape[2:], _crop_offset(n)
    if len(offset) != 2 or any(o < 0 or o + p > w for o, p, w in zip(offset, part, whole)):
        return f"a window of {part} at offset {offset} does not lie within {whole}"
    return None


@rule("Crop", dtypes=ANY, refuse=first_of(nonempty, _crop_fits), moves=True)
def crop(xp: Any, n: Node, x: Any, like: Any = None) -> Any:
    """A window of x (N, C, H, W): its size is `h_w` or that of the other input, its place `offset` or the centre."""
    (top, left), (height, width) = _crop_offset(n), n.out.shape[2:]
    return x[:, :, top : top + height, left : left + width]


@rule("Concat", "concat", dtypes=ANY, refuse=first_of(nonempty, same_dtypes), moves=True)
def concat(xp: Any, n: Node, *parts: Any) -> Any:
    """Join along an existing axis."""
    return xp.concat(list(parts), axis_of(n, "dim", 1, parts[0].ndim))


@rule("_npi_concatenate", dtypes=ANY, refuse=first_of(nonempty, same_dtypes))
def np_concatenate(xp: Any, n: Node, *parts: Any) -> Any:
    """Join along an existing axis, or flattened when the axis is None."""
    if "axis" in n.attrs and not n.attrs.has("axis"):
        return xp.concat([xp.reshape(p, (p.size,)) for p in parts], 0)
    return xp.concat(list(parts), axis_of(n, "axis", 0, parts[0].ndim))


@rule("stack", "_npi_stack", dtypes=ANY, refuse=first_of(nonempty, same_dtypes), moves=True)
def stack(xp: Any, n: Node, *parts: Any) -> Any:
    """Join along a new axis."""
    return xp.stack(list(parts), axis_of(n, "axis", 0, len(n.out.shape)))


def _pad_widths(n: Node) -> tuple[tuple[int, int], ...]:
    widths = n.attrs.ints("pad_width")
    return tuple(zip(widths[::2], widths[1::2]))


def _pads_fit(n: Node) -> str | None:
    """Refuse negative widths, and reflections wider than the data."""
    pads, shape = _pad_widths(n), n.in_spec(0).shape
    if any(low < 0 or high < 0 for low, high in pads):
        return f"pad_width={n.attrs['pad_width']} is negative somewhere; use slice to cut"
    if n.attrs.text("mode") == "reflect" and any(max(p) >= size for p, size in zip(pads, shape)):
        return f"pad_width={n.attrs['pad_width']} is not smaller than the shape {shape}, which mode 'reflect' needs"
    return None


@rule("Pad", "pad", dtypes=FLOATS, refuse=first_of(nonempty, _pads_fit), moves=True)
def pad(xp: Any, n: Node, x: Any) -> Any:
    """Add a border of one value, of the edge repeated, or of the mirrored inside."""
    return xp.pad(x, _pad_widths(n), n.attrs.text("mode"), n.attrs.number("constant_value", 0.0))
