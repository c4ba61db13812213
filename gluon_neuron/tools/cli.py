"""The command `gluon-neuron`: its subcommands as one application, and what the script calls."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Annotated

import typer

from .._version import __version__
from . import commands_archived, commands_machine, commands_models
from .command import PROGRAM
from .ending import DEFECT, DONE, STATUSES, STOPPED, WRONG_USAGE
from .piped import piped

app = typer.Typer(
    name=PROGRAM,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\n\n".join(["Exit statuses:", *(f"{status}  {meaning}." for status, meaning in STATUSES.items())]),
)


def _version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit(DONE)


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Compile models of Apache MXNet for AWS Neuron chips and for the CPU; run, compare and inspect what was compiled.

    Each command has examples: gluon-neuron compile --help. With --json a command prints one JSON document.
    """
    if context.invoked_subcommand is None:
        with redirect_stdout(sys.stderr):
            print(context.get_help())
        raise typer.Exit(WRONG_USAGE)


for _commands in (commands_models, commands_machine, commands_archived):
    _commands.register(app)


@piped
def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv`, or the process's own; returns the exit status, one of `ending.STATUSES`."""
    # Not `app()`, which takes the place of the process's exception hook.
    run = typer.main.get_command(app)
    try:
        run(args=None if argv is None else list(argv), prog_name=PROGRAM)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else DONE if end.code is None else WRONG_USAGE
    except KeyboardInterrupt:
        return STOPPED
    except OSError:
        raise  # of what is printed: `piped` explains it
    except Exception:
        traceback.print_exc()
        return DEFECT
    return DONE
