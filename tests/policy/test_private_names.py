"""Which files may touch MXNet's private names: a change in MXNet is then to be looked for in two places."""

from __future__ import annotations

import ast
import importlib.util
from functools import cache
from pathlib import Path

import pytest

from .sources import PACKAGE, modules
from .test_imports import name_of

ALLOWED = ("runtime.mxnet_private", "runtime.mxnet_patches")
# Their classes derive from MXNet's own, whose attributes they have by inheritance: as `self`, and nobody else's.
DERIVED = ("block", "stitch.parameters", "runtime.context", "model_zoo.weights")
# Functions that take an attribute by its name.
_BY_NAME = ("getattr", "setattr", "hasattr", "attrgetter", "_wrap", "_replace")
_FOLDERS = ("gluon", "symbol", "ndarray", "numpy", "executor.py", "context.py", "base.py", "module")


@cache
def private_names() -> frozenset[str]:
    """The attributes with a leading underscore that MXNet's classes and modules have."""
    (folder,) = importlib.util.find_spec("mxnet").submodule_search_locations
    found: set[str] = set()
    for place in _FOLDERS:
        path = Path(folder, place)
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute):
                    found.add(node.attr)
                elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                    found.add(node.name)
                elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    found.add(node.id)
    return frozenset(n for n in found if n.startswith("_") and not n.startswith("__"))


def touched(source: str) -> list[str]:
    """The private names that a source imports from MXNet, reads from it, or reads from an object that is not its own.

    Objects have no types here: an attribute counts if MXNet has one of its name and the source itself defines none.
    """
    tree = ast.parse(source)
    own = {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    own |= {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and _is_self(n.value) and _is_stored(n)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "mxnet" and not node.level:
            found += [a.name for a in node.names if a.name.startswith("_")]
        elif isinstance(node, ast.Attribute) and node.attr in private_names() and not _is_self(node.value):
            if _root(node) in ("mx", "mxnet") or node.attr not in own:
                found.append(node.attr)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in _BY_NAME:
            words = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            found += [w for w in words if w in private_names() and w not in own]
    return found


def _is_stored(node: ast.Attribute) -> bool:
    return isinstance(node.ctx, ast.Store)


def _is_self(node: ast.expr) -> bool:
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "super":
        return True
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def test_private_names_stay_in_their_files():
    found = {name_of(p): names for p in modules() if (names := touched(p.read_text())) and name_of(p) not in ALLOWED}
    assert found == {}


def test_only_these_derive_from_mxnet():
    found = set()
    for path in modules():
        classes = (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ClassDef))
        if any(_root(base) in ("mx", "mxnet") for c in classes for base in c.bases):
            found.add(name_of(path))
    assert found == set(DERIVED)


def test_there_is_something_to_find():
    assert {"_data", "_reduce", "_flatten", "_LIB", "_Symbol", "_clear_cached_op"} <= private_names()
    for name in ALLOWED:
        assert touched(Path(PACKAGE, *name.split(".")).with_suffix(".py").read_text())


@pytest.mark.parametrize(
    "source",
    [
        "from mxnet.gluon.block import _flatten",
        "import mxnet as mx\nmx.base._LIB.MXLoadLib()",
        "import mxnet as mx\nisinstance(x, mx.sym.np._Symbol)",
        "def f(param):\n    return param._data",
        "def f(block):\n    block._clear_cached_op()",
        "from operator import attrgetter\nf = attrgetter('_data')",
        "def f(p):\n    return getattr(p, '_ctx_list')",
    ],
)
def test_a_breach_is_seen(source):
    assert len(touched(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import mxnet as mx\nmx.nd.zeros(1)",
        "class A:\n    def __init__(self):\n        self._data = 1\n\n\ndef f(a: A):\n    return a._data",
        "def f(x):\n    return x._unheard_of",
    ],
)
def test_what_is_ours_passes(source):
    assert touched(source) == []
