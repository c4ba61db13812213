"""Checks what the options that name shapes and axes say, as far as that needs no model, and gives it one form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from numbers import Integral, Real
from typing import Any, TypeGuard

from .errors import OptionError

Shape = tuple[int, ...]
Asked = Shape | tuple[Shape, ...] | dict[str, Shape]
"""One further shape of a model's inputs: of the only input, of all in order, or of some by name."""

Range = tuple[int, int] | None
"""The least and the largest extent of an axis, or None for any."""


def is_int(value: object) -> TypeGuard[int]:
    """Whether it is an integer, Python's or NumPy's, and no truth value."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def checked_batch_sizes(value: object) -> tuple[int, ...]:
    """Option `batch_sizes`: one positive integer, or several. Raises OptionError."""
    sizes = (value,) if is_int(value) else value
    if not isinstance(sizes, tuple | list) or not all(is_int(b) and b > 0 for b in sizes):
        raise OptionError(f"Option batch_sizes must be a list of positive integers, not {value!r}.")
    return tuple(int(b) for b in sizes)


def checked_shapes(value: object) -> tuple[Asked, ...]:
    """Option `shapes`: a list of items, of which each is a shape, several in order, or several by name.

    Raises OptionError.
    """
    single = isinstance(value, Mapping) or _is_shape(value)
    items: Any = (value,) if single and value else value
    if not isinstance(items, tuple | list):
        raise _wrong_shapes(value)
    return tuple(_asked(item) for item in items)


def _asked(item: object) -> Asked:
    if _is_shape(item):
        return tuple(int(n) for n in item)
    if isinstance(item, Mapping) and all(isinstance(n, str) and _is_shape(s) for n, s in item.items()):
        return {name: tuple(int(n) for n in shape) for name, shape in item.items()}
    if isinstance(item, tuple | list):
        return tuple(_flat(item))
    raise _wrong_shapes(item)


def _flat(item: tuple[object, ...] | list[object]) -> list[Shape]:
    """The shapes of arguments that may be nested, as a sample's arrays may be; those that are None are left out."""
    found: list[Shape] = []
    for one in item:
        if _is_shape(one):
            found.append(tuple(int(n) for n in one))
        elif isinstance(one, tuple | list):
            found += _flat(one)
        elif one is not None:
            raise _wrong_shapes(one)
    return found


def _is_shape(value: object) -> TypeGuard[tuple[int, ...] | list[int]]:
    return isinstance(value, tuple | list) and all(is_int(n) and n >= 0 for n in value)


def _wrong_shapes(value: object) -> OptionError:
    return OptionError(
        "Option shapes must be a list of which each item is a shape such as (8, 3, 224, 224), a tuple of shapes, one "
        f"for each input, or a dict of them by the inputs' names; extents are integers. {value!r} is none of these. "
        "For axes that may have any extent, see the option dynamic."
    )


def checked_dynamic(value: object) -> bool | str | dict[str | int, dict[int, Range]]:
    """Option `dynamic`: True, False, "batch", or inputs, by name or position, with axes and ranges.

    Raises OptionError.
    """
    if isinstance(value, bool) or (isinstance(value, str) and value == "batch"):
        return value
    if not isinstance(value, Mapping):
        raise _wrong_dynamic(value)
    found: dict[str | int, dict[int, Range]] = {}
    for key, axes in value.items():
        if isinstance(axes, list) and isinstance(key, str):
            axes = dict.fromkeys(axes)  # as ONNX's dynamic_axes; beside a position, [1, 64] could be read as a range
        if not (isinstance(key, str) or (is_int(key) and key >= 0)) or not isinstance(axes, Mapping):
            raise _wrong_dynamic(value)
        name = key if isinstance(key, str) else int(key)
        found[name] = {}
        for axis, bounds in axes.items():
            if not is_int(axis):
                raise _wrong_dynamic(value)
            found[name][int(axis)] = _range(bounds, value)
    return found


def _range(bounds: object, value: object) -> Range:
    if bounds is None or bounds is True:
        return None
    if (
        isinstance(bounds, tuple | list)
        and len(bounds) == 2
        and all(map(is_int, bounds))
        and 0 < bounds[0] <= bounds[1]
    ):
        return int(bounds[0]), int(bounds[1])
    raise _wrong_dynamic(value)


def _wrong_dynamic(value: object) -> OptionError:
    return OptionError(
        "Option dynamic must be True, False, 'batch', or a mapping such as {'data': {0: (1, 64), 1: None}} from "
        "inputs, by name or position, to their dynamic axes, each with its least and its largest extent, or None for "
        f"any, not {value!r}."
    )


def checked_buckets(value: object) -> dict[str | int, dict[int, tuple[int, ...]]]:
    """Option `buckets`: inputs, by name or position, with axes, and the extents of each. Raises OptionError."""
    found: dict[str | int, dict[int, tuple[int, ...]]] = {}
    for key, axes in _inputs(value, _wrong_buckets):
        if not isinstance(axes, Mapping) or not axes:
            raise _wrong_buckets(value)
        for axis, extents in axes.items():
            extents = (extents,) if is_int(extents) else extents
            right = isinstance(extents, tuple | list | range) and all(is_int(n) and n > 0 for n in extents)
            if not is_int(axis) or not right or not extents:
                raise _wrong_buckets(value)
            found.setdefault(key, {})[int(axis)] = tuple(sorted({int(n) for n in extents}))
    return found


def checked_padding(value: object) -> dict[str | int, dict[int, float]]:
    """Option `padding`: inputs, by name or position, with axes, and the value for each. Raises OptionError."""
    found: dict[str | int, dict[int, float]] = {}
    for key, axes in _inputs(value, _wrong_padding):
        axes = dict.fromkeys(axes, 0) if isinstance(axes, tuple | list) else {axes: 0} if is_int(axes) else axes
        if not isinstance(axes, Mapping):
            raise _wrong_padding(value)
        for axis, number in axes.items():
            if not is_int(axis) or isinstance(number, bool) or not isinstance(number, Real) or not isfinite(number):
                raise _wrong_padding(value)
            found.setdefault(key, {})[int(axis)] = int(number) if is_int(number) else float(number)
    return found


def _inputs(value: object, wrong: Callable[[object], OptionError]) -> Iterator[tuple[str | int, Any]]:
    """What a mapping says of each input, nothing if it is None; `wrong` makes the error for what is no mapping."""
    if value is None:
        return
    if not isinstance(value, Mapping):
        raise wrong(value)
    for key, axes in value.items():
        if not (isinstance(key, str) or (is_int(key) and key >= 0)):
            raise wrong(value)
        yield key if isinstance(key, str) else int(key), axes


def _wrong_buckets(value: object) -> OptionError:
    return OptionError(
        "Option buckets must be a mapping such as {'data': {1: [64, 128, 256]}} from inputs, by name or position, to "
        f"axes, each with the extents of its buckets, which are positive integers, not {value!r}."
    )


def _wrong_padding(value: object) -> OptionError:
    return OptionError(
        "Option padding must be a mapping such as {'data': {1: 0}} from inputs, by name or position, to axes of "
        "buckets, each with the number that it is padded with, or such as {'data': [1]}, which pads with 0, not "
        f"{value!r}."
    )
