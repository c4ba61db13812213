"""The notebooks in the repository are those of the scripts, with outputs in which nothing of one machine is left."""

from __future__ import annotations

import base64
import getpass
import re
import socket
from pathlib import Path

import nbformat
import pytest

from docs.notebooks import EXAMPLES, notebook_of, printed, sources

README = (EXAMPLES / "README.md").read_text(encoding="utf-8")
NAMES = [p.stem for p in sources()]
LARGEST_PICTURE = 100_000
ABSOLUTE = re.compile(r"(?<![\w.~/:-])/(?:home|root|Users|tmp|work|usr|opt|var|private)/")


def saved(name):
    return nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)


def texts(notebook):
    """Everything that the outputs say, what stands for pictures as well."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            yield from [output.get("text", ""), *output.get("traceback", ())]
            yield from (v for k, v in output.get("data", {}).items() if not k.startswith("image/"))


def pictures(notebook):
    found = [
        o.data["image/png"] for c in notebook.cells for o in c.get("outputs", ()) if "image/png" in o.get("data", {})
    ]
    return [base64.b64decode(p) for p in found]


def test_each_notebook_has_its_script():
    assert len(NAMES) >= 5
    assert {p.relative_to(EXAMPLES).as_posix() for p in EXAMPLES.glob("**/*.ipynb")} == {f"{n}.ipynb" for n in NAMES}


def test_each_notebook_has_a_test_of_what_it_claims():
    assert {p.stem for p in Path(__file__).parent.glob("test_*.py")} >= {f"test_{n}" for n in NAMES}


def test_the_readme_lists_them_all():
    assert set(re.findall(r"\]\((\w+)\.ipynb\)", README)) == set(NAMES)
    assert set(re.findall(r"\]\((\w+)\.py\)", README)) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_is_that_of_the_script(name):
    made, there = notebook_of(EXAMPLES / f"{name}.py"), saved(name)
    assert [(c.cell_type, c.source) for c in there.cells] == [(c.cell_type, c.source) for c in made.cells], (
        f"run `python -m docs.notebooks {name}`"
    )
    assert there.metadata == made.metadata
    nbformat.validate(there)


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_saved(name):
    there = saved(name)
    code = [c for c in there.cells if c.cell_type == "code"]
    assert [c.execution_count for c in code] == [*range(1, len(code) + 1)]
    assert len(printed(there)) > 500
    assert not [o for c in code for o in c.outputs if o.output_type == "error"]
    assert printed(there, "stderr") == ""
    assert pictures(there)


@pytest.mark.parametrize("name", NAMES)
def test_pictures_are_small(name):
    sizes = [len(p) for p in pictures(saved(name))]
    assert max(sizes) < LARGEST_PICTURE, sizes
    assert all(p.startswith(b"\x89PNG") for p in pictures(saved(name)))


def of_one_machine(text):
    names = {getpass.getuser(), socket.gethostname()}
    return [m.group() for m in ABSOLUTE.finditer(text)] + [n for n in names if re.search(rf"\b{re.escape(n)}\b", text)]


@pytest.mark.parametrize("name", NAMES)
def test_outputs_name_no_machine(name):
    found = [f for text in texts(saved(name)) for f in [*of_one_machine(text), *re.findall(r"\w*Warning\b", text)]]
    assert found == []


@pytest.mark.parametrize("folder", ["home", "root", "usr", "work"])
@pytest.mark.parametrize("before", ["at ", '"', ""])
def test_a_path_is_seen(folder, before):
    assert of_one_machine(f"{before}/{folder}/x/y.py:3")


@pytest.mark.parametrize("text", ["3/4", "https://example.org/home/x", "docs/tmp/x"])
def test_other_slashes_are_not(text):
    assert not of_one_machine(text)
