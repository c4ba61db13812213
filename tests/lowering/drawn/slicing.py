"""Strategies of operators that cut arrays apart, put them together, pad them, and write into a range of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .case import ANY, FLOATS, MOVED, NUMBERS, OMIT, Case, Draw, Strategy


def _range(d: Draw, size: int) -> tuple[Any, Any, Any]:
    """Bounds that may be None, negative or past the axis, and a step; most often some elements are left."""
    step = d.pick(None, 1, 2, -1, -3, 3)
    places = sorted(d.integer(0, size) for _ in range(2))
    if step is not None and step < 0:
        places = places[::-1]
    begin, end = (p - size if d.integer(0, 3) == 3 and p < size else p for p in places)
    return d.pick(begin, None, begin), d.pick(end, None, end + 5 if (step or 1) > 0 else None), step


def _ranges(d: Draw, shape: tuple[int, ...]) -> dict[str, Any]:
    parts = [_range(d, size) for size in shape[: d.integer(1, len(shape)) if shape else 0]]
    begin, end, step = zip(*parts) if parts else ((), (), ())
    return {"begin": begin, "end": end, "step": step if d.flag() else OMIT}


def slice_(d: Draw) -> Case:
    shape = d.shape()
    return Case([d.array(shape, d.pick(*ANY), *MOVED)], d.attrs(**_ranges(d, shape)))


def slice_axis(d: Draw) -> Case:
    shape = d.shape(low=1)
    axis = d.axis(len(shape))
    begin, end, _ = _range(d, shape[axis])
    return Case([d.array(shape, d.pick(*ANY), *MOVED)], d.attrs(axis=axis, begin=begin or 0, end=end))


def slice_like(d: Draw) -> Case:
    shape = d.shape(low=1)
    like = [d.integer(1, s) if s else 0 for s in shape]
    axes = d.pick(OMIT, d.axes(len(shape)))
    return Case([d.array(shape, d.pick(*ANY), *MOVED), d.array(like)], d.attrs(axes=axes))


def slice_channel(d: Draw) -> Case:
    count = d.integer(1, 4)
    shape = list(d.shape(low=1, longest=3))
    axis = d.axis(len(shape))
    shape[axis] = d.pick(1, shape[axis]) * count
    given = {"num_outputs": count, "axis": axis}
    return Case([d.array(shape, d.pick(*ANY), *MOVED)], d.attrs(**given), _some(d, count))


def _some(d: Draw, count: int) -> list[int]:
    """One or two outputs that are read."""
    return sorted({d.integer(0, max(count - 1, 0)) for _ in range(2)})


def split(d: Draw) -> Case:
    shape = d.shape(low=1)
    least = {"_npi_hsplit": 1, "_npi_dsplit": 3}.get(d.op, 0)
    shape = (*shape, *(2,) * max(0, least - len(shape)))
    axis = {"_npi_hsplit": min(1, len(shape) - 1), "_npi_dsplit": 2}.get(d.op, d.axis(len(shape)))
    given = {"axis": OMIT if least else axis}
    if d.op == "_npi_dsplit":
        given["axis"] = 2
    if d.flag():
        count = d.pick(1, shape[axis], d.integer(1, max(shape[axis], 1))) or 1
        return Case(
            [d.array(shape, d.pick(*ANY), *MOVED)], d.attrs(**given, sections=count, indices=()), _some(d, count)
        )
    places = sorted({d.integer(1, max(shape[axis] - 1, 1)) for _ in range(d.integer(0, 3))})
    # MXNet's frontends put a 0 in front.
    given |= {"indices": (0, *places), "sections": 0}
    return Case([d.array(shape, d.pick(*ANY), *MOVED)], d.attrs(**given), _some(d, len(places) + 1))


def crop(d: Draw) -> Case:
    batch, channels, height, width = (d.integer(1, 6) for _ in range(4))
    h, w = d.integer(1, height), d.integer(1, width)
    inputs = [d.array((batch, channels, height, width), d.pick("float32", *ANY))]
    two = d.flag()
    if two:
        inputs.append(d.array((d.integer(1, 2), 2, h, w), inputs[0].dtype.name))
    offset = d.pick(OMIT, (d.integer(0, height - h), d.integer(0, width - w)))
    return Case(inputs, d.attrs(num_args=1 + two, h_w=OMIT if two else (h, w), offset=offset))


def concat(d: Draw) -> Case:
    shape = list(d.shape(low=1, elements=100))
    axis, count, dtype = d.axis(len(shape)), d.integer(1, 4), d.pick(*ANY)
    arrays = []
    for _ in range(count):
        shape[axis] = d.integer(0 if d.numpy and d.integer(0, 9) == 9 else 1, 5)
        arrays.append(d.array(shape, dtype, *MOVED))
    key = "axis" if d.op == "_npi_concatenate" else "dim"
    given = {key: d.pick(axis, axis, OMIT, None) if key == "axis" else d.pick(axis, axis, OMIT)}
    if key == "axis":
        # MXNet takes the attribute though it documents another.
        return Case(arrays, {k: v for k, v in (("num_args", count), *given.items()) if v is not OMIT})
    return Case(arrays, d.attrs(num_args=count, **given))


def stack(d: Draw) -> Case:
    shape, count, dtype = d.shape(high=4, elements=100), d.integer(1, 4), d.pick(*ANY)
    axis = d.integer(-len(shape) - 1, len(shape))
    return Case([d.array(shape, dtype, *MOVED) for _ in range(count)], d.attrs(num_args=count, axis=d.pick(OMIT, axis)))


def join(d: Draw) -> Case:
    """vstack and column_stack: arrays that differ along one axis at most."""
    shape, count, dtype = list(d.shape(high=4, elements=60)), d.integer(1, 4), d.pick(*ANY)
    axis = 0 if d.op == "_npi_vstack" else 1
    arrays = []
    for _ in range(count):
        if len(shape) > 1:
            shape[axis] = d.integer(1, 4)
        arrays.append(d.array(shape, dtype, *MOVED))
    return Case(arrays, d.attrs(num_args=count))


def pad(d: Draw) -> Case:
    """The classic operator: four or five axes, of which the first two are not padded."""
    shape = d.shape(low=4, longest=5)
    widths = (0, 0, 0, 0, *(d.integer(0, 4) for _ in range(2 * len(shape) - 4)))
    given = {"pad_width": widths, "constant_value": d.pick(OMIT, 1.5, -2)}
    return Case([d.array(shape, d.pick(*FLOATS))], d.attrs(**given))


def numpy_pad(d: Draw) -> Case:
    shape = d.shape(low=1, elements=100, high=4)
    widths = tuple((d.integer(0, 3), d.integer(0, 3)) for _ in shape)
    given = {
        "pad_width": widths,
        "constant_value": d.pick(OMIT, 1.5, -2, 0),
        "reflect_type": d.pick(OMIT, "even", "odd"),
    }
    return Case([d.array(shape, d.pick(*ANY), *MOVED)], d.attrs(**given))


def slice_assign(d: Draw) -> Case:
    shape, dtype = d.shape(low=1), d.pick(*NUMBERS)
    given = _ranges(d, shape)
    if "scalar" in d.op:
        number = d.pick(OMIT, 1.5, -2, 3)
        return Case([d.array(shape, dtype, *MOVED)], d.attrs(**given, scalar=number))
    steps = (None,) * len(given["begin"]) if given["step"] is OMIT else given["step"]
    part = np.empty(shape)[tuple(slice(*r) for r in zip(given["begin"], given["end"], steps))].shape
    return Case([d.array(shape, dtype, *MOVED), d.array(part, dtype, *MOVED)], d.attrs(**given))


def insert(d: Draw) -> Case:
    shape = d.shape(low=1, high=3, elements=60)
    axis = d.pick(None, d.axis(len(shape)))
    size = int(np.prod(shape)) if axis is None else shape[axis]
    dtype = d.pick(*NUMBERS)
    one = "scalar" in d.op
    given = dict.fromkeys(("val", "start", "stop", "step", "int_ind"), OMIT) | {"axis": axis}
    if one:
        given["int_ind"] = d.integer(-size, size)
    else:
        given["start"], given["stop"], given["step"] = _range(d, size)
    rest = (1,) if axis is None else tuple(s if d.flag() else 1 for i, s in enumerate(shape) if i != axis % len(shape))
    values = d.pick((), rest, (d.integer(1, 3),) if axis is None else rest)
    return Case([d.array(shape, dtype, *MOVED), d.array(values, d.pick(dtype, dtype, *NUMBERS))], d.attrs(**given))


STRATEGIES: dict[str, Strategy] = {
    **dict.fromkeys(("slice", "crop", "_npx_slice", "_npi_slice"), slice_),
    "slice_axis": slice_axis,
    "slice_like": slice_like,
    **dict.fromkeys(("SliceChannel", "split"), slice_channel),
    **dict.fromkeys(("_split_v2", "_npi_split", "_npi_hsplit", "_npi_dsplit"), split),
    "Crop": crop,
    **dict.fromkeys(("Concat", "concat", "_npi_concatenate", "_rnn_param_concat", "_npi_rnn_param_concat"), concat),
    **dict.fromkeys(("stack", "_npi_stack"), stack),
    **dict.fromkeys(("_npi_vstack", "_npi_column_stack"), join),
    **dict.fromkeys(("Pad", "pad"), pad),
    "_npi_pad": numpy_pad,
    **{
        f"{op}{end}": slice_assign
        for op in ("_slice_assign", "_npi_slice_assign", "_crop_assign")
        for end in ("", "_scalar")
    },
    **dict.fromkeys(("_npi_insert_scalar", "_npi_insert_slice"), insert),
}
