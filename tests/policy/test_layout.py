"""How files look: a first line that says what the file does, no file too long, nothing of one developer's machine."""

from __future__ import annotations

import ast
import configparser
import importlib.util
import re
import sys
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from .sources import PACKAGE, ROOT, code, modules, relative, texts
from .test_imports import imports

LONGEST = 500
# Folders that exist on one developer's machine only.
PRIVATE = re.compile(r"(?<![\w.~-])/(?:home|root|Users|tmp|private)/[\w.$-]")

TESTS = ROOT / "tests"
# Folders of tests for which the package has none.
EXTRAS = (
    "browser",
    "doubles",
    "doubles/libnrt",
    "drawn_graphs",
    "golden",
    "lowering/drawn",
    "models",
    "policy",
    "release",
    "shadow",
    "shadow/nets",
)
# Folders beside the package that have tests too.
BESIDE = ("benchmarks", "build_backend", "docs", "examples")


def purpose(path: Path) -> str | None:
    """What is wrong with the first line of a file, or None."""
    text = path.read_text(encoding="utf-8")
    first = text.partition("\n")[0]
    if path.suffix != ".py":
        return (
            None
            if re.match(r"(//|/\*\*?) \S+ \S+", first)
            else "its first line is not a comment that says what it does"
        )
    docstring = ast.get_docstring(ast.parse(text))
    if docstring is None or not re.match(r'r?"""\S', first):
        return "its first line is not a docstring"
    summary, *rest = docstring.split("\n")
    if not summary.endswith(".") or len(summary.split()) < 2:
        return f"its first line is not a sentence: {summary!r}"
    return "its docstring has no empty line after the first" if rest and rest[0] else None


def machine_paths(text: str) -> list[str]:
    """The absolute paths in a text that exist on one machine only, this checkout's own included."""
    found = [m.group() for m in PRIVATE.finditer(text)]
    if len(ROOT.parts) > 2 and re.search(re.escape(str(ROOT)) + r"\b", text):
        found.append(str(ROOT))
    return found


def test_there_is_something_to_check():
    names = {relative(p) for p in texts()}
    assert {"setup.cfg", "Makefile", ".ci/run", "gluon_neuron/api.py", "tests/policy/test_layout.py"} <= names
    assert not {n for n in names if n.startswith((".venv", ".git/", "build/"))}


def test_first_line_says_what_the_file_does():
    assert {relative(p): wrong for p in code() if (wrong := purpose(p))} == {}


def test_no_file_is_too_long():
    lengths = {relative(p): len(p.read_text(encoding="utf-8").splitlines()) for p in code()}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_no_path_of_one_machine():
    assert {relative(p): found for p in texts() if (found := machine_paths(p.read_text(encoding="utf-8")))} == {}


def test_every_folder_of_modules_is_a_package():
    missing = {relative(p.parent) for p in modules() if not (p.parent / "__init__.py").exists()}
    missing |= {
        relative(p.parent) for p in (ROOT / "tests").rglob("test_*.py") if not (p.parent / "__init__.py").exists()
    }
    assert not missing, "setuptools and pytest would not find these folders' modules: add an __init__.py"


