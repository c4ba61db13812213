"""What may import what: the phases of the pipeline know only those before them, and few know MXNet."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from .sources import PACKAGE, modules

# What each part may import of ours. The first pattern that fits a module decides. A module may always import from its
# own folder.
ALLOWED: dict[str, tuple[str, ...]] = {
    "__init__": ("*",),
    "errors": (),
    "_version": (),
    "environment_variables": (),
    "moved": (),
    "shape_options": ("errors",),
    "options": ("shape_options", "errors"),
    "option_keywords": ("options",),
    "preprocessing": ("shape_options", "errors"),
    "class_names": ("errors",),
    "refusal": (),
    "report_graph": ("graph.graph", "graph.spec"),
    "report": ("errors", "refusal", "report_graph", "pages.*"),
    # HTML of what is in reports; its pieces are for whatever is shown in notebooks.
    "pages.*": ("report", "report_graph", "errors", "_version"),
    "graph.*": ("errors",),
    "artifact.*": ("errors",),
    "hlo.*": ("errors",),
    "partition.*": ("graph.*", "refusal", "report", "options", "errors"),
    "dialect.*": ("errors",),
    "lowering.*": ("graph.*", "dialect.*", "refusal", "errors"),
    "targets.*": (
        *("lowering.*", "artifact.*", "dialect.*", "graph.*", "hlo.*"),
        *("refusal", "errors", "options", "shape_options", "_version"),
    ),
    # What runs models knows neither the compiler nor what it is compiled from; `engine` knows no MXNet besides.
    "engine.*": ("errors", "_version", "pages.fragments"),
    "runtime.*": ("engine.*", "graph.*", "artifact.*", "errors"),
    # The way in and the way out meet MXNet's private names in one place.
    # What a Parameter gives is asked for by those who read it and by those who are bound to it, in the same way.
    "frontend.*": (
        *("graph.*", "runtime.mxnet_private", "runtime.asked", "runtime.front_end"),
        *("options", "preprocessing", "errors"),
    ),
    "stitch.*": (
        "graph.*",
        "artifact.*",
        "engine.native_library",
        "runtime.mxnet_private",
        "runtime.asked",
        "runtime.front_end",
        "report",
        "report_graph",
        "options",
        *("class_names", "preprocessing"),
        "errors",
        "_version",
    ),
    "block": (
        *("frontend.*", "stitch.*", "runtime.*", "graph.*", "timeline.*"),
        *("options", "class_names", "preprocessing", "report", "errors"),
    ),
    # It measures a block that is handed to it in parts.
    "timeline.*": ("runtime.*", "engine.*", "targets.cpu.kernels", "stitch.in_place", "graph.*", "errors"),
    # Whose phases the compiler calls one after the other.
    "compiler.*": (
        *("frontend.*", "partition.*", "targets.*", "stitch.*", "block", "runtime.*", "engine.*", "lowering.cost"),
        *(
            "graph.*",
            "artifact.*",
            "refusal",
            "report",
            "report_graph",
            "options",
            "shape_options",
            "errors",
            "_version",
        ),
    ),
    "differences": (),
    # It takes a compiled model apart and compiles parts of it again.
    "culprit.found": (),
    "culprit.*": (
        *("differences", "frontend.*", "compiler.cut_region", "compiler.target_here", "partition.*", "targets.*"),
        *("graph.*", "artifact.*", "runtime.*", "block", "options", "errors", "_version"),
    ),
    "verification": (
        *("culprit.found", "differences", "frontend.*", "graph.spec", "runtime.mxnet_private", "report", "errors"),
        "pages.fragments",
    ),
    "benchmarking": ("*",),
    "import_hooks": ("compat.mx_neuron", "errors"),
    "with_mxnet": ("*",),
    "api": ("*",),
    "demo": ("*",),
    "__main__": ("tools.cli",),
    "compat.*": ("*",),
    "serve.*": ("*",),
    "distributed.*": ("*",),
    "tools.*": ("*",),
    "model_zoo.*": ("*",),
}

# Who may import a library, even inside a function.
LIBRARIES: dict[str, tuple[str, ...]] = {
    "mxnet": (
        *("frontend.*", "stitch.*", "runtime.*", "block", "timeline.*", "compiler.*", "culprit.*"),
        *("verification", "api", "demo", "benchmarking"),
        *("compat.*", "serve.*", "distributed.*", "tools.*", "model_zoo.*"),
    ),
    "openvino": ("dialect.in_openvino.*", "targets.cpu.*"),
    "jax": ("dialect.in_jax.*",),
    "jaxlib": ("dialect.in_jax.*",),
}
# These may use the standard library and NumPy, and nothing else that is not ours.
ONLY_NUMPY = (
    *(
        "graph.*",
        "partition.*",
        "lowering.*",
        "artifact.*",
        "hlo.*",
        "engine.*",
        "pages.*",
        "differences",
        "errors",
        "refusal",
        "report_graph",
        "options",
        "_version",
    ),
    *("__init__", "import_hooks", "with_mxnet"),
)
# The package beside ours that a .pth file has Python import, and which of those may import it.
HOOK = ("_gluon_neuron_hook", ("import_hooks",))
# What the compile cache is built on besides: locks that survive whoever held them, and the user's cache directory.
CACHE = ("filelock", "platformdirs")
# Slow to import or not always there: imported where they are needed, so that a missing one is a clear error.
LAZY = ("openvino", "jax", "jaxlib")


def fits(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a module's name, or that of the package "x" for "x.*", fits one of the patterns."""
    return any(fnmatchcase(name, p) or p == f"{name}.*" for p in patterns)


