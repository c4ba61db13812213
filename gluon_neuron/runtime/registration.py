"""Registers the native operator with MXNet, once per process."""

from __future__ import annotations

from pathlib import Path

import mxnet as mx

from ..engine import native_library
from ..engine.forks import Lock
from ..errors import NativeLibraryError
from . import mxnet_patches, mxnet_private

OPERATOR = "_neuron_subgraph_op"

_lock = Lock()
_registered = False


def register() -> None:
    """Make `_neuron_subgraph_op` one of MXNet's operators, unless it is; cheap when it is.

    From then on, replacing a Parameter's array is noticed. Raises NativeLibraryError when the library is missing or
    does not fit MXNet.
    """
    global _registered
    if _registered:
        return
    with _lock:
        if not _registered:
            register_file(native_library.FILE)
            library = native_library.functions()
            if library.gn_set_mxnet(mxnet_private.library_handle()) != 0:
                raise NativeLibraryError(f"MXNet {mx.__version__} lacks C functions that the native operator calls.")
            mxnet_patches.install(library.gn_bump_epoch, library.gn_note_bulk)
            _registered = True


def is_registered() -> bool:
    """Whether the operator is registered."""
    return _registered


def register_file(path: Path) -> None:
    """Let MXNet load the library at `path`, unless it has; raises NativeLibraryError."""
    native_library.check_file(path)
    if OPERATOR not in operators():
        load_into_mxnet(path)
    elif not _is_mapped(path):
        # Loading it as well would take the operator over from nodes that are already bound.
        raise NativeLibraryError(
            f"Another library in this process has registered {OPERATOR}; gluon_neuron cannot be used together with it."
        )


def load_into_mxnet(path: Path) -> None:
    """Have MXNet load the library; raises NativeLibraryError when it cannot."""
    # mx.library.load does the same, but then rebuilds all of mx.nd and mx.sym, which takes half a second.
    try:
        mxnet_private.load_library(path)
    except mx.base.MXNetError as error:
        reason = str(error).split("\nStack trace")[0].strip()
        raise NativeLibraryError(f"MXNet {mx.__version__} cannot load the native operator {path}: {reason}") from error


def operators() -> list[str]:
    """The names of all operators that MXNet knows, with their aliases."""
    return mxnet_private.operator_names()


def _is_mapped(path: Path) -> bool:
    with open("/proc/self/maps") as maps:
        return any(line.rstrip().endswith(str(path)) for line in maps)
