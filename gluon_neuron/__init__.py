"""gluon_neuron: compiles Gluon models (Apache MXNet 1.9) for the CPU and for AWS Neuron hardware."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import moved
from ._version import __version__
from .import_hooks import needs_mxnet, offer_plugin, wait_at_forks, when_imported
from .with_mxnet import begin, wait_first

if TYPE_CHECKING:
    from .api import analyze as analyze
    from .api import compile as compile
    from .api import get_report as get_report
    from .api import load as load
    from .api import verify as verify
    from .benchmarking import benchmark as benchmark
    from .block import NeuronHybridBlock as NeuronHybridBlock
    from .engine.devices import devices as devices
    from .lowering.registry import rule as rule
    from .options import CompileOptions as CompileOptions
    from .preprocessing import Preprocessing as Preprocessing
    from .report import Report as Report
    from .stitch.input_spec import InputSpec as InputSpec

_PUBLIC = {
    "compile": "api",
    "analyze": "api",
    "get_report": "api",
    "load": "api",
    "verify": "api",
    "benchmark": "benchmarking",
    "NeuronHybridBlock": "block",
    "CompileOptions": "options",
    "Preprocessing": "preprocessing",
    "InputSpec": "stitch.input_spec",
    "Report": "report",
    "rule": "lowering.registry",
    "devices": "engine.devices",
    "errors": "errors",
    "model_zoo": "model_zoo",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with needs_mxnet():
        module = importlib.import_module(f".{_PUBLIC[name]}", __name__)
    value = module if _PUBLIC[name] == name else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


moved.install()
wait_at_forks(wait_first)
when_imported(begin)
offer_plugin()
