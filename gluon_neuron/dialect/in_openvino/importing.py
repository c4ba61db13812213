"""Imports OpenVINO's Python package without the part that reports the import to its makers."""

from __future__ import annotations

import os
import sys
import threading
from types import ModuleType
from typing import Any

import numpy as np

_CONVERTER = "openvino.tools.ovc"
_lock = threading.RLock()
_converted = False


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

        _convert_first(openvino)
        return openvino


def _convert_first(openvino: Any) -> None:
    """Have OpenVINO convert between its arrays and NumPy's once, within the lock.

    At the first time it looks things up, and may give Python's lock to another thread meanwhile, which then waits for
    what is looked up and never gives Python's lock back.
    """
    global _converted
    if _converted:
        return
    from openvino import opset15

    for dtype in ("bool", "int8", "uint8", "int32", "int64", "float16", "float32", "float64"):
        array = np.zeros((1, 2), dtype)
        element = openvino.Type(array.dtype)
        element.to_dtype()
        assert opset15.constant(array, element).data.dtype == array.dtype
        assert openvino.Tensor(array).data.dtype == array.dtype
    opset15.constant(np.zeros(2, np.float32), openvino.Type.bf16)
    opset15.constant(1, openvino.Type.i32)
    _converted = True


def _before() -> None:
    with _lock:  # in a child, what another thread has half looked up would stay so
        pass


def _in_child() -> None:
    global _lock
    _lock = threading.RLock()


os.register_at_fork(before=_before, after_in_child=_in_child)
