"""Every notebook runs from a clean kernel, and what it claims is true of what it printed."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """The name of a kernel that is this very interpreter, whatever else is installed on the machine."""
    folder = tmp_path / "jupyter" / "kernels" / "here"
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(
        f'{{"argv": {command!r}, "display_name": "here", "language": "python"}}'.replace("'", '"')
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    return "here"


def run(name, folder, kernel):
    """The text that the notebook printed, run in a folder of its own."""
    shutil.copy(EXAMPLES / name, folder)
    notebook = nbformat.read(folder / name, as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=300, kernel_name=kernel, resources=resources).execute()
    outputs = [o for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs]
    return "\n".join(o.text for o in outputs if o.output_type == "stream" and o.name == "stdout")


def number(text, what):
    found = re.search(rf"{what}:? *([0-9.e+-]+)", text)
    assert found, f"{what!r} is not in the output:\n{text}"
    return float(found[1])


def test_all_notebooks_are_tested():
    assert [p.name for p in EXAMPLES.glob("**/*.ipynb")] == ["train_and_deploy.ipynb"]


def test_outputs_are_not_checked_in():
    for path in EXAMPLES.glob("**/*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        assert not any(cell.outputs for cell in cells if cell.cell_type == "code")


def test_train_and_deploy(tmp_path, kernel):
    text = run("train_and_deploy.ipynb", tmp_path, kernel)
    before = number(text, "accuracy of the trained net")
    assert before > 0.97
    assert number(text, "accuracy of the compiled net") == before
    assert "The compiled model agrees with the reference" in text
    assert number(text, "largest difference between the processes") < 1e-5
    assert re.search(r"(\d+) of \1 operators", text), "everything is compiled"
    assert number(text, "MXNet takes") > 0
    assert (tmp_path / "digits-symbol.json").exists()
