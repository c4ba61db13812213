"""The README is short, its figures are those of the performance page, and links of the pages lead to files."""

from __future__ import annotations

import posixpath
import re

import pytest

from docs.site_hook import OUTSIDE
from tests.docs.fences import PAGES, ROOT

README = PAGES["README.md"].read_text(encoding="utf-8")
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)\s#]+)")
# The site's home, and what only mkdocstrings makes readable.
FOR_THE_SITE = {"docs/index.md", "docs/api.md"}
ROW = re.compile(r"^\| *(\S.*?) *\| *([\d.]+) *\| *([\d.]*) *\|$", re.M)


def test_it_is_short():
    assert len(README.splitlines()) < 110


def test_its_figures_are_those_of_the_performance_page():
    measured = PAGES["docs/performance.md"].read_text(encoding="utf-8")
    found = ROW.findall(README)
    assert len(found) > 5
    for model, hybridized, onednn in found:
        name = re.escape(model)
        vision = rf"\| {name} +\| 1 +\| {hybridized} \([^|]*\| {onednn} \("
        assert re.search(vision if onednn else rf"\| {name} +\| {hybridized} \(", measured), model


@pytest.mark.parametrize("path", [*PAGES, *(p for p in OUTSIDE if p.endswith(".md"))])
def test_links_lead_to_files(path):
    links = LINK.findall((ROOT / path).read_text(encoding="utf-8"))
    assert [to for to in links if not (ROOT / posixpath.join(posixpath.dirname(path), to)).exists()] == []


def test_pages_are_reached():
    """From the README, by links, as a reader of the repository goes."""
    reached, waiting = set(), ["README.md"]
    while waiting:
        path = waiting.pop()
        if path not in reached and path.endswith(".md"):
            reached.add(path)
            links = LINK.findall((ROOT / path).read_text(encoding="utf-8"))
            waiting += [posixpath.normpath(posixpath.join(posixpath.dirname(path), to)) for to in links]
    assert set(PAGES) - reached == FOR_THE_SITE
