"""How long compiled nodes and the engine's kernels run: timed by the native library, for one who asks at a time."""

from __future__ import annotations

import ctypes
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import callbacks, native_library
from .forks import Lock

Describe = Callable[[bytes, "np.ndarray[Any, Any]", Mapping[str, str]], Any]
"""Says what a program that is timed consists of: from its IR's text, the bytes that its constants refer to (which
must not be kept), and the engine's settings. It is called on whichever thread runs the program, and must not run
MXNet's operators."""

_logger = logging.getLogger("gluon_neuron")

_turn = Lock()
_owner = ""


@dataclass(frozen=True)
class Run:
    """One run of a compiled node: the number of its program (0 when the engine times no kernels), from when to when in
    nanoseconds of `time.perf_counter_ns`, and the system's number of its thread."""

    node: str
    program: int
    begin: int
    end: int
    thread: int


@dataclass(frozen=True)
class TimedKernel:
    """A kernel's own name, its type, what executes it, and the mean of its runs so far in whole microseconds."""

    name: str
    kind: str
    implementation: str
    us: int


@dataclass(frozen=True)
class TimedProgram:
    """Kernels of a program that was timed, as each of its infer requests has them.

    A call runs it `parts` times, in so many `streams` at the same time; `dynamic` ones are for any shape. `described`
    is what `Describe` said, None where it failed. `region` is the graph of its operators as MXNet's JSON object, and
    `data` are the names of those of its variables that a call passes: the others are weights.
    """

    parts: int
    streams: int
    dynamic: bool
    graphs: tuple[tuple[TimedKernel, ...], ...]
    described: Any
    region: Mapping[str, Any]
    data: frozenset[str]


class TimedRuns:
    """What is timed between its beginning and its end."""

    def __init__(self, describe: Describe) -> None:
        self._library = native_library.functions()
        _declare(self._library)
        self._described: dict[int, Any] = {}
        self._callback = _TwinCallback(_reply(describe, self._described))
        self._library.gn_set_twin_callback(self._callback)
        self._library.gn_timing_begin()

    def forget(self) -> None:
        """Begin anew: with no runs, and other programs."""
        self._library.gn_timing_begin()

    def turn(self, on: bool) -> None:
        """Time runs from now on, or do not."""
        self._library.gn_timing_turn(on)

    @contextmanager
    def on(self) -> Iterator[None]:
        """Inside, runs are timed."""
        self.turn(True)
        try:
            yield
        finally:
            self.turn(False)

    def read(self) -> tuple[list[Run], dict[int, TimedProgram]]:
        """All runs so far in the order of their ends, and the programs by number."""
        size = 1 << 16
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = self._library.gn_timing_read(buffer, size)
            if length < size:
                break
            size = length + (1 << 16)
        found = json.loads(buffer.value)
        programs = {int(k): _program(p, self._described.get(int(k))) for k, p in found["programs"].items()}
        return [Run(*run) for run in found["runs"]], programs

    def end(self) -> None:
        """Stop, and let go of the programs that were compiled for it."""
        self._library.gn_timing_end()
        self._library.gn_set_twin_callback(_TwinCallback())


def take(owner: str) -> str:
    """Take the turn for an owner, by its name; the name of who has it already, or "" where it was taken."""
    global _owner
    with _turn:
        if _owner:
            return _owner
        _owner = owner
        return ""


def give_back() -> None:
    """Let another have the turn."""
    global _owner
    with _turn:
        _owner = ""


def _program(found: Mapping[str, Any], described: Any) -> TimedProgram:
    times = found["timings"]
    graphs = tuple(tuple(TimedKernel(*kernel) for kernel in graph) for graph in times["graphs"])
    of_region = found["graph"], frozenset(found["data"])
    return TimedProgram(times["parts"], times["streams"], times["dynamic"], graphs, described, *of_region)


def _reply(describe: Describe, described: dict[int, Any]) -> Callable[..., None]:
    def reply(number: int, xml: int, xml_size: int, base: int, size: int, config: bytes) -> None:
        with callbacks.called_back():
            try:
                constants = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(base))
                described[number] = describe(ctypes.string_at(xml, xml_size), constants, json.loads(config))
            except Exception:
                # It cannot cross C++; operators then have the engine's own names.
                _logger.warning("the kernels of a program cannot be traced to its operators", exc_info=True)

    return reply


_TwinCallback = ctypes.CFUNCTYPE(
    None,
    *(ctypes.c_uint64, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p),
)


def _declare(library: ctypes.CDLL) -> None:
    library.gn_set_twin_callback.argtypes = [_TwinCallback]
    library.gn_set_twin_callback.restype = None
    library.gn_timing_read.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    library.gn_timing_read.restype = ctypes.c_size_t
