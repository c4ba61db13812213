"""Puts a finder for the name `mxnet` into place, so that `import mxnet` works by itself; a .pth file imports this.

It runs at every start of Python: it is short, and imports nothing that Python has not imported by then. What the finder
does is in `gluon_neuron/mxnet_names.py`, which is loaded with MXNet, without the package itself.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

SWITCH = "GLUON_NEURON_NO_HOOK"

after_mxnet: "list[Callable[[], None]]" = []
"""What is called, once, when MXNet has been imported, in the thread that imports it."""


class MxnetFinder:
    """Has MXNet's modules found by `mxnet_names`, and no others."""

    def find_spec(
        self, fullname: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        """The spec of a module of MXNet that needs something, or None."""
        if fullname != "mxnet" and not fullname.startswith("mxnet."):
            return None
        names = _names()
        found: ModuleSpec | None = names.find_spec(fullname, path, target) if names else None
        return found


def _names() -> "ModuleType | None":
    """The module `gluon_neuron.mxnet_names`; importing it in the usual way would import the package, too."""
    name = "gluon_neuron.mxnet_names"
    if name not in sys.modules:
        from importlib.machinery import PathFinder
        from importlib.util import find_spec, module_from_spec

        package = sys.modules.get("gluon_neuron") or find_spec("gluon_neuron")
        places = getattr(package, "__path__", None) or getattr(package, "submodule_search_locations", None)
        spec = PathFinder.find_spec(name, places) if places else None
        if spec is None or spec.loader is None:
            return None  # the package is gone, and left this file behind
        made = module_from_spec(spec)
        spec.loader.exec_module(made)
        sys.modules.setdefault(name, made)
    return sys.modules[name]


def install() -> None:
    """Put the finder before all others, once."""
    if not any(isinstance(f, MxnetFinder) for f in sys.meta_path):
        sys.meta_path.insert(0, MxnetFinder())


if not os.environ.get(SWITCH):
    install()
