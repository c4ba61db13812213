"""Runs notebooks for their tests: once each, in a folder that is gone afterwards."""

from __future__ import annotations

import re
from pathlib import Path

from docs.notebooks import EXAMPLES, notebook_of, printed, run


def text_of(name: str, folder: Path) -> str:
    """What the notebook of that script printed, run from a clean kernel in `folder`; nothing went to stderr."""
    made = notebook_of(EXAMPLES / f"{name}.py")
    run(made, folder)
    assert printed(made, "stderr") == ""
    return printed(made)


def number(text: str, what: str) -> float:
    """The number that follows the words `what` and a colon."""
    found = re.search(rf"{what}: *([0-9.e+-]*[0-9])", text)
    assert found, f"{what!r} is not in the output:\n{text}"
    return float(found[1])


def pair(text: str, what: str) -> tuple[int, int]:
    """The two numbers of "`what`: 3 of 4"."""
    found = re.search(rf"{what}: *(\d+) of (\d+)", text)
    assert found, f"{what!r} is not in the output:\n{text}"
    return int(found[1]), int(found[2])
