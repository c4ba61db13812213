"""The native library: found, loaded once per process, and its C interface with its types."""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import CompileError, NativeLibraryError
from . import callbacks, forks

if TYPE_CHECKING:
    import numpy as np

FILE = Path(__file__).with_name("libgluon_neuron.so")

_Handles = ctypes.POINTER(ctypes.c_void_p)

_MOST_NODES = 4096

NOTHING, ANY_SHAPE, COMPILED = range(3)
"""What an artifact holds for a node's inputs; in native/boundary/c_api.h."""

NOT_HERE, LAID_OUT = 1, 2
"""A node's model is to be loaded by MXNet's own call; its inputs are written all the time."""

_Made = TypeVar("_Made")

_lock = forks.Lock()
_loaded: ctypes.CDLL | None = None
_released: deque[str | None] = deque()
_left: deque[int] = deque()
_thread = threading.local()


def functions() -> ctypes.CDLL:
    """The library's C functions (`native/boundary/c_api.h`), with their types set; loads it if need be.

    Raises NativeLibraryError when it is missing or cannot be loaded.
    """
    global _loaded
    if _loaded is None:
        with _lock:
            if _loaded is None:
                library = open_library(FILE)
                callbacks.attach(library)
                forks.attach(library)
                _loaded = library
    return _loaded


def is_loaded() -> bool:
    """Whether the library is loaded."""
    return _loaded is not None


def check_file(path: Path) -> None:
    """Raise NativeLibraryError, with what to do, when the library was not built."""
    if not path.exists():
        raise NativeLibraryError(
            f"The native operator {path} is missing: gluon_neuron was installed without building it. Install it again "
            "where there is a C++ compiler (pip install '.[mxnet]' in its source tree)."
        )


def open_library(path: Path) -> ctypes.CDLL:
    """Load the library at `path` and declare its functions; raises NativeLibraryError when that is not possible."""
    check_file(path)
    try:
        library = ctypes.CDLL(str(path))
        _declare(library)
    except (OSError, AttributeError) as error:
        raise NativeLibraryError(f"The native operator {path} cannot be loaded: {error}") from error
    found = openvino_library()
    if found is not None and not os.environ.get("GLUON_NEURON_OPENVINO"):
        library.gn_set_openvino(os.fsencode(found))
    return library


def openvino_library() -> Path | None:
    """OpenVINO's C library in the installed wheel, found without importing it; None without the wheel."""
    spec = importlib.util.find_spec("openvino")
    folders = (spec.submodule_search_locations or []) if spec else []
    found = sorted(p for folder in folders for p in Path(folder, "libs").glob("libopenvino_c.so*"))
    return found[0] if found else None


def artifact_verified(data: np.ndarray) -> None:
    """Say that the SHA-256 of every payload of this artifact (uint8) was compared here: the library does not again."""
    functions().gn_artifact_verified(data.ctypes.data, data.nbytes)


def bump_epoch() -> None:
    """Make every region compare its weights' contents at its next call: arrays were replaced in a way of your own."""
    functions().gn_bump_epoch()


def release(graph: str | None = None) -> None:
    """Free compiled models that nothing uses at the moment: those of a graph (its hash), or all.

    Within a callback of the library, which holds its locks then, it is put off until the next call.
    """
    _released.append(graph)
    if callbacks.running():
        return
    while _released:
        name = _released.popleft()
        if name is None:
            functions().gn_release_all()
        else:
            functions().gn_release(name.encode())


def stats() -> dict[str, int]:
    """Counters since the process began, and how many models are alive and how many of them without a user.

    `direct_calls` of the `calls` ran on their caller's own thread; `parts` counts those of batches that are run apart.
    `relayouts` counts weights that MXNet copied for a call because it keeps them in a blocked layout; `most_running` is
    how many programs ran at the same time since the last call of this.
    """
    return dict(json.loads(_text(functions().gn_stats, 1024)))


def neuron_runtime() -> dict[str, Any]:
    """What the Neuron runtime says before it is started: "library" (its path), and how many NeuronCores there are in
    "total", "visible" to this process, and "free" of its models; or "why" there is none."""
    return dict(json.loads(_text(functions().gn_neuron_runtime, 8192)))


@contextmanager
def cpu_allowed() -> Iterator[None]:
    """While inside, programs for the CPU may stand in for a chip's everywhere, and nothing is said about it."""
    functions().gn_allow_cpu(1)
    try:
        yield
    finally:
        functions().gn_allow_cpu(-1)


def relayouts() -> int:
    """How often a weight came as a copy made for one call, because MXNet keeps the array in a blocked layout."""
    return int(functions().gn_relayouts())


def epoch() -> int:
    """A number that rises whenever a Parameter's array is replaced by another."""
    return int(functions().gn_epoch())


@contextmanager
def section() -> Iterator[None]:
    """While inside, no other thread forks; a fork of another thread is waited for before."""
    library = functions()
    library.gn_section_begin()
    try:
        yield
    finally:
        library.gn_section_end()


@contextmanager
def pushes() -> Iterator[None]:
    """While inside, no other thread gives MXNet's engine operations on behalf of this package: of two that are given at
    the same time, each might come to wait for the other. Nothing that the engine does is to be waited for inside."""
    library = functions()
    library.gn_pushes_begin()
    try:
        yield
    finally:
        library.gn_pushes_end()


def free_bound(bound: int) -> None:
    """Free what `gn_bound_new` gave: here and now on a thread that makes calls, else when one makes the next.

    To free it is to give MXNet's engine what counts as writing the weights. The user's own threads are not to do
    anything with them meanwhile, and that is so for certain only while one of these is here.
    """
    if getattr(_thread, "makes_calls", False):
        functions().gn_bound_free(bound)
    else:
        _left.append(bound)


