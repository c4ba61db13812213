"""Saving a page: where to, and with which times."""

import json

import numpy as np
import pytest

from gluon_neuron.errors import ExportError, OptionError
from gluon_neuron.pages.report_page import report_page
from tests.pages.reports import row
from tests.test_report import REPORT


def test_saved(tmp_path):
    report = row(10)
    report.save(tmp_path / "x.html")
    text = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert text == report_page(report) and "</html>" in text
    report.save(str(tmp_path / "X.HTML"), {"region0": np.float32(0.25), "net0_pooling3_fwd": 1})
    made = (tmp_path / "X.HTML").read_text(encoding="utf-8")
    data = json.loads(made.partition('id="data">')[2].partition("</script>")[0])
    assert data["groups"][0]["t"] == 0.25 and [n["t"] for n in data["nodes"] if "t" in n] == [1]


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "a", None])
def test_times_that_are_none(value, tmp_path):
    with pytest.raises(OptionError, match=r"seconds\['region0'\] must be a finite number"):
        REPORT.save(tmp_path / "x.html", {"region0": value})
    assert not [*tmp_path.iterdir()]


def test_names_that_are_none(tmp_path):
    with pytest.raises(OptionError, match="'net0_poling3_fwd', which is no .* 'net0_pooling3_fwd'"):
        row(10).save(tmp_path / "x.html", {"net0_poling3_fwd": 1.0})


def test_places_that_are_none(tmp_path):
    with pytest.raises(OptionError, match=r"does not end in \.html"):
        REPORT.save(tmp_path / "x.pdf")
    with pytest.raises(ExportError, match="absent.*No such file or directory"):
        REPORT.save(tmp_path / "absent" / "x.html")
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(ExportError, match="Is a directory"):
        REPORT.save(tmp_path / "folder.html")