def dependencies() -> set[str]:
    """What is imported of everything that setup.cfg requires, extras included."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = [config["options"]["install_requires"], *config["options.extras_require"].values()]
    projects = {m.group().lower() for text in lines for m in re.finditer(r"^[\w.-]+", text, re.M)} - {"gluon_neuron"}
    installed = packages_distributions().items()
    found = {name for name, owners in installed if projects & {o.lower() for o in owners}}
    # Some install a package of their own tests beside themselves.
    return found - {"tests", *BESIDE} | {p.replace("-", "_") for p in projects}


def shadows(names: Iterable[str], taken: set[str]) -> set[str]:
    """Which paths of modules and their folders bear one of the taken names."""
    found = set()
    for name in names:
        path = Path(name).with_suffix("")
        while path.parts:
            if path.name in taken:
                found.add(path.as_posix())
            path = path.parent
    return found


def names_in_map(text: str) -> list[str]:
    """What CONTRIBUTING.md's map says is in the package, in its order."""
    section = text.partition("\n## Map\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.M)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


def in_package() -> list[str]:
    """The folders of the package, and the modules at its top that are not private."""
    folders = [
        f"{p.name}/"
        for p in PACKAGE.iterdir()
        if p.is_dir() and p.name != "__pycache__" and any(f.suffix != ".pyc" for f in p.rglob("*") if f.is_file())
    ]
    return sorted([*folders, *(p.name for p in PACKAGE.glob("*.py") if not p.name.startswith("_"))])


def test_dependencies_are_found():
    expected = {"mxnet", "numpy", "openvino", "jax", "sklearn", "pytest", "xdist", "hypothesis", "ml_dtypes"}
    # Not every extra can be installed with every Python.
    there = {n for n in expected if importlib.util.find_spec(n)}
    assert {"mxnet", "numpy", "openvino", "pytest"} <= there <= dependencies()
    assert not {"gluon_neuron", "tests"} & dependencies()


def test_nothing_bears_the_name_of_a_dependency_or_of_the_standard_library():
    # A folder of tests that is on the path, as some runners put it there, would be imported in its place.
    files = [p for root in (PACKAGE, TESTS) for p in root.rglob("*.py")]
    names = [p.relative_to(root).as_posix() for root in (PACKAGE, TESTS) for p in files if root in p.parents]
    assert len(names) > 300
    assert shadows(names, dependencies() | set(sys.stdlib_module_names)) == set()


@pytest.mark.parametrize("name", ["dialect/numpy/x.py", "numpy.py", "a/json.py", "a/select/b/c.py", "jax/__init__.py"])
def test_a_name_that_is_taken_is_seen(name):
    assert len(shadows([name], dependencies() | set(sys.stdlib_module_names) - {"__init__"})) == 1


def test_only_the_root_is_on_the_path(pytestconfig):
    assert [Path(p) for p in pytestconfig.getini("pythonpath")] == [ROOT]


def test_helpers_are_imported_by_their_whole_name():
    inside = {p.stem for p in TESTS.rglob("*.py")} | {p.parent.name for p in TESTS.rglob("*.py")}
    inside -= {"__init__", "tests", *BESIDE}
    found = {
        f"{relative(p)} imports {name}"
        for p in TESTS.rglob("*.py")
        for name, _ in imports(p.read_text(), p.relative_to(ROOT).parent.parts)
        if name.partition(".")[0] in inside
    }
    assert found == set()


def test_folders_of_tests_are_the_packages():
    folders = {p.parent.relative_to(TESTS).as_posix() for p in TESTS.rglob("*.py")} - {"."}
    beside = {f for f in folders if f.partition("/")[0] in BESIDE and (ROOT / f).is_dir()}
    unknown = {f for f in folders - beside if not (PACKAGE / f).is_dir()}
    assert unknown == set(EXTRAS)


def test_the_map_names_what_is_there():
    named = names_in_map((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert len(named) == len(set(named))
    assert sorted(named) == in_package()


def test_the_maps_names_are_read():
    table = "| in `p/` | what |\n|---|---|\n| `a.py`, `b/` | `c.py` |\n| `d/` | e |\n"
    text = f"# A\n| `x/` | no |\n## Map\n\n{table}\n## B\n| `z/` | no |\n"
    assert names_in_map(text) == ["a.py", "b/", "d/"]


@pytest.mark.parametrize("folder", ["home", "root", "Users", "tmp"])
def test_a_path_of_one_machine_is_seen(folder):
    assert machine_paths(f'open("/{folder}/x/y")') == [f"/{folder}/x"]


@pytest.mark.parametrize(
    "text", ["https://example.org/home/x", "docs/tmp/x", "/opt/aws/neuron/lib", "a / root", "~/tmp/x"]
)
def test_other_paths_are_not(text):
    assert machine_paths(text) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", "import os\n"),
        ("a.py", "# A comment, no docstring.\n"),
        ("a.py", '"""\nThe summary is on the second line.\n"""\n'),
        ("a.py", '"""Adds."""\n'),
        ("a.py", '"""Adds two numbers\nand more."""\n'),
        ("a.py", '"""Adds two numbers.\nAnd more."""\n'),
        ("a.py", ""),
        ("a.cc", "#include <string>\n"),
        ("a.h", "#pragma once\n"),
        ("a.h", "//\n"),
    ],
)
def test_a_bad_first_line_is_seen(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert purpose(tmp_path / name) is not None


def test_the_package_is_the_one_under_test():
    import gluon_neuron

    assert Path(gluon_neuron.__file__).parent == PACKAGE
