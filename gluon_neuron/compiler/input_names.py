"""The names by which a user may call a model's inputs, those of its symbol or of the block's arguments; their axes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from ..errors import OptionError, nearest
from ..frontend.model import ExportedModel

_Asked = TypeVar("_Asked")


def input_names(model: ExportedModel) -> dict[str, str]:
    """The symbol's input by each name. An argument has its own name too, where each is one array."""
    found = {n: n for n in model.inputs}
    one_each = isinstance(model.in_format, list) and model.in_format == [0] * len(model.inputs)
    if one_each:
        for argument, name in zip(model.arguments, model.inputs, strict=False):
            found.setdefault(argument, name)
    return found


def named_axes(
    model: ExportedModel, given: Mapping[str | int, Mapping[int, _Asked]], option: str
) -> dict[tuple[str, int], _Asked]:
    """What an option says of axes of inputs, each by the symbol's name of the input and the axis counted from 0.

    Raises OptionError for inputs and axes that the model does not have, and for one that is named twice.
    """
    found: dict[tuple[str, int], _Asked] = {}
    for key, axes in given.items():
        name = _input(model, key, option)
        shape = model.specs[name].shape
        for axis, asked in axes.items():
            at = axis + len(shape) if axis < 0 else axis
            if not 0 <= at < len(shape):
                raise OptionError(f"Option {option} names axis {axis} of {name!r}, whose shape is {shape}.")
            if (name, at) in found:
                raise OptionError(f"Option {option} names axis {at} of {name!r} twice.")
            found[name, at] = asked
    return found


def _input(model: ExportedModel, key: str | int, option: str) -> str:
    if isinstance(key, int):
        if key >= len(model.inputs):
            raise OptionError(f"Option {option} names input {key}, and the model takes {len(model.inputs)} of them.")
        return model.inputs[key]
    known = input_names(model)
    if key not in known:
        hint = nearest(key, known)
        raise OptionError(f"Option {option} names {key!r}; the inputs are {', '.join(model.inputs)}.{hint}")
    return known[key]
