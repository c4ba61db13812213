"""The native operator's library: found, loaded into MXNet once per process, and its C interface."""

from __future__ import annotations

import ctypes
import importlib.util
import json
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import mxnet as mx

from ..errors import NativeLibraryError
from . import parameter_watch, placement

OPERATOR = "_neuron_subgraph_op"
FILE = Path(__file__).with_name("libgluon_neuron.so")

Program = Callable[[str, str], bytes]
"""Makes the artifact for a region's graph JSON and a request (JSON), or raises an exception with the reason."""

_Emit = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)
_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p, _Emit)

Pass = Callable[[str, str], tuple[str, int, dict[str, bytes]]]
"""Answers MXNet's graph pass: from the graph's and the request's JSON, the new graph's JSON, and on which host device
which new uint8 arguments are to be made; or raises an exception with the reason."""

_Argument = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t)
_PassCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p, _Emit, _Argument)

_Warning = ctypes.CFUNCTYPE(None, ctypes.c_char_p)

_Handles = ctypes.POINTER(ctypes.c_void_p)

_Made = TypeVar("_Made")

_logger = logging.getLogger(__name__)

_lock = threading.Lock()
_loaded: ctypes.CDLL | None = None
_callback: ctypes._FuncPointer | None = None
_pass_callback: ctypes._FuncPointer | None = None
_released: deque[str | None] = deque()
# Python may collect garbage, and so end sessions, on whichever thread runs Python: also on one that the library calls
# back from.
_calling_back = threading.local()


def load() -> None:
    """Register the operator with MXNet, unless it is; cheap when it is.

    From then on, replacing a Parameter's array is noticed, and regions are specialised for new shapes by
    `gluon_neuron.compiler.specialize`. Raises NativeLibraryError when the library is missing or does not fit MXNet.
    """
    global _loaded
    if _loaded is not None:
        return
    with _lock:
        if _loaded is None:
            _loaded = _load(FILE)
            _set_callback(_loaded, _specialize)
            _loaded.gn_set_warning_callback(_warn)
            parameter_watch.install(_loaded.gn_bump_epoch)
            placement.install()


def is_loaded() -> bool:
    """Whether the operator is registered."""
    return _loaded is not None


def openvino_library() -> Path | None:
    """OpenVINO's C library in the installed wheel, found without importing it; None without the wheel."""
    spec = importlib.util.find_spec("openvino")
    folders = (spec.submodule_search_locations or []) if spec else []
    found = sorted(p for folder in folders for p in Path(folder, "libs").glob("libopenvino_c.so*"))
    return found[0] if found else None


def set_program_callback(program: Program | None) -> None:
    """Who makes programs for signatures that an artifact does not hold; None for nobody.

    It is called on MXNet's own thread: it must neither run MXNet operators nor wait for arrays.
    """
    _set_callback(_library(), program)


def set_pass_callback(answer: Pass | None) -> None:
    """Who answers `optimize_for(..., backend="neuron")`; None for nobody. It is called on the thread that asked."""
    global _pass_callback
    if answer is None:
        callback = _PassCallback()
    else:
        partition = answer

        def reply(
            graph: bytes,
            request: bytes,
            sink: int,
            emit: Callable[[int, bytes, int], None],
            argument: Callable[[int, bytes, int, bytes, int], None],
        ) -> int:
            with _called_back():
                try:
                    text, device, arrays = partition(graph.decode(), request.decode())
                    for name, content in arrays.items():
                        argument(sink, name.encode(), device, content, len(content))
                    data, status = text.encode(), 0
                except Exception as error:  # an exception cannot cross C++; its text does
                    data, status = f"{type(error).__name__}: {error}".encode(), 1
                emit(sink, data, len(data))
            return status

        callback = _PassCallback(reply)
    _library().gn_set_pass_callback(callback)
    _pass_callback = callback  # after the exchange: until then the library may call the old one


def bump_epoch() -> None:
    """Make every region compare its weights' contents at its next call: arrays were replaced in a way of your own."""
    _library().gn_bump_epoch()


