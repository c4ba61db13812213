"""Hooks into the import system: what follows MXNet's import, and the archived plug-in's module name."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

MXNET = "mxnet"
PLUGIN = "mx_neuron"


def when_imported(action: Callable[[], None]) -> None:
    """Call `action` right after MXNet's own import, in the thread that imports it; at once if it is imported."""
    if MXNET not in sys.modules:
        # By its name: where this package was reloaded, the finder of before is of another class, and the two would ask
        # each other for ever.
        sys.meta_path[:] = [f for f in sys.meta_path if type(f).__name__ != _MxnetFinder.__name__]
        sys.meta_path.insert(0, _MxnetFinder(action))
        return
    importlib.import_module(MXNET)  # waits for another thread that still imports it
    action()


def offer_plugin() -> None:
    """Offer module `mx_neuron` to whoever has no other; it imports MXNet when it is imported."""
    if not any(isinstance(f, _PluginFinder) for f in sys.meta_path):
        # Last, so that a real package of this name is found first.
        sys.meta_path.append(_PluginFinder())


class _MxnetFinder(importlib.abc.MetaPathFinder):
    """Finds MXNet where the other finders do, and has it loaded by a loader that calls back."""

    def __init__(self, action: Callable[[], None]) -> None:
        self._action = action

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != MXNET:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _MxnetLoader(spec.loader, self._done)
                return spec
        return None

    def _done(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)
            self._action()


class _MxnetLoader(importlib.abc.Loader):
    """MXNet's own loader, but for what follows when it has run."""

    def __init__(self, inner: Any, done: Callable[[], None]) -> None:
        self._inner = inner
        self._done = done

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self._inner.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        # Whoever looks at the module later is to find its own loader.
        module.__loader__ = self._inner
        if module.__spec__ is not None:
            module.__spec__.loader = self._inner
        self._inner.exec_module(module)
        self._done()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _PluginFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(fullname, self) if fullname == PLUGIN else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return ModuleType(spec.name, "gluon_neuron's compile() under the name of the archived plug-in.")

    def exec_module(self, module: ModuleType) -> None:
        ours = importlib.import_module(f"{__package__}.compat.mx_neuron")
        module.__dict__.update(compile=ours.compile, __version__=ours.__version__, __all__=["compile"])
