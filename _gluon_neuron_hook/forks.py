"""A fork waits for other threads' imports of MXNet and of what is built on it: a child would wait for their locks for ever."""

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_OURS = ("mxnet", "gluon_neuron", __package__, "openvino")
_LONGEST = 60.0
_NAP = 0.001
_IMPORTLIB = "<frozen importlib._bootstrap>"


def _wait_for_imports() -> None:
    end = time.monotonic() + _LONGEST
    while _underway() and not _imports_here() and time.monotonic() < end:
        time.sleep(_NAP)


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


# Whatever is registered later is called sooner, and waits for what may import.
os.register_at_fork(before=_wait_for_imports)
