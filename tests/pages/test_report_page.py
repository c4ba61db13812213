"""The page of a report: whole without a network, and closed to what names of nodes bring with them."""

import base64
import dataclasses
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from gluon_neuron.pages.report_page import report_page
from gluon_neuron.report_graph import ReportGraph
from tests.pages.reports import hostile, row
from tests.test_report import EMPTY, REPORT


class Page(HTMLParser):
    """The elements of a page with their attributes, and what is in its scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.raw = [], {"script": [], "style": []}
        self.open = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.open = tag if tag in self.raw else None
        if self.open:
            self.raw[tag].append("")

    def handle_endtag(self, tag):
        self.open = None

    def handle_data(self, data):
        if self.open:
            self.raw[self.open][-1] += data


def data_of(text):
    return json.loads(next(s for s in Page(text).raw["script"] if s.startswith(("{", "null"))))


@pytest.mark.parametrize("report", [REPORT, EMPTY, row(100, 50), hostile()], ids=["old", "empty", "row", "hostile"])
def test_loads_nothing_and_runs_only_its_own_scripts(report):
    text = report_page(report)
    page = Page(text)
    for tag, attributes in page.elements:
        assert not {"src", "href", "srcset", "style"} & set(attributes), tag
        assert not [a for a in attributes if a.startswith("on")], tag
        assert tag not in ("link", "iframe", "img", "object", "base", "form")
    (policy,) = (a["content"] for t, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; ")

    def digest(text):
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    (style,) = page.raw["style"]
    data, *scripts = page.raw["script"]
    assert f"style-src {digest(style)};" in policy and f"script-src {' '.join(map(digest, scripts))};" in policy
    assert len(scripts) == 4 and json.loads(data) == data_of(text)
    assert not re.search(r"@import|url\(", style)


def test_hostile_names_are_texts():
    text = report_page(hostile())
    assert "injected" in text and ("b", {"id": "injected"}) not in Page(text).elements
    assert [n["o"] for n in data_of(text)["nodes"][1:3]] == [
        "</script><script>document.title='taken'</script>",
        "<img src=x onerror=\"document.title='taken'\">",
    ]
    assert "‹U+202E›" in text and "\u202e" not in text and "\\u202e" not in text
    text.encode("utf-8")


def test_all_that_the_report_says_is_there_without_a_script():
    text = re.sub(r"<script.*?</script>", "", report_page(REPORT), flags=re.DOTALL)
    for said in (
        "region0",
        "there is no rule for it",
        "4 of 8 operators",
        "axis 2 of boxes",
        "neuronx-cc compile x.hlo",
    ):
        assert said in text


def test_a_report_without_a_graph_says_why():
    text = report_page(REPORT)
    assert data_of(text) is None and "made by an earlier release" in text and 'id="scroll"' not in text
    assert 'id="scroll"' in report_page(row(10))


def test_a_thousand_operators_are_no_large_file():
    assert len(report_page(row(1000, 95))) < 500_000


def test_a_graph_of_nothing():
    nothing = dataclasses.replace(EMPTY, graph=ReportGraph(()))
    assert data_of(report_page(nothing)) is None and "neither inputs nor operators" in report_page(nothing)
