"""What happens as soon as MXNet is imported beside this package."""

from __future__ import annotations

import warnings

from .engine import callbacks
from .engine.forks import wait_first as wait_first
from .errors import NativeLibraryError


def begin() -> None:
    """Register the operator, so that plain MXNet (SymbolBlock.imports, load_checkpoint, Module) runs compiled files in
    this process; say who compiles for other shapes; have `mx.profiler` show regions; offer the archived packages'
    names."""
    from .compat.install import install  # late: they import MXNet
    from .runtime import mxnet_patches, registration
    from .timeline.mx_profiler import WRAPPERS

    callbacks.set_program_maker(_specialize)
    try:
        registration.register()
        mxnet_patches.watch_profiler(WRAPPERS)
    except NativeLibraryError as error:
        warnings.warn(f"Compiled models cannot run in this process: {error}", RuntimeWarning, stacklevel=2)
    install()


def _specialize(graph_json: str, request_json: str) -> bytes:
    from .compiler.specialize import specialize  # late: a process that only runs models does not need the compiler

    return specialize(graph_json, request_json)
