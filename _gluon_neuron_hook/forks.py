"""A fork waits for other threads' imports of MXNet and of what is built on it, for whose locks a child would wait."""

import concurrent.futures.thread
import logging
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_OURS = ("mxnet", "gluon_neuron", __package__, "openvino")
_LONGEST = 20.0
_NAP = 0.001
_QUIET = 10
_IMPORTLIB = "<frozen importlib._bootstrap>"

elsewhere = False
"""Whether somebody else calls `wait_for_imports` at each fork."""


def wait_for_imports() -> None:
    """Wait until no other thread imports any of these; not for ever, and not within an import."""
    if not _underway() or _imports_here():
        return
    # Who has imported one often goes on with the next.
    end = time.monotonic() + _LONGEST
    quiet = 0
    while quiet < _QUIET and time.monotonic() < end:
        time.sleep(_NAP)
        quiet = 0 if _underway() else quiet + 1


def _underway() -> bool:
    """Whether a module of these is being executed, whichever thread does."""
    for name in list(sys.modules):
        if name.partition(".")[0] in _OURS:
            spec = getattr(sys.modules.get(name), "__spec__", None)
            if getattr(spec, "_initializing", False):
                return True
    return False


def _imports_here() -> bool:
    """Whether this thread is importing something itself: another may wait for that."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTLIB:
            return True
        frame = frame.f_back
    return False


def _before() -> None:
    if not elsewhere:
        wait_for_imports()


# What is registered later is called sooner. These take locks for a fork that an import may want: they come after us.
_THESE_FIRST = logging, concurrent.futures.thread
os.register_at_fork(before=_before)
