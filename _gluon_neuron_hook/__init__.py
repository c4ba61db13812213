"""Puts a finder for the name `mxnet` into place, so that `import mxnet` works by itself; a .pth file imports this.

It runs at every start of Python: it is short, and imports nothing that Python has not imported by then. What is done
with MXNet's modules is in `mxnet_names`, beside this file, which is imported with MXNet. Both stand outside the package
gluon_neuron: MXNet's import would otherwise wait for that of the package, which waits for MXNet's.
"""

import os
import sys
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

SWITCH = "GLUON_NEURON_NO_HOOK"


class MxnetFinder:
    """Finds MXNet's modules as the other finders do, and no others; `mxnet_names` is to execute them.

    Python asks finders while it holds a lock that every other thread's import needs for a moment: whoever imports here
    may wait for a thread that waits for that lock. So nothing is imported before the module is executed.
    """

    for_mxnet = True
    """By which one of another copy of this module is known, after a reload."""

    def __init__(self) -> None:
        self._asked: set[tuple[int, str]] = set()

    def find_spec(
        self, fullname: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        """The spec of a module of MXNet, with a loader of ours; or None."""
        if fullname != "mxnet" and not fullname.startswith("mxnet."):
            return None
        # A finder that asks all others, as this one does, may ask this one for the same module.
        question = get_ident(), fullname
        if question in self._asked:
            return None
        self._asked.add(question)
        try:
            for finder in sys.meta_path[:]:
                if hasattr(finder, "for_mxnet") or not hasattr(finder, "find_spec"):
                    continue
                spec = finder.find_spec(fullname, path, target)
                if spec is not None:
                    if spec.loader is not None:
                        spec.loader = Loader(spec.loader)  # type: ignore[assignment]
                    return spec
        finally:
            self._asked.discard(question)
        return None


class Loader:
    """A module's own loader, but that `mxnet_names` executes the module."""

    def __init__(self, inner: "Any") -> None:
        self._inner = inner

    def create_module(self, spec: "ModuleSpec") -> "ModuleType | None":
        """The module, if its own loader makes one."""
        # Not later: from then on, another thread may import parts of MXNet whose whole has not begun.
        from . import mxnet_names  # noqa: F401

        made: ModuleType | None = self._inner.create_module(spec)
        return made

    def exec_module(self, module: "ModuleType") -> None:
        """Execute the module; who looks at it later is to find its own loader."""
        from .mxnet_names import execute

        module.__loader__ = self._inner
        if module.__spec__ is not None:
            module.__spec__.loader = self._inner
        execute(self._inner, module)

    def __getattr__(self, name: str) -> "Any":
        if name == "_inner":  # while it is copied
            raise AttributeError(name)
        return getattr(self._inner, name)


def install() -> None:
    """Put the finder before all others; it is there once."""
    if not sys.meta_path or not isinstance(sys.meta_path[0], MxnetFinder):
        # Another list, as a thread may be reading this one.
        sys.meta_path[:] = [MxnetFinder(), *(f for f in sys.meta_path if not hasattr(f, "for_mxnet"))]


if not os.environ.get(SWITCH):
    install()
