"""How the command ends: its exit statuses, and which errors it explains in a line."""

from __future__ import annotations

import sys

from ..errors import GluonNeuronError, InputError, reason

DONE = 0
FOUND = 1
WRONG_USAGE = 2
FAILED = 3
DEFECT = 4
STOPPED = 130

STATUSES = {
    DONE: "done",
    FOUND: "a check found something: results that differ, an operator that is refused, a test that failed",
    WRONG_USAGE: "the command line is wrong",
    FAILED: "an error, which one line on standard error explains",
    DEFECT: "an error that nobody foresaw: a defect, shown with its traceback; please report it",
    STOPPED: "stopped by Ctrl-C",
}
"""What each exit status means."""


class WrongLine(InputError):
    """What the command line says is possible for no model."""


def explained(error: Exception) -> str | None:
    """What an error says, on one line; None for one that was not foreseen."""
    if isinstance(error, GluonNeuronError):
        return _one_line(str(error))
    if isinstance(error, OSError):
        named = error.filename is not None and error.strerror
        return _one_line(f"{error.filename}: {error.strerror}" if named else str(error))
    if isinstance(error, UnicodeEncodeError):
        return f"{error.object!r} is not UTF-8, as MXNet and JSON need it to be; name the file otherwise."
    if isinstance(error, MemoryError):
        return "There is not enough memory."
    mxnet = sys.modules.get("mxnet")
    if mxnet is not None and isinstance(error, mxnet.base.MXNetError):
        return _one_line(f"MXNet says: {reason(error)}")
    return None


def _one_line(text: str) -> str:
    return " ".join(filter(None, map(str.strip, text.splitlines()))) or "no reason is known"
