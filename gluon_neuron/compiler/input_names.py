"""The names by which a user may call a model's inputs: those of its symbol, and those of the block's arguments."""

from __future__ import annotations

from ..frontend.model import ExportedModel


def input_names(model: ExportedModel) -> dict[str, str]:
    """The symbol's input by each name. An argument has its own name too, where each is one array."""
    found = {n: n for n in model.inputs}
    one_each = isinstance(model.in_format, list) and model.in_format == [0] * len(model.inputs)
    if one_each:
        for argument, name in zip(model.arguments, model.inputs, strict=False):
            found.setdefault(argument, name)
    return found
