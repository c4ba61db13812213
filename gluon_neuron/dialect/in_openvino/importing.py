"""Imports OpenVINO's Python package without the part that reports the import to its makers."""

from __future__ import annotations

import os
import sys
import threading
from types import ModuleType

_CONVERTER = "openvino.tools.ovc"
_lock = threading.Lock()


def import_openvino() -> ModuleType:
    """The module `openvino`; raises ImportError where it is not installed.

    Its `__init__` imports the model converter if it can, which sends an event over the network from a process it forks;
    within MXNet's threads that fork never ends. The converter is not needed here and stays importable afterwards.
    """
    with _lock:
        if "openvino" not in sys.modules and _CONVERTER not in sys.modules:
            sys.modules[_CONVERTER] = None  # type: ignore[assignment]  # makes its import fail, which is foreseen
            try:
                import openvino
            finally:
                del sys.modules[_CONVERTER]
        import openvino

        return openvino


def _in_child() -> None:
    # The thread that held it did not come along.
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_in_child)
