"""docs/architecture.svg is what its script draws, of things that exist, each in a place of its own."""

from __future__ import annotations

import itertools
from pathlib import Path
from xml.etree import ElementTree

from docs.architecture_picture import picture

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"


def test_it_is_not_stale():
    assert picture() == (ROOT / "docs" / "architecture.svg").read_text(encoding="utf-8"), "run `make docs`"


def test_folders_exist():
    rooms = [t.text for t in ElementTree.fromstring(picture()).iter(f"{SVG}text") if t.get("class") == "room"]
    assert len(rooms) > 5
    assert [r for text in rooms for r in text.split() if not (ROOT / "gluon_neuron" / r).is_dir()] == []


def test_boxes_do_not_meet():
    boxes = [
        tuple(int(r.attrib[n]) for n in ("x", "y", "width", "height"))
        for r in ElementTree.fromstring(picture()).iter(f"{SVG}rect")
        if "x" in r.attrib
    ]
    for (x, y, w, h), (x2, y2, w2, h2) in itertools.combinations(boxes, 2):
        assert x + w < x2 or x2 + w2 < x or y + h < y2 or y2 + h2 < y
