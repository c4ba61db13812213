"""The blocks of code in the pages: where each stands, its language, its words, and its text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = {str(p.relative_to(ROOT)): p for p in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
"""The pages whose blocks are run, by their paths in the repository."""

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)(?P<words>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$", re.M | re.S
)


@dataclass(frozen=True)
class Fence:
    """One block; `line` is that of its first line of code, from 1, and `words` what stands behind its language."""

    page: str
    line: int
    language: str
    words: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def fences(page: str) -> list[Fence]:
    """The blocks of a page, in their order."""
    return in_text(page, PAGES[page].read_text(encoding="utf-8"))


def in_text(page: str, text: str) -> list[Fence]:
    """The blocks of a page's text."""
    return [
        Fence(page, text.count("\n", 0, m.start("text")) + 1, m["language"], tuple(m["words"].split()), m["text"])
        for m in _FENCE.finditer(text)
    ]


def every_fence() -> list[Fence]:
    """The blocks of all pages."""
    return [f for page in PAGES for f in fences(page)]
