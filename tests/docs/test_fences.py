"""Every block of the pages says what it is; few are not run, and these are listed here."""

from __future__ import annotations

import json
import re

import pytest

from tests.docs.fences import PAGES, Fence, every_fence, in_text

LANGUAGES = {"python", "sh", "json", "text"}
WORDS = {"needs-chip", "needs-network"}
NOT_RUN: dict[str, int] = {}
"""How many blocks of a page are not run: they need a chip or a network, and have that word behind their language."""


def test_each_has_a_language():
    assert [str(f) for f in every_fence() if f.language not in LANGUAGES or not WORDS.issuperset(f.words)] == []


def test_no_block_hides_in_an_indent():
    """An indented block has no language; a list's own lines are no such block."""
    found = []
    for name, path in PAGES.items():
        text = re.sub(r"^ *```.*?^ *```$", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
        found += [f"{name}: {m[1]}" for m in re.finditer(r"\n\n {4,}((?![-*] |\d+\. )\S.*)", text)]
    assert found == []


def test_those_that_are_not_run_are_listed():
    counted: dict[str, int] = {}
    for fence in every_fence():
        if fence.words:
            counted[fence.page] = counted.get(fence.page, 0) + 1
    assert counted == NOT_RUN
    assert sum(counted.values()) <= 5


@pytest.mark.parametrize("fence", [f for f in every_fence() if f.language == "json"], ids=str)
def test_json_is_json(fence):
    json.loads(fence.text)


def test_reading():
    text = "a\n\n```python needs-chip\nx\n```\n\n   ```sh\n   y\n   ```\n"
    assert in_text("p", text) == [Fence("p", 4, "python", ("needs-chip",), "x\n"), Fence("p", 8, "sh", (), "   y\n")]
