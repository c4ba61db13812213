"""Hooks into the import system: what follows MXNet's import, and the archived plug-in's module name."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

# Outside this package, as Python imports it at its start, before any package.
import _gluon_neuron_hook as hook
from _gluon_neuron_hook import forks
from _gluon_neuron_hook.mxnet_names import MXNET, after_mxnet

from .errors import MxnetMissingError

PLUGIN = "mx_neuron"


def when_imported(action: Callable[[], None]) -> None:
    """Call `action` right after MXNet's own import, in the thread that imports it; at once if it is imported."""
    hook.install()
    after_mxnet(action)


@contextmanager
def needs_mxnet() -> Iterator[None]:
    """What is imported inside needs MXNet: MxnetMissingError if it is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != MXNET:
            raise
        raise MxnetMissingError() from None


def wait_at_forks(wait_first: Callable[[Callable[[], None]], None]) -> None:
    """Have `wait_first` see to it that a fork waits for other threads' imports."""
    wait_first(forks.wait_for_imports)
    forks.elsewhere = True


def offer_plugin() -> None:
    """Offer module `mx_neuron` to whoever has no other; it imports MXNet when it is imported."""
    if not any(isinstance(f, _PluginFinder) for f in sys.meta_path):
        # Last, so that a real package of this name is found first.
        sys.meta_path.append(_PluginFinder())


class _PluginFinder:
    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname == PLUGIN else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return ModuleType(spec.name, "gluon_neuron's compile() under the name of the archived plug-in.")

    def exec_module(self, module: ModuleType) -> None:
        with needs_mxnet():
            ours = importlib.import_module(f"{__package__}.compat.mx_neuron")
        module.__dict__.update(compile=ours.compile, __version__=ours.__version__, __all__=["compile"])
