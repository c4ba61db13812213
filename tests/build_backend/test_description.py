"""The long description: no link in it is relative."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.mark.parametrize("home", ["", "https://example.org/us/gluon_neuron/"])
def test_the_readme_has_no_relative_link_left(load, home):
    text = README.read_text(encoding="utf-8")
    made = load("description").long_description(text, home)
    links = re.findall(r"\]\(([^)]*)\)", made)
    assert all(link.startswith(("https://", "#")) for link in links)
    assert len(re.findall(r"\]\(", text)) > 10 and bool(links) == bool(home)


@pytest.mark.parametrize(
    ("given", "without", "at_home"),
    [
        ("[docs/a.md](docs/a.md#b)", "docs/a.md", "[docs/a.md](https://h/blob/main/docs/a.md#b)"),
        ("see [how](docs/a.md).", "see how (docs/a.md).", "see [how](https://h/blob/main/docs/a.md)."),
        ("a\n\n![b](docs/c.png)\n\nd", "a\n\nd", "a\n\n![b](https://h/raw/main/docs/c.png)\n\nd"),
        ("[x](https://e.org/y) [z](#here)", "[x](https://e.org/y) [z](#here)", "[x](https://e.org/y) [z](#here)"),
    ],
)
def test_links(load, given, without, at_home):
    module = load("description")
    assert module.long_description(given) == without
    assert module.long_description(given, "https://h/") == at_home
