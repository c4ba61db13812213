"""What notebooks show of a report: tables without scripts or styles of their own, and every reason."""

import re

from gluon_neuron.pages.summary import gflop, reasons, summary
from tests.pages.reports import HOSTILE, hostile, row
from tests.test_report import EMPTY, REPORT


def text_of(html):
    return re.sub(r"<[^>]*>", " ", html)


def test_summary():
    made = REPORT._repr_html_()
    assert made == summary(REPORT)
    for said in ("50.0%", "4 of 8", "75.0%", "3 of 4 GFLOP", "region0", "data, mask", "there is no rule for it"):
        assert said in text_of(made), said
    assert made.count("<details>") == 2 and "4 operators in MXNet, and why" in made
    assert "Nothing was compiled" in summary(EMPTY) and "Nothing was compiled" not in made


def test_nothing_that_viewers_of_notebooks_drop_or_refuse():
    for report in (REPORT, EMPTY, hostile(), row(1000, 0)):
        made = summary(report)
        tags = set(re.findall(r"<([a-z]+)", made))
        assert tags <= {
            *["div", "p", "b", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "progress"]
        }
        assert not re.search(r"<[^>]*\s(?:on\w+|src|href|id|class)=", made)
        assert len(made) < 20_000


def test_hostile_names_are_texts():
    assert "&lt;/script&gt;&lt;script&gt;" in summary(hostile())
    assert "‹U+202E›" in summary(hostile()) and not any(bad in summary(hostile()) for bad in HOSTILE if "<" in bad)


def test_reasons_are_grouped():
    assert reasons(REPORT)[0] == ("sort", 2, "sort0", "there is no rule for it")


def test_units():
    found = [gflop(n) for n in (7, 1234, 5_000_000, 7_740_000_000, 2 * 10**13)]
    assert found == ["7 FLOP", "1.23 kFLOP", "5 MFLOP", "7.74 GFLOP", "20 TFLOP"]
