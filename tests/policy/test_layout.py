"""How files look: a first line that says what the file does, no file too long, nothing of one developer's machine."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from .sources import PACKAGE, ROOT, code, modules, relative, texts

LONGEST = 500
# Folders that exist on one developer's machine only.
PRIVATE = re.compile(r"(?<![\w.~-])/(?:home|root|Users|tmp|private)/[\w.$-]")


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
