"""The commands that make, run, compare and describe compiled models."""

from __future__ import annotations

from typing import Annotated

import typer

from .answer import Answer
from .command import AsJson, command

_GROUP = "Models"

Epoch = Annotated[
    int | None,
    typer.Option(help="The number in the parameters file's name; without it 0, or the only one.", min=0),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    command(app, "inspect", _GROUP, ["net", "net-symbol.json --json", "net --epoch 3"])(inspect)


def inspect(
    file: Annotated[
        str,
        typer.Argument(help="The symbol's or the parameters' file, or the part of their names before -symbol.json."),
    ],
    epoch: Epoch = None,
    as_json: AsJson = False,
) -> Answer:
    """Say what the files of a compiled model hold: inputs, shapes, programs, identity. It needs no MXNet."""
    from .inspect_model import inspect_model

    return inspect_model(file, epoch)
