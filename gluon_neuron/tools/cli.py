"""The command `gluon-neuron`: parses its line and calls the tool it names."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .._version import __version__
from ..errors import GluonNeuronError, InputError
from ..import_hooks import needs_mxnet
from .piped import piped


@piped
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status: 0, or 1 after an error that was explained or a check that found any."""
    given = _parser().parse_args(argv)
    try:
        with needs_mxnet():
            print(given.run(given))
    except BrokenPipeError:
        raise  # for `piped`
    except (GluonNeuronError, OSError) as error:
        print(f"gluon-neuron {given.command}: {error}", file=sys.stderr)
        return 1
    return int(given.status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gluon-neuron", description="Tools for models compiled by gluon_neuron.")
    parser.add_argument("--version", action="version", version=__version__)
    parser.set_defaults(status=0)
    commands = parser.add_subparsers(dest="command", required=True)

    check = commands.add_parser("check-model", help="what of a checkpoint is, or could be, compiled")
    check.add_argument("prefix", help="the part of the files' names before -symbol.json")
    check.add_argument("--epoch", type=int, default=0, help="the number in the name of the parameters file")
    check.add_argument(
        "--show-names", "--show_names", action="store_true", help="a line for each node instead of each operator"
    )
    check.add_argument(
        "--expand-subgraph", "--expand_subgraph", action="store_true", help="list the operators inside the subgraphs"
    )
    check.set_defaults(run=_check_model)

    inspect = commands.add_parser("inspect", help="what the files of a compiled model hold; needs no MXNet")
    inspect.add_argument("file", help="the symbol's or the parameters' file, or the part of their names before -symbol")
    inspect.add_argument("--epoch", type=int, help="the number in the name of the parameters file")
    inspect.add_argument("--json", action="store_true", help="the same as JSON")
    inspect.set_defaults(run=_inspect)

    hlo = commands.add_parser("check-hlo", help="what the Neuron compiler refuses in a serialised HloModuleProto")
    hlo.add_argument("file", help="the module, as jax or SUBGRAPH_INFO=1 wrote it")
    hlo.add_argument(
        "--target", choices=["inf2", "trn1", "trn2"], default="inf2", help="inf2, unless you say otherwise"
    )
    hlo.set_defaults(run=_check_hlo)

    hardware = commands.add_parser("check-hardware", help="try everything on this machine's NeuronCores")
    hardware.add_argument("-o", "--output", required=True, help="a new directory for the report")
    hardware.add_argument("--target", choices=["inf1", "inf2", "trn1", "trn2"], help="the chip, if it cannot be told")
    hardware.add_argument("--model", action="append", default=[], help="a net to take, no others; can be repeated")
    hardware.add_argument("--check", action="append", default=[], help="a check to make, no others; can be repeated")
    hardware.set_defaults(run=_check_hardware)

    gather = commands.add_parser("gather-info", help="collect what a bug report needs")
    gather.add_argument("-o", "--output", required=True, help="a new directory")
    gather.add_argument("--model", help="prefix of a compiled checkpoint whose report is taken")
    gather.add_argument("--work-dir", default=".", help="where SUBGRAPH_INFO=1 kept its files")
    gather.add_argument("--include-weights", action="store_true", help="take the kept parameters too")
    gather.set_defaults(run=_gather_info)

    again = commands.add_parser("compile-kept", help="compile a region that SUBGRAPH_INFO=1 kept")
    again.add_argument("prefix", help="the part of the kept files' names before -symbol.json")
    again.add_argument("-o", "--output", help="prefix of the compiled checkpoint to write")
    again.set_defaults(run=_compile_kept)

    cache = commands.add_parser("cache", help="list, prune or clear the compile cache of the Neuron compilers")
    cache.add_argument("action", choices=("list", "prune", "clear"))
    cache.add_argument("--dir", help="its directory; that of NEURON_COMPILE_CACHE_URL, or the user's, without it")
    cache.add_argument("--size", help="what prune leaves, such as 500M; without it GLUON_NEURON_CACHE_SIZE, or 10G")
    cache.set_defaults(run=_cache)

    mar = commands.add_parser("archive", help="pack a checkpoint for multi-model-server")
    mar.add_argument("prefix", help="the part of the files' names before -symbol.json")
    mar.add_argument("output", help="NAME.mar, to be served under NAME")
    mar.add_argument("--epoch", type=int, default=0, help="the number in the name of the parameters file")
    mar.add_argument("--input", help="NAME=BATCH,... : the only input's name and shape; compiled checkpoints know them")
    mar.add_argument("--labels", help="a file with one label per line")
    mar.add_argument("--input-type", default="image/jpeg", help="image/jpeg (the default) or application/json")
    mar.add_argument("--resize", type=int, help="pixels of an image's shorter side before the middle is cropped")
    mar.add_argument("--no-softmax", action="store_true", help="the model's output is probabilities already")
    mar.add_argument("--top", type=int, default=5, help="how many labels an answer has")
    mar.set_defaults(run=_archive)
    return parser


def _check_model(given: argparse.Namespace) -> str:
    from .check_model import check_model

    return check_model(given.prefix, given.epoch, given.show_names, given.expand_subgraph)


def _inspect(given: argparse.Namespace) -> str:
    from .inspect_model import inspect_model

    return inspect_model(given.file, given.epoch, given.json)


def _check_hlo(given: argparse.Namespace) -> str:
    from .check_hlo import check_hlo

    page, violations = check_hlo(given.file, given.target)
    given.status = 1 if violations else 0
    return page


def _check_hardware(given: argparse.Namespace) -> str:
    from .check_hardware import check_hardware

    report, passed = check_hardware(given.output, given.target, given.model, given.check)
    given.status = 0 if passed else 1
    return report


def _gather_info(given: argparse.Namespace) -> str:
    from .gather_info import gather_info

    return "\n".join(gather_info(given.output, given.model, given.work_dir, given.include_weights))


def _compile_kept(given: argparse.Namespace) -> str:
    from .compile_kept import compile_kept

    return compile_kept(given.prefix, given.output)


def _cache(given: argparse.Namespace) -> str:
    from .cache import run

    return run(given.action, given.dir, given.size)


def _archive(given: argparse.Namespace) -> str:
    from ..serve import archive

    inputs = None
    if given.input:
        name, _, shape = given.input.partition("=")
        try:
            inputs = {name: [int(d) for d in shape.split(",")]}
        except ValueError as error:
            raise InputError(f"--input {given.input!r} must be NAME=BATCH,..., such as data=1,3,224,224.") from error
    made = archive(
        given.prefix,
        given.output,
        epoch=given.epoch,
        inputs=inputs,
        labels=given.labels,
        input_type=given.input_type,
        resize=given.resize,
        softmax=not given.no_softmax,
        top=given.top,
    )
    return f"{made}: serve it with multi-model-server --start --model-store {made.parent} --models {made.name}"