def release(graph: str | None = None) -> None:
    """Free compiled models that nothing uses at the moment: those of a graph (its hash), or all.

    Within a callback of the library, which holds its locks then, it is put off until the next call.
    """
    _released.append(graph)
    if getattr(_calling_back, "depth", 0):
        return
    while _released:
        name = _released.popleft()
        if name is None:
            _library().gn_release_all()
        else:
            _library().gn_release(name.encode())


def stats() -> dict[str, int]:
    """Counters since the process began, and how many models are alive and how many of them without a user.

    `direct_calls` of the `calls` ran on their caller's own thread; `parts` counts those of batches that are run apart.
    `relayouts` counts weights that MXNet copied for a call because it keeps them in a blocked layout; `most_running` is
    how many programs ran at the same time since the last call of this.
    """
    library = _library()
    buffer = ctypes.create_string_buffer(1024)
    length = library.gn_stats(buffer, len(buffer))
    assert length < len(buffer)
    return dict(json.loads(buffer.value))


def neuron_runtime() -> dict[str, Any]:
    """What the Neuron runtime says before it is started: "library" (its path), and how many NeuronCores there are in
    "total", "visible" to this process, and "free" of its models; or "why" there is none."""
    buffer = ctypes.create_string_buffer(8192)
    length = _library().gn_neuron_runtime(buffer, len(buffer))
    assert length < len(buffer)
    return dict(json.loads(buffer.value))


@contextmanager
def cpu_allowed() -> Iterator[None]:
    """While inside, programs for the CPU may stand in for a chip's everywhere, and nothing is said about it."""
    _library().gn_allow_cpu(1)
    try:
        yield
    finally:
        _library().gn_allow_cpu(-1)


def relayouts() -> int:
    """How often a weight came as a copy made for one call, because MXNet keeps the array in a blocked layout."""
    return int(_library().gn_relayouts())


def epoch() -> int:
    """A number that rises whenever a Parameter's array is replaced by another."""
    return int(_library().gn_epoch())


def functions() -> ctypes.CDLL:
    """The library's C functions (`native/exports.h`), with their types set."""
    return _library()


def watched(bind: Callable[[], _Made]) -> tuple[_Made, int | None]:
    """What `bind` gives, and the compiled node that MXNet made meanwhile on this thread; None for none or several."""
    _library().gn_watch_nodes()
    try:
        made = bind()
    finally:
        node = _library().gn_watched_node()
    return made, node


def version() -> str:
    """The version of gluon_neuron that the library was built as."""
    return str(_library().gn_version().decode())


def _library() -> ctypes.CDLL:
    load()
    assert _loaded is not None
    return _loaded


