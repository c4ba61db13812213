"""The commands about this machine: its chips, what is installed, the compile cache, a try of everything."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from .answer import Answer
from .command import AsJson, command
from .ending import DONE, FOUND

_GROUP = "This machine"


class Action(str, Enum):
    """What is done to the cache."""

    list = "list"
    prune = "prune"
    clear = "clear"


class Chip(str, Enum):
    """The targets that are chips."""

    inf1 = "inf1"
    inf2 = "inf2"
    trn1 = "trn1"
    trn2 = "trn2"


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    command(app, "devices", _GROUP, ["", "--json"])(devices)
    command(app, "doctor", _GROUP, ["", "--json"])(doctor)
    command(app, "cache", _GROUP, ["list", "prune --size 500M", "clear --dir /var/cache/neuron"])(cache)
    command(
        app,
        "check-hardware",
        _GROUP,
        ["-o report", "-o report --target inf2 --model resnet50_v1 --check compiles --check runs"],
    )(check_hardware)
    command(app, "gather-info", _GROUP, ["-o info", "-o info --model net"])(gather_info)


def devices(as_json: AsJson = False) -> Answer:
    """Say which Neuron chips and cores this machine has. No core is taken."""
    from ..engine.devices import devices

    found = devices()
    return Answer(str(found), found)


def doctor(as_json: AsJson = False) -> Answer:
    """Say what is installed, and what is wrong with it.

    Each library is tried in a process of its own, so that one which crashes is told of like the others. The exit status
    is 1 where something has to be mended before models can be compiled and run.
    """
    from .doctor import doctor

    return doctor()


def cache(
    action: Annotated[Action, typer.Argument(help="What to do.")],
    dir: Annotated[
        str | None,
        typer.Option(help="The cache's directory; that of NEURON_COMPILE_CACHE_URL, or the user's, without it."),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(help="What prune leaves, such as 500M; without it GLUON_NEURON_CACHE_SIZE, or 10G."),
    ] = None,
    as_json: AsJson = False,
) -> Answer:
    """List, prune or clear the compile cache of the Neuron compilers."""
    from .cache import run

    return run(action.value, dir, size)


def check_hardware(
    output: Annotated[Path, typer.Option("-o", "--output", help="A new directory for the report.")],
    target: Annotated[Chip | None, typer.Option(help="The chip, if it cannot be told.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="A net to take, no others; can be repeated.")] = None,
    check: Annotated[list[str] | None, typer.Option(help="A check to make, no others; can be repeated.")] = None,
    as_json: AsJson = False,
) -> Answer:
    """Try everything on this machine's NeuronCores, and write a report to send back.

    The exit status is 1 where a check failed.
    """
    import json

    from .check_hardware import check_hardware

    report, passed = check_hardware(output, target.value if target else None, model or (), check or ())
    found = json.loads((output / "report.json").read_text(encoding="utf-8"))
    return Answer(report, found, DONE if passed else FOUND)


def gather_info(
    output: Annotated[Path, typer.Option("-o", "--output", help="A new directory.")],
    model: Annotated[str | None, typer.Option(help="Prefix of a compiled checkpoint whose report is taken.")] = None,
    work_dir: Annotated[Path, typer.Option(help="Where SUBGRAPH_INFO=1 kept its files.")] = Path("."),
    include_weights: Annotated[bool, typer.Option("--include-weights", help="Take the kept parameters too.")] = False,
    as_json: AsJson = False,
) -> Answer:
    """Collect what a bug report needs: no weights unless you ask for them, and never inputs."""
    from .gather_info import gather_info

    taken = gather_info(output, model, work_dir, include_weights)
    return Answer("\n".join(taken), {"directory": output, "files": taken})
