"""A profile by hand: its table, its page, its files, and its trace."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

from gluon_neuron.errors import ExportError, InputError
from gluon_neuron.timeline.chrome_trace import trace
from gluon_neuron.timeline.events import laid_out
from gluon_neuron.timeline.times import Event, OperatorTime, Profile, RegionTime


def region(*rows, ms=None, **more):
    """A region of rows (name, kind, ms)."""
    operators = tuple(OperatorTime(name, "Op" if kind == "operator" else "", kind, t) for name, kind, t in rows)
    given = {"program": "static", "parts": 1, "streams": 1, "runs": 1.0, **more}
    return RegionTime("r0", sum(o.ms for o in operators) if ms is None else ms, operators=operators, **given)


ROWS = (("<a> & b", "operator", 3.0), ("copies between layouts", "copies", 0.5), ("waiting", "waiting", 0.5))


@pytest.fixture
def profile():
    found = region(*ROWS, parts=4, streams=2, folded=("flat",))
    events = (
        Event("call", "call", 0.0, 6000.0, 0, 6.0),
        Event("r0", "compiled region", 500.0, 4000.0, 77, 4.0),
        *laid_out(found, 500.0, 4000.0, 77),
        Event("nms", "operator in MXNet", 4600.0, 1000.0, 0, 1.0),
    )
    left = (OperatorTime("nms", "_contrib_box_nms", "operator", 1.0),)
    about = {"inputs": {"data": "float32[1]"}, "target": "cpu", "engine": "openvino", "calls": 2, "warmup": 1}
    return Profile(**about, ms=6.0, ordinary_ms=5.5, regions=(found,), outside=left, unattributed=1.0, events=events)


def test_sums(profile):
    assert sum(row.ms for _, row in profile.rows()) == profile.ms
    kinds = {"compiled operators": 3.0, "operators in MXNet": 1.0, "copies": 0.5, "engine": 0.0, "waiting": 1.5}
    assert profile.by_kind() == kinds and profile.to_dict()["by_kind"] == kinds


def test_the_table(profile):
    text = str(profile)
    assert text.startswith("A call with data float32[1] takes 5.500 ms, and 6.000 ms while its operators are timed")
    assert "Region r0, 4.000 ms (static program, the batch in 4 parts on 2 streams):" in text
    assert "3.000  50.0%  <a> & b" in text and "No time of their own in a call: flat." in text
    many = region(*((f"n{i}", "operator", 1.0) for i in range(40)))
    assert "15.000" in str(Profile({}, "cpu", "openvino", 1, 0, 40.0, 40.0, (many,), (), 0.0))


class Tags(HTMLParser):
    """Which tags are open at the end, the texts, and what would be loaded."""

    def __init__(self):
        super().__init__()
        self.open, self.texts, self.loads = [], [], []

    def handle_starttag(self, tag, attrs):
        self.loads += [v for k, v in attrs if k in ("src", "href")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def test_the_page_stands_alone(profile, tmp_path):
    place = tmp_path / "x.html"
    profile.save(place)
    for text in (place.read_text(), profile._repr_html_()):
        tags = Tags()
        tags.feed(text)
        assert tags.open == [] and tags.loads == [] and "<a> & b" in tags.texts and "url(" not in text
    assert place.read_text().startswith("<!DOCTYPE html>") and "color-scheme:light dark" in place.read_text()


def test_the_trace_nests_as_the_viewers_want_it(profile, tmp_path):
    profile.save(tmp_path / "x.json")
    profile.save_trace(tmp_path / "y.json")
    found = json.loads((tmp_path / "x.json").read_text())
    assert found == json.loads((tmp_path / "y.json").read_text()) == json.loads(json.dumps(trace(profile)))
    named = {e["tid"] for e in found["traceEvents"] if e["ph"] == "M" and e["name"] == "thread_name"}
    events = [e for e in found["traceEvents"] if e["ph"] == "X"]
    assert len(events) == len(profile.events) and {e["tid"] for e in events} == named == {0, 1}
    for one in events:
        assert one["ts"] >= 0 and one["dur"] >= 0 and isinstance(one["pid"], int)
        for other in events:
            if one["tid"] != other["tid"] or one is other:
                continue
            ends = one["ts"] + one["dur"], other["ts"] + other["dur"]
            apart = ends[0] <= other["ts"] + 1e-3 or ends[1] <= one["ts"] + 1e-3
            inside = (one["ts"] - other["ts"]) * (ends[1] - ends[0]) >= -1e-3
            assert apart or inside, (one, other)
    (operator,) = (e for e in events if e["name"] == "<a> & b")
    assert operator["args"]["mean ms"] == 3.0


def test_operators_fill_a_run_that_was_shorter_than_the_mean():
    rows = [*laid_out(region(*ROWS), 100.0, 2000.0, 5)]
    assert [(e.name, e.begin_us, e.us) for e in rows] == [
        ("<a> & b", 100.0, 1500.0),
        ("copies between layouts", 1600.0, 250.0),
    ]


def test_files_that_cannot_be(profile, tmp_path):
    with pytest.raises(InputError, match=r"ends in \.txt"):
        profile.save(tmp_path / "x.txt")
    with pytest.raises(InputError, match="ends in nothing"):
        profile.save_trace(tmp_path / "x")
    with pytest.raises(ExportError, match="cannot be written"):
        profile.save(tmp_path / "none" / "x.html")
    assert not [*tmp_path.iterdir()]