def _load(path: Path) -> ctypes.CDLL:
    if not path.exists():
        raise NativeLibraryError(
            f"The native operator {path} is missing: gluon_neuron was installed without building it. Install it again "
            "where there is a C++ compiler (pip install ., or python setup.py build_ext --inplace in a source tree)."
        )
    if OPERATOR not in operators():
        _register(path)
    elif not _is_mapped(path):
        # Loading it as well would take the operator over from nodes that are already bound.
        raise NativeLibraryError(
            f"Another library in this process has registered {OPERATOR}; gluon_neuron cannot be used together with it."
        )
    library = ctypes.CDLL(str(path))
    library.gn_version.restype = ctypes.c_char_p
    library.gn_set_openvino.argtypes = [ctypes.c_char_p]
    library.gn_set_openvino.restype = None
    library.gn_set_program_callback.argtypes = [_Callback]
    library.gn_set_program_callback.restype = None
    library.gn_set_pass_callback.argtypes = [_PassCallback]
    library.gn_set_pass_callback.restype = None
    library.gn_set_warning_callback.argtypes = [_Warning]
    library.gn_set_warning_callback.restype = None
    library.gn_neuron_runtime.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    library.gn_neuron_runtime.restype = ctypes.c_size_t
    library.gn_allow_cpu.argtypes = [ctypes.c_int]
    library.gn_allow_cpu.restype = None
    library.gn_bump_epoch.restype = None
    library.gn_epoch.restype = ctypes.c_uint64
    library.gn_relayouts.restype = ctypes.c_uint64
    library.gn_bound_new.argtypes = [
        *(ctypes.c_void_p, ctypes.c_size_t, _Handles, _Handles),
        *(ctypes.c_size_t, _Handles, _Handles, ctypes.c_int, ctypes.c_int),
    ]
    library.gn_bound_new.restype = ctypes.c_void_p
    library.gn_watch_nodes.restype = None
    library.gn_watched_node.restype = ctypes.c_void_p
    library.gn_bound_alone.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, _Handles]
    library.gn_bound_call.argtypes = [ctypes.c_void_p, _Handles, _Handles]
    numbers = ctypes.c_uint64, ctypes.c_uint64
    library.gn_bound_call_if.argtypes = [ctypes.c_void_p, *numbers, _Handles, _Handles]
    library.gn_bound_free.argtypes = [ctypes.c_void_p]
    library.gn_bound_free.restype = None
    library.gn_set_mxnet.argtypes = [ctypes.c_void_p]
    if library.gn_set_mxnet(mx.base._LIB._handle) != 0:
        raise NativeLibraryError(f"MXNet {mx.__version__} lacks C functions that the native operator calls.")
    library.gn_release.argtypes = [ctypes.c_char_p]
    library.gn_release.restype = None
    library.gn_release_all.restype = None
    library.gn_stats.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    library.gn_stats.restype = ctypes.c_size_t
    found = openvino_library()
    if found is not None and not os.environ.get("GLUON_NEURON_OPENVINO"):
        library.gn_set_openvino(os.fsencode(found))
    return library


def _register(path: Path) -> None:
    # mx.library.load does the same, but then rebuilds all of mx.nd and mx.sym, which takes half a second.
    try:
        mx.base.check_call(mx.base._LIB.MXLoadLib(os.fsencode(path), 0))
    except mx.base.MXNetError as error:
        reason = str(error).split("\nStack trace")[0].strip()
        raise NativeLibraryError(f"MXNet {mx.__version__} cannot load the native operator {path}: {reason}") from error


def operators() -> list[str]:
    """The names of all operators that MXNet knows, with their aliases."""
    count = ctypes.c_uint()
    names = ctypes.POINTER(ctypes.c_char_p)()
    mx.base.check_call(mx.base._LIB.MXListAllOpNames(ctypes.byref(count), ctypes.byref(names)))
    return sorted(names[i].decode() for i in range(count.value))


def _is_mapped(path: Path) -> bool:
    with open("/proc/self/maps") as maps:
        return any(line.rstrip().endswith(str(path)) for line in maps)


@contextmanager
def _called_back() -> Iterator[None]:
    _calling_back.depth = getattr(_calling_back, "depth", 0) + 1
    try:
        yield
    finally:
        _calling_back.depth -= 1


def _set_callback(library: ctypes.CDLL, program: Program | None) -> None:
    global _callback
    if program is None:
        callback = _Callback()
    else:
        make = program

        def answer(graph: bytes, request: bytes, sink: int, emit: Callable[[int, bytes, int], None]) -> int:
            with _called_back():
                try:
                    data, status = make(graph.decode(), request.decode()), 0
                except Exception as error:  # an exception cannot cross C++; its text does
                    data, status = f"{type(error).__name__}: {error}".encode(), 1
                emit(sink, data, len(data))
            return status

        callback = _Callback(answer)
    library.gn_set_program_callback(callback)
    _callback = callback  # after the exchange: until then the library may call the old one


@_Warning
def _warn(message: bytes) -> None:
    _logger.warning("%s", message.decode(errors="replace"))


def _specialize(graph_json: str, request_json: str) -> bytes:
    # Imported late: the compiler is not needed by a process that only runs models.
    from ..compiler.specialize import specialize

    return specialize(graph_json, request_json)
