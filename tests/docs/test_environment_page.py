"""docs/environment.md is what the package lists, and the package lists every variable of its families that it reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.environment_page import page
from gluon_neuron.environment_variables import VARIABLES
from tests.docs.fences import PAGES

ROOT = Path(__file__).parents[2]
FOLDERS = ("gluon_neuron", "_gluon_neuron_hook", "build_backend", "examples")
LIST = ROOT / "gluon_neuron" / "environment_variables.py"
# Names that are no variables: what the C++ compiler is told, and the beginning of many.
NOT_READ = {"GLUON_NEURON_VERSION", "NEURON_RT_", "NEURON_", "GLUON_NEURON_"}
NAME = re.compile(r"\b(?:GLUON_)?NEURON_[A-Z0-9_]*")


def sources():
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in {".py", ".cc", ".h", ".sh", ".txt"} and "third_party" not in path.parts and path != LIST:
                yield path.read_text(encoding="utf-8")


def test_page_is_not_stale():
    assert page() == PAGES["docs/environment.md"].read_text(encoding="utf-8"), "run `make docs` and commit it"


def test_every_name_in_the_sources_is_listed():
    found = {m[0] for text in sources() for m in NAME.finditer(text)} - NOT_READ
    assert found <= {v.name for v in VARIABLES}


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda v: v.name)
def test_what_is_listed_is_in_the_sources(variable):
    assert any(variable.name in text for text in sources())
    assert variable.text.endswith(".") and set(variable.read.split(", ")) <= {
        *("compiling", "loading", "running", "starting", "building"),
    }


def test_pages_name_no_other():
    listed = {v.name for v in VARIABLES} | NOT_READ
    texts = {name: path.read_text(encoding="utf-8") for name, path in PAGES.items()}
    assert [(n, m[0]) for n, text in texts.items() for m in NAME.finditer(text) if m[0] not in listed] == []
    assert len({v.name for v in VARIABLES}) == len(VARIABLES)
