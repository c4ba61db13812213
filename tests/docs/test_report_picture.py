"""The picture in the README is there, shows the page, and is small."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

from docs.report_picture import WINDOW

ROOT = Path(__file__).parents[2]


def test_the_readme_shows_it():
    (name,) = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert (ROOT / name).stat().st_size < 150_000
    with Image.open(ROOT / name) as picture:
        assert (picture.format, picture.size) == ("PNG", WINDOW)
