"""A model that the line names as a compiled block: its files hold it, or it is compiled now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..block import NeuronHybridBlock
from ..errors import InputError
from .model_from_line import Arrays, Compiled, LineModel
from .progress import shown


def check_options(model: LineModel, what: str, options: Mapping[str, Any]) -> None:
    """Raise InputError for options of a model that is compiled already."""
    if isinstance(model, Compiled) and options:
        raise InputError(
            f"{what} is compiled already, so {', '.join(options)} would change nothing; compile it anew with these."
        )


def ready(model: LineModel, what: str, arrays: Arrays, options: Mapping[str, Any]) -> NeuronHybridBlock:
    """The block for the arrays; compiled now, with `options`, if it was not."""
    if isinstance(model, Compiled):
        return model.runs(arrays)
    with shown(f"Compiling {what}", str(options.get("target", "auto"))):
        return model.compiled(arrays, options)
