"""Where this project's files are: the root, the modules, and every text file that belongs to the repository."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "gluon_neuron"

_FOLDERS = (".ci", ".github", "benchmarks", "build_backend", "cmake", "docs", "examples", "gluon_neuron", "tests")


def modules() -> list[Path]:
    """Every Python module of the package."""
    return sorted(p for p in _walk(PACKAGE) if p.suffix == ".py")


def code() -> list[Path]:
    """Every file of Python or C++."""
    return [p for p in texts() if p.suffix in (".py", ".cc", ".cpp", ".h", ".hpp")]


def texts() -> list[Path]:
    """Every text file of the repository: those at its root and in its folders, without what was built."""
    # Not the data that coverage collects: its files come and go while tests run.
    found = [p for p in ROOT.iterdir() if p.is_file() and not p.name.startswith(".coverage")]
    for folder in _FOLDERS:
        found += _walk(ROOT / folder)
    return sorted(p for p in found if _is_text(p))


def relative(path: Path) -> str:
    """The path as it is written in messages."""
    return path.relative_to(ROOT).as_posix()


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        # What is in third_party is laid out as its authors like it.
        folders[:] = [f for f in folders if f not in ("__pycache__", "build", "third_party") and not f.startswith(".")]
        yield from (Path(parent, name) for name in files)


def _is_text(path: Path) -> bool:
    try:
        return "\0" not in path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return False
