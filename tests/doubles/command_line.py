"""What the doubles of both compilers share: parsing that refuses what is not published, messages in their style."""

from __future__ import annotations

import argparse
import os
import sys
import time
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

RECORD = "DOUBLE_COMPILER_RECORD"
"""Names a file that gets a line for each compile that begins."""
MISBEHAVE = "DOUBLE_COMPILER_DOES"
"""What a compile does instead of its work: "fail", "crash", "sleep", "child" (a sleeping child too), "nothing"."""


class Failure(Exception):
    """The compile fails, for the reason given."""


class Parser(argparse.ArgumentParser):
    """Refuses flags that were shortened, and ends with status 1 as the compilers do."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, allow_abbrev=False, **kwargs)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the command line, and end."""
        self.print_usage(sys.stderr)
        say(self.prog.split()[0], message)
        sys.exit(1)


def say(program: str, message: str) -> None:
    """A line on standard error as the compilers log one."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    print(f"{now} ERROR {os.getpid()} [{program}]: {message}", file=sys.stderr, flush=True)


def existing(name: str) -> Path:
    """A file of the command line; one that is not there is a failure."""
    path = Path(name)
    if not path.is_file():
        raise Failure(f"Input file {name} does not exist")
    return path


def run(program: str, compile_: Callable[[], None]) -> int:
    """Run a compile; returns the exit status."""
    record, does = os.environ.get(RECORD), os.environ.get(MISBEHAVE)
    if record:
        with open(record, "a", encoding="utf-8") as file:
            file.write(f"{os.getpid()} {' '.join(sys.argv[1:])}\n")
    try:
        if does:
            _misbehave(does)
        else:
            compile_()
    except Failure as failure:
        say(program, str(failure))
        return 70
    print("Compiler status PASS")
    return 0


def leave_mxnet_out() -> None:
    """Let modules of gluon_neuron be imported without the package's own start, which loads MXNet."""
    package = types.ModuleType("gluon_neuron")
    package.__path__ = [str(Path(__file__).resolve().parents[2] / "gluon_neuron")]
    sys.modules.setdefault("gluon_neuron", package)


def main(program: str, parser: Parser, operators: Callable[[], Sequence[str]]) -> int:
    """Parse the command line and do what it says; returns the exit status."""
    leave_mxnet_out()
    try:
        given = parser.parse_args()
        if given.command == "list-operators":
            print("\n".join(operators()))
            return 0
        return run(program, lambda: given.compile(given))
    except Exception as error:  # the compiler's own defects are errors of its kind too
        say(program, f"*** An Internal Compiler Error has occurred: {type(error).__name__}: {error}")
        return 70


def _misbehave(does: str) -> None:
    if does in ("sleep", "child"):
        if does == "child" and os.fork() == 0:
            time.sleep(600)
        time.sleep(600)
    if does == "crash":
        os.abort()
    if does == "fail":
        print("*" * 61)
        print(" An Internal Compiler Error has occurred")
        raise Failure("[NCC_EBVF030] Number of instructions exceeds the limit.")
