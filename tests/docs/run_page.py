"""Runs the Python blocks of a page, one after the other in one namespace, as its reader would: `run_page PAGE`."""

from __future__ import annotations

import sys
from typing import Any

from tests.docs.fences import fences
from tests.docs.set_up import BEFORE


def main(page: str) -> None:
    """Run them; an error's traceback has the page's line."""
    names: dict[str, Any] = {}
    number = 0
    for fence in fences(page):
        if fence.language == "python" and not fence.words:
            exec(compile(BEFORE.get((page, number), ""), f"what stands before block {number}", "exec"), names)
            exec(compile("\n" * (fence.line - 1) + fence.text, page, "exec"), names)
            number += 1


if __name__ == "__main__":
    main(sys.argv[1])
