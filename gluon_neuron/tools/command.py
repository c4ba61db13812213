"""Makes a function that returns an Answer a command: prints what it found, explains errors, says the exit status."""

from __future__ import annotations

import functools
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout, suppress
from typing import Annotated, Any

import typer

from ..import_hooks import needs_mxnet
from .answer import Answer
from .ending import DEFECT, FAILED, STOPPED, WRONG_USAGE, WrongLine, explained

PROGRAM = "gluon-neuron"

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, and nothing else, on standard output.")]
"""The option that every command has, as its parameter `as_json`."""

Command = Callable[..., Answer]


def command(app: typer.Typer, name: str, group: str, examples: Sequence[str]) -> Callable[[Command], Command]:
    """Register a function as the command `name`, in a group of the help's list, with the examples of its help.

    The function has the parameter `as_json`, which only says how its Answer is printed.
    """

    def register(function: Command) -> Command:
        @functools.wraps(function)
        def run(**given: Any) -> None:
            raise typer.Exit(carry_out(name, lambda: function(**given), given["as_json"]))

        # An empty line is what the help keeps as the end of a line.
        epilog = "\n\n".join(["Examples:", *(f"{PROGRAM} {name} {line}".rstrip() for line in examples)])
        app.command(name, rich_help_panel=group, epilog=epilog)(run)
        return function

    return register


def _forget_what_follows() -> None:
    """MXNet raises late, once for each array that an operator could not compute: the first said it all."""
    mxnet = sys.modules.get("mxnet")
    if mxnet is not None and hasattr(mxnet, "nd"):
        with suppress(mxnet.base.MXNetError):
            mxnet.nd.waitall()


def carry_out(name: str, function: Callable[[], Answer], as_json: bool) -> int:
    """Print the Answer, or the error that came instead, and return the exit status.

    Whatever is printed on the way goes to standard error, so that the Answer is alone.
    """
    try:
        with needs_mxnet(), redirect_stdout(sys.stderr):
            answer = function()
        print(answer.json if as_json else answer.text)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return STOPPED
    except Exception as error:
        told = explained(error)
        _forget_what_follows()
        with suppress(BrokenPipeError):  # nobody reads what it complains of either
            if told is None:
                traceback.print_exc()
                told = f"this is a defect of {PROGRAM}, please report it with what is above."
                print(f"{PROGRAM} {name}: {told}", file=sys.stderr, flush=True)
                return DEFECT
            print(f"{PROGRAM} {name}: {told}", file=sys.stderr, flush=True)
        return WRONG_USAGE if isinstance(error, WrongLine) else FAILED
    return answer.status
