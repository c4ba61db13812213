"""Makes the notebooks of examples/ of the scripts beside them, each run from a clean kernel: `make notebooks`."""

from __future__ import annotations

import ast
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
_CELL = "\n# %%"
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def sources() -> list[Path]:
    """The scripts of which notebooks are made: those in jupytext's percent format."""
    return sorted(p for p in EXAMPLES.rglob("*.py") if _CELL in p.read_text(encoding="utf-8"))


def notebook_of(source: Path) -> NotebookNode:
    """The notebook of a script, without outputs: its cells, and not the docstring above them.

    The docstring says what the file is, as in every file here; a notebook says it in its first cell.
    """
    text = source.read_text(encoding="utf-8")
    above, mark, cells = text.partition(_CELL)
    if ast.get_docstring(ast.parse(above)) is None:
        raise ValueError(f"{source} does not begin with a docstring.")
    made = jupytext.reads((mark + cells).lstrip("\n"), fmt="py:percent")
    made.metadata = nbformat.from_dict({"kernelspec": _KERNEL, "language_info": {"name": "python"}})
    for number, cell in enumerate(made.cells):
        cell.id = f"cell-{number}"  # instead of random ones, which would change each time
        cell.metadata = nbformat.from_dict({})
    return made


def run(made: NotebookNode, folder: Path, seconds: int = 600) -> None:
    """Run a notebook in a kernel of this very interpreter, whose working folder is `folder`, and put its outputs in.

    Raises nbclient's CellExecutionError for a cell that fails.
    """
    with _kernel() as name:
        resources = {"metadata": {"path": str(folder)}}
        options = {"timeout": seconds, "kernel_name": name, "resources": resources}
        NotebookClient(made, record_timing=False, coalesce_streams=True, **options).execute()
    made.metadata = nbformat.from_dict({"kernelspec": _KERNEL, "language_info": {"name": "python"}})


def printed(made: NotebookNode, stream: str = "stdout") -> str:
    """What the cells wrote to a stream."""
    found = [o for cell in made.cells for o in cell.get("outputs", ()) if o.output_type == "stream"]
    return "".join(o.text for o in found if o.name == stream)


def main(names: Sequence[str]) -> int:
    """Make the named notebooks, or all; returns 1 where one wrote to stderr, as readers are to see no warnings."""
    unclean = 0
    for source in [p for p in sources() if not names or p.stem in names]:
        made = notebook_of(source)
        with tempfile.TemporaryDirectory() as folder:
            run(made, Path(folder))
        nbformat.write(made, source.with_suffix(".ipynb"))
        warned = printed(made, "stderr")
        print(f"{source.name}: {warned or 'written'}")
        unclean += bool(warned)
    return 1 if unclean else 0


@contextmanager
def _kernel() -> Iterator[str]:
    """The name of a kernel that is this interpreter, whatever else is installed on the machine."""
    name, path = "here", os.environ.get("JUPYTER_PATH")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "kernels", name)
        place.mkdir(parents=True)
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=40"]
        (place / "kernel.json").write_text(json.dumps({"argv": command, **_KERNEL}), encoding="utf-8")
        os.environ["JUPYTER_PATH"] = folder
        try:
            yield name
        finally:
            os.environ.pop("JUPYTER_PATH")
            if path is not None:
                os.environ["JUPYTER_PATH"] = path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
