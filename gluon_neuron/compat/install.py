"""Puts the archived names where old scripts look for them, and never over those that are there."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import mxnet as mx

from ..runtime import library

PLUGIN = "mx_neuron"
_OURS = f"{__package__}.mx_neuron"


def install() -> None:
    """Offer `mx.contrib.neuron`, `mx.neuron`, the backend "neuron" and, to whoever has no other, module `mx_neuron`."""
    from . import neuron
    from .context import neuron as context

    name = "mxnet.contrib.neuron"
    if not hasattr(mx.contrib, "neuron") and importlib.util.find_spec(name) is None:
        mx.contrib.neuron = neuron
        sys.modules[name] = neuron
    if not hasattr(mx, "neuron"):
        mx.neuron = context
    if library.is_loaded():
        library.set_pass_callback(_answer)
    if not any(isinstance(f, _Finder) for f in sys.meta_path):
        # Last, so that a real package of this name is found first.
        sys.meta_path.append(_Finder())


def _answer(graph: str, request: str) -> tuple[str, int, dict[str, bytes]]:
    from .optimize_for import answer  # late: a process that only runs models does not need the compiler

    return answer(graph, request)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(fullname, self) if fullname == PLUGIN else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return ModuleType(spec.name, "gluon_neuron's compile() under the name of the archived plug-in.")

    def exec_module(self, module: ModuleType) -> None:
        ours = importlib.import_module(_OURS)
        module.__dict__.update(compile=ours.compile, __version__=ours.__version__, __all__=["compile"])