def makes_calls() -> None:
    """Say that this thread makes calls; what others have left to be freed is freed."""
    _thread.makes_calls = True
    while _left:
        try:
            bound = _left.popleft()
        except IndexError:
            return  # another thread was quicker
        functions().gn_bound_free(bound)


def watched(bind: Callable[[], _Made]) -> tuple[_Made, dict[str, int]]:
    """What `bind` gives, and the compiled nodes that MXNet made meanwhile on this thread, by their names."""
    library = functions()
    with section():
        library.gn_watch_nodes()
        try:
            made = bind()
        finally:
            nodes = (ctypes.c_void_p * _MOST_NODES)()
            count = library.gn_watched_nodes(nodes, _MOST_NODES)
    return made, {library.gn_node_name(node).decode(): node for node in nodes[: min(count, _MOST_NODES)] if node}


def prepare_node(
    node: int, inputs: Sequence[int | None], outputs: tuple[int, ctypes.Array[ctypes.c_int64]], meet: bool = False
) -> int:
    """Have a node's model ready, as `gn_node_prepare` says: 0, `NOT_HERE` or `LAID_OUT`. `outputs`: how many, and how
    they are described.

    Raises CompileError where there is none.
    """
    library = functions()
    handles = (ctypes.c_void_p * len(inputs))(*inputs)
    status = library.gn_node_prepare(node, len(inputs), handles, *outputs, meet)
    if status < 0:
        raise CompileError(library.gn_last_error().decode(errors="replace"))
    return int(status)


def node_serves(node: int, artifact: int) -> int:
    """What an artifact (an array's handle) holds for a node: `NOTHING`, `ANY_SHAPE` or `COMPILED`."""
    library = functions()
    found = int(library.gn_node_serves(node, artifact))
    if found < 0:
        raise CompileError(library.gn_last_error().decode(errors="replace"))
    return found


def node_evicted(node: int) -> bool:
    """Whether a node's program was made for it alone and has given its room to others."""
    return bool(functions().gn_node_evicted(node) == 1)


def versions(arrays: Sequence[int]) -> list[int] | None:
    """How often each array (by its handle) was written, once what is written to it is there; None: nobody can tell."""
    numbers = (ctypes.c_uint64 * len(arrays))()
    status = functions().gn_versions(len(arrays), (ctypes.c_void_p * len(arrays))(*arrays), numbers)
    return list(numbers) if status == 0 else None


def version() -> str:
    """The version of gluon_neuron that the library was built as."""
    return str(functions().gn_version().decode())


def _text(write: Callable[[Any, int], int], size: int) -> bytes:
    buffer = ctypes.create_string_buffer(size)
    length = write(buffer, len(buffer))
    assert length < len(buffer)
    return buffer.value


def _declare(library: ctypes.CDLL) -> None:
    library.gn_version.restype = ctypes.c_char_p
    library.gn_set_openvino.argtypes = [ctypes.c_char_p]
    library.gn_neuron_runtime.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    library.gn_neuron_runtime.restype = ctypes.c_size_t
    library.gn_allow_cpu.argtypes = [ctypes.c_int]
    library.gn_allow_cpu.restype = None
    library.gn_bump_epoch.restype = None
    library.gn_epoch.restype = ctypes.c_uint64
    library.gn_note_bulk.restype = None
    library.gn_relayouts.restype = ctypes.c_uint64
    library.gn_bound_new.argtypes = [
        *(ctypes.c_void_p, ctypes.c_size_t, _Handles, _Handles),
        *(ctypes.c_size_t, _Handles, _Handles, ctypes.c_int, ctypes.c_int),
    ]
    library.gn_bound_new.restype = ctypes.c_void_p
    library.gn_watched_nodes.argtypes = [_Handles, ctypes.c_size_t]
    library.gn_watched_nodes.restype = ctypes.c_size_t
    library.gn_node_name.argtypes = [ctypes.c_void_p]
    library.gn_node_name.restype = ctypes.c_char_p
    library.gn_node_serves.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    library.gn_node_prepare.argtypes = [
        *(ctypes.c_void_p, ctypes.c_size_t, _Handles),
        *(ctypes.c_size_t, ctypes.POINTER(ctypes.c_int64), ctypes.c_int),
    ]
    library.gn_node_evicted.argtypes = [ctypes.c_void_p]
    library.gn_versions.argtypes = [ctypes.c_size_t, _Handles, ctypes.POINTER(ctypes.c_uint64)]
    library.gn_region_new.argtypes = [
        *(ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int),
        *(ctypes.c_size_t, _Handles, ctypes.POINTER(ctypes.c_size_t)),
        *(ctypes.c_size_t, ctypes.POINTER(ctypes.c_int64), ctypes.c_size_t, ctypes.POINTER(ctypes.c_int64)),
        *(ctypes.c_int, ctypes.c_int),
    ]
    library.gn_region_new.restype = ctypes.c_void_p
    library.gn_bound_node.argtypes = [ctypes.c_void_p]
    library.gn_bound_node.restype = ctypes.c_void_p
    library.gn_bound_call.argtypes = [ctypes.c_void_p, _Handles, _Handles]
    numbers = ctypes.c_uint64, ctypes.c_uint64
    library.gn_bound_call_if.argtypes = [ctypes.c_void_p, *numbers, _Handles, _Handles]
    library.gn_bound_free.argtypes = [ctypes.c_void_p]
    library.gn_bound_free.restype = None
    library.gn_pushes_begin.restype = None
    library.gn_pushes_end.restype = None
    library.gn_set_mxnet.argtypes = [ctypes.c_void_p]
    library.gn_artifact_verified.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    library.gn_release.argtypes = [ctypes.c_char_p]
    library.gn_stats.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    library.gn_stats.restype = ctypes.c_size_t
