"""gluon_neuron: compiles Gluon models (Apache MXNet 1.9) for the CPU and for AWS Neuron hardware."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import moved
from ._version import __version__

if TYPE_CHECKING:
    from .api import analyze as analyze
    from .api import compile as compile
    from .api import get_report as get_report
    from .api import load as load
    from .api import verify as verify
    from .block import NeuronHybridBlock as NeuronHybridBlock
    from .lowering.registry import rule as rule
    from .options import CompileOptions as CompileOptions
    from .report import Report as Report
    from .runtime.devices import devices as devices

_PUBLIC = {
    "compile": "api",
    "analyze": "api",
    "get_report": "api",
    "load": "api",
    "verify": "api",
    "NeuronHybridBlock": "block",
    "CompileOptions": "options",
    "Report": "report",
    "rule": "lowering.registry",
    "devices": "runtime.devices",
    "errors": "errors",
    "model_zoo": "model_zoo",
}

__all__ = ["__version__", *_PUBLIC]


def _register_operator() -> None:
    # So that plain MXNet (SymbolBlock.imports, load_checkpoint, Module) runs compiled files in this process.
    from .errors import NativeLibraryError
    from .runtime import library

    try:
        library.load()
    except NativeLibraryError as error:
        import warnings

        warnings.warn(f"Compiled models cannot run in this process: {error}", RuntimeWarning, stacklevel=3)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f".{_PUBLIC[name]}", __name__)
    value = module if _PUBLIC[name] == name else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def _offer_archived_names() -> None:
    from .compat.install import install

    install()


moved.install()
_register_operator()
_offer_archived_names()
