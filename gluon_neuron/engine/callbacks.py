"""What the native library asks this process for: programs for other shapes, MXNet's graph pass, and warnings.

Each is handed in from above, before or after the library is loaded: what runs models does not know the compiler.
"""

from __future__ import annotations

import ctypes
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .forks import Lock

ProgramMaker = Callable[[str, str], bytes]
"""Makes the artifact for a region's graph JSON and a request (JSON), or raises an exception with the reason."""

PassAnswer = Callable[[str, str], tuple[str, int, dict[str, bytes]]]
"""Answers MXNet's graph pass: from the graph's and the request's JSON, the new graph's JSON, and on which host device
which new uint8 arguments are to be made; or raises an exception with the reason."""

_Emit = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)
_Argument = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t)

ProgramCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p, _Emit)
PassCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p, _Emit, _Argument)
MessageCallback = ctypes.CFUNCTYPE(None, ctypes.c_char_p)

_logger = logging.getLogger("gluon_neuron")

_lock = Lock()
_library: ctypes.CDLL | None = None
_program: ctypes._FuncPointer = ProgramCallback()
_pass: ctypes._FuncPointer = PassCallback()
# Python may collect garbage, and so end sessions, on whichever thread runs Python: also on one that the library calls
# back from.
_running = threading.local()


def set_program_maker(make: ProgramMaker | None) -> None:
    """Who makes programs for signatures that an artifact does not hold; None for nobody.

    It is called on MXNet's own thread: it must neither run MXNet operators nor wait for arrays.
    """
    global _program
    callback = ProgramCallback() if make is None else ProgramCallback(_program_reply(make))
    with _lock:
        if _library is not None:
            _library.gn_set_program_callback(callback)
        _program = callback  # after the exchange: until then the library may call the old one


def set_pass_answer(answer: PassAnswer | None) -> None:
    """Who answers `optimize_for(..., backend="neuron")`; None for nobody. It is called on the thread that asked."""
    global _pass
    callback = PassCallback() if answer is None else PassCallback(_pass_reply(answer))
    with _lock:
        if _library is not None:
            _library.gn_set_pass_callback(callback)
        _pass = callback


def attach(library: ctypes.CDLL) -> None:
    """Hand everything to the library, which has just been loaded."""
    global _library
    library.gn_set_program_callback.argtypes = [ProgramCallback]
    library.gn_set_pass_callback.argtypes = [PassCallback]
    library.gn_set_warning_callback.argtypes = [MessageCallback]
    library.gn_set_info_callback.argtypes = [MessageCallback]
    with _lock:
        library.gn_set_program_callback(_program)
        library.gn_set_pass_callback(_pass)
        library.gn_set_warning_callback(_warn)
        library.gn_set_info_callback(_inform)
        _library = library


def running() -> bool:
    """Whether this thread is inside a callback: the library then holds its locks."""
    return bool(getattr(_running, "depth", 0))


def _program_reply(make: ProgramMaker) -> Callable[..., int]:
    def reply(graph: bytes, request: bytes, sink: int, emit: Callable[[int, bytes, int], None]) -> int:
        with called_back():
            try:
                data, status = make(graph.decode(), request.decode()), 0
            except Exception as error:
                data, status = _text_of(error), 1
            emit(sink, data, len(data))
        return status

    return reply


def _pass_reply(answer: PassAnswer) -> Callable[..., int]:
    def reply(
        graph: bytes,
        request: bytes,
        sink: int,
        emit: Callable[[int, bytes, int], None],
        argument: Callable[[int, bytes, int, bytes, int], None],
    ) -> int:
        with called_back():
            try:
                text, device, arrays = answer(graph.decode(), request.decode())
                for name, content in arrays.items():
                    argument(sink, name.encode(), device, content, len(content))
                data, status = text.encode(), 0
            except Exception as error:
                data, status = _text_of(error), 1
            emit(sink, data, len(data))
        return status

    return reply


def _text_of(error: Exception) -> bytes:
    # An exception cannot cross C++; its text does.
    return f"{type(error).__name__}: {error}".encode()


@contextmanager
def called_back() -> Iterator[None]:
    """Inside, this thread is inside a callback."""
    _running.depth = getattr(_running, "depth", 0) + 1
    try:
        yield
    finally:
        _running.depth -= 1


@MessageCallback
def _warn(message: Any) -> None:
    _logger.warning("%s", message.decode(errors="replace"))


@MessageCallback
def _inform(message: Any) -> None:
    _logger.info("%s", message.decode(errors="replace"))
