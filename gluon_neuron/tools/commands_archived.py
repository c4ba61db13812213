"""The commands that the archived package had in some form: checkpoints, kept regions, HLO modules, archives."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from .answer import Answer
from .command import AsJson, command

_GROUP = "Checkpoints and regions"

Prefix = Annotated[str, typer.Argument(metavar="PREFIX", help="The part of the files' names before -symbol.json.")]
Epoch = Annotated[
    int | None,
    typer.Option(help="The number in the parameters file's name; without it 0, or the only one.", min=0),
]


class HloTarget(str, Enum):
    """The targets whose compiler takes HLO modules."""

    inf2 = "inf2"
    trn1 = "trn1"
    trn2 = "trn2"


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    command(app, "check-model", _GROUP, ["net", "net --epoch 3 --show-names", "net --no-expand-subgraph --json"])(
        check_model
    )
    command(app, "check-hlo", _GROUP, ["module.pb --target trn2"])(check_hlo)
    command(app, "compile-kept", _GROUP, ["._neuron_subgraph_op0", "._neuron_subgraph_op0 -o again"])(compile_kept)
    command(
        app,
        "archive",
        _GROUP,
        ["net store/net.mar --labels synset.txt", "net store/net.mar --input data=1,3,224,224 --top 3"],
    )(archive)


def check_model(
    prefix: Prefix,
    epoch: Epoch = None,
    show_names: Annotated[
        bool, typer.Option("--show-names", help="A line for each node instead of each operator.")
    ] = False,
    no_expand_subgraph: Annotated[
        bool, typer.Option("--no-expand-subgraph", help="Leave out the operators inside a compiled model's subgraphs.")
    ] = False,
    # As the archived package wrote them; what is inside is said without a switch now.
    show_names_of_old: Annotated[bool, typer.Option("--show_names", hidden=True)] = False,
    expand_subgraph: Annotated[bool, typer.Option("--expand-subgraph", hidden=True)] = False,
    expand_subgraph_of_old: Annotated[bool, typer.Option("--expand_subgraph", hidden=True)] = False,
    as_json: AsJson = False,
) -> Answer:
    """Say what of a checkpoint is compiled, or could be."""
    from .check_model import check_model

    return check_model(prefix, epoch, show_names or show_names_of_old, not no_expand_subgraph)


def check_hlo(
    file: Annotated[Path, typer.Argument(help="The module, as jax or SUBGRAPH_INFO=1 wrote it.")],
    target: Annotated[HloTarget, typer.Option(help="The chip.")] = HloTarget.inf2,
    as_json: AsJson = False,
) -> Answer:
    """Say what the Neuron compiler refuses in a serialised HloModuleProto, and what the module costs.

    The exit status is 1 where something is refused.
    """
    from .check_hlo import check_hlo

    return check_hlo(file, target.value)


def compile_kept(
    prefix: Annotated[
        str, typer.Argument(metavar="PREFIX", help="The part of the kept files' names before -symbol.json.")
    ],
    output: Annotated[
        str | None, typer.Option("-o", "--output", help="Prefix of the compiled checkpoint to write.")
    ] = None,
    as_json: AsJson = False,
) -> Answer:
    """Compile a region again that SUBGRAPH_INFO=1 kept."""
    from .compile_kept import compile_kept

    return compile_kept(prefix, output)


def archive(
    prefix: Prefix,
    output: Annotated[Path, typer.Argument(help="NAME.mar, to be served under NAME.")],
    epoch: Annotated[int, typer.Option(help="The number in the parameters file's name.", min=0)] = 0,
    input: Annotated[
        str | None,
        typer.Option(metavar="NAME=BATCH,...", help="The only input's name and shape; compiled checkpoints know them."),
    ] = None,
    labels: Annotated[Path | None, typer.Option(help="A file with one label per line.")] = None,
    input_type: Annotated[str, typer.Option(help="image/jpeg or application/json.")] = "image/jpeg",
    resize: Annotated[
        int | None, typer.Option(help="Pixels of an image's shorter side before the middle is cropped.", min=1)
    ] = None,
    no_softmax: Annotated[
        bool, typer.Option("--no-softmax", help="The model's output is probabilities already.")
    ] = False,
    top: Annotated[int, typer.Option(help="How many labels an answer has.", min=1)] = 5,
    as_json: AsJson = False,
) -> Answer:
    """Pack a checkpoint, compiled or not, for multi-model-server."""
    from ..serve import archive

    inputs = None
    if input:
        name, _, shape = input.partition("=")
        try:
            inputs = {name: [int(d) for d in shape.split(",")]}
        except ValueError as error:
            raise InputError(f"--input {input!r} must be NAME=BATCH,..., such as data=1,3,224,224.") from error
    made = archive(
        prefix,
        output,
        epoch=epoch,
        inputs=inputs,
        labels=labels,
        input_type=input_type,
        resize=resize,
        softmax=not no_softmax,
        top=top,
    )
    told = f"{made}: serve it with multi-model-server --start --model-store {made.parent} --models {made.name}"
    return Answer(told, {"archive": made, "model_store": made.parent, "model": made.name})