def name_of(path: Path) -> str:
    """A module's dotted name below gluon_neuron; "graph" for graph/__init__.py, "__init__" for the package itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def imports(source: str, package: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    """The modules that a source imports, by full name, each with whether it does so at its top.

    `package` is the dotted package of the source, in parts. `from x import y` yields "x.y", as y may be a module.
    Calls of import_module and __import__ with a literal count too.
    """
    tree = ast.parse(source)
    late = {id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef) for n in ast.walk(f)}
    for node in ast.walk(tree):
        top = id(node) not in late
        if isinstance(node, ast.Import):
            yield from ((alias.name, top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            prefix = ".".join((*base, *filter(None, [node.module])))
            yield from ((f"{prefix}.{alias.name}", top) for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield node.args[0].value, top


def breaches(name: str, source: str, is_package: bool, ours: frozenset[str]) -> list[str]:
    """The imports of the module `name` that its place does not allow, as sentences; `ours` names all our modules."""
    rule = next((p for p in ALLOWED if fits(name, (p,))), None)
    if rule is None:
        return [f"{name} has no row in the table of what may import what"]
    parts = () if name == "__init__" else tuple(name.split("."))
    package = ("gluon_neuron", *(parts if is_package else parts[:-1]))
    found = []
    for imported, top in imports(source, package):
        library, _, rest = imported.partition(".")
        if library == "gluon_neuron":
            target = rest if rest in ours else rest.rpartition(".")[0]
            target = target or "__init__"
            own_folder = len(package) > 1 and f"{target}.".startswith(f"{package[1]}.")
            if not own_folder and not fits(target, ALLOWED[rule]):
                found.append(f"{name} imports {imported}; allowed: {', '.join(ALLOWED[rule]) or 'nothing of ours'}")
        elif library in LIBRARIES and not fits(name, LIBRARIES[library]):
            found.append(f"{name} imports {library}")
        elif library in LAZY and top:
            found.append(f"{name} imports {library} at its top, not where it is needed")
        elif name == "targets.neuron.compile_cache" and library in CACHE or library == HOOK[0] and fits(name, HOOK[1]):
            continue
        elif fits(name, ONLY_NUMPY) and library != "numpy" and library not in sys.stdlib_module_names:
            found.append(f"{name} imports {library}; allowed are the standard library and numpy")
    return found


def test_every_module_imports_only_what_its_place_allows():
    ours = frozenset(name_of(p) for p in modules())
    assert len(ours) > 30
    found = [b for p in modules() for b in breaches(name_of(p), p.read_text(), p.name == "__init__.py", ours)]
    assert not found, "\n".join(found)


def test_the_hook_imports_neither_this_package_nor_mxnet():
    # In a thread that imports MXNet, it would wait for whoever imports this package, and who waits for MXNet.
    folder = PACKAGE.with_name(HOOK[0])
    found = {name.partition(".")[0] for p in folder.glob("*.py") for name, _ in imports(p.read_text(), (HOOK[0],))}
    assert {"os", "numpy"} <= found <= {HOOK[0], "numpy", *sys.stdlib_module_names}
    start = {name for name, top in imports((folder / "__init__.py").read_text(), (HOOK[0],)) if top}
    assert {name.partition(".")[0] for name in start} == {
        *("_thread", "os", "sys", "collections", "importlib", "types", "typing")
    }


OURS = frozenset(
    {"graph", "graph.graph", "api", "block", "errors", "lowering.registry", "frontend.infer", "targets.base"}
)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("graph.x", "import mxnet"),
        ("graph.x", "def f():\n    import mxnet as mx"),
        ("graph.x", "import scipy"),
        ("graph.x", "from ..api import compile"),
        ("graph.x", "from .. import api"),
        ("graph.x", "import gluon_neuron"),
        ("graph", "from ..api import compile"),
        ("lowering.x", "from mxnet import nd"),
        ("lowering.x", "from ..targets.base import get_target"),
        ("lowering.x", "import importlib\nimportlib.import_module('mxnet.ndarray')"),
        ("partition.x", "from ..lowering.registry import refusal"),
        ("dialect.in_numpy.x", "import openvino"),
        ("dialect.in_openvino.x", "import openvino"),
        ("dialect.in_openvino.x", "def f():\n    import jax"),
        ("targets.x", "def f():\n    from ..frontend.infer import annotate"),
        ("frontend.x", "from ..targets import base"),
        ("frontend.x", "from ..block import NeuronHybridBlock"),
        ("engine.x", "import mxnet"),
        ("engine.x", "from ..graph.graph import Graph"),
        ("runtime.x", "def f():\n    from ..compiler.specialize import specialize"),
        ("frontend.x", "from ..runtime import session"),
        ("import_hooks", "import mxnet"),
        ("with_mxnet", "import _gluon_neuron_hook"),
        ("errors", "from .graph.graph import Graph"),
        ("unheard_of", ""),
    ],
)
def test_a_breach_is_seen(name, source):
    assert len(breaches(name, source, name == "graph", OURS)) == 1


@pytest.mark.parametrize(
    ("name", "source"),
    [
        (
            "graph.x",
            "import numpy as np, json\nfrom ..errors import GraphError\nfrom .graph import Graph\nfrom . import graph",
        ),
        ("graph", "from .graph import Graph\nfrom ..errors import GraphError"),
        ("dialect.in_openvino.x", "def f():\n    import openvino"),
        ("targets.x", "from ..lowering.registry import rules\nfrom .base import Target"),
        ("block", "import mxnet as mx\nfrom .graph.graph import Graph"),
        ("tools.x", "import mxnet\nfrom .. import api"),
        ("__init__", "from .api import compile"),
    ],
)
def test_what_is_allowed_passes(name, source):
    assert breaches(name, source, name in ("graph", "__init__"), OURS) == []


def test_the_package_is_imported_without_mxnet_or_an_engine():
    program = """
import sys
import gluon_neuron
assert not {"mxnet", "openvino", "jax", "numpy"} & set(sys.modules), sorted(sys.modules)
import gluon_neuron.graph.graph, gluon_neuron.graph.subgraph, gluon_neuron.partition.partition
import gluon_neuron.artifact.container, gluon_neuron.lowering.lower, gluon_neuron.dialect, gluon_neuron.targets.base
from gluon_neuron.lowering.registry import rules
gluon_neuron.CompileOptions, gluon_neuron.Report, gluon_neuron.errors, gluon_neuron.rule
gluon_neuron.devices()
assert not {"mxnet", "openvino", "jax"} & set(sys.modules), sorted(sys.modules)
print(len(rules()))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 50
