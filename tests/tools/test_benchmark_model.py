"""gluon-neuron benchmark: the table, as JSON, as comma-separated values and as a plot."""

from __future__ import annotations

import csv

import pytest
from PIL import Image

from tests.tools.line import document, fails, image_files, said


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("timed")
    image_files(made)
    return made


def test_files(folder, tmp_path, capsys):
    said(capsys, "compile", folder / "net", "--shape", "1,3,16,16", "-o", tmp_path / "made")
    words = ("--calls", "3", "--batch", "1", "--batch", "2", "--callers", "2", "--price", "1")
    places = ("--csv", tmp_path / "t.csv", "--plot", tmp_path / "t.png")
    found = document(capsys, "benchmark", tmp_path / "made", *words, *places)
    timings = found["timings"]
    assert [(t["who"], t["batch"], t["callers"], t["calls"]) for t in timings] == [
        *(("gluon_neuron", 1, 2, 6), ("MXNet", 1, 2, 6)),
        *(("gluon_neuron", 2, 2, 6), ("MXNet", 2, 2, 6)),
    ]
    with open(tmp_path / "t.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [{k: str(v) for k, v in t.items()} for t in timings] == rows
    with Image.open(tmp_path / "t.png") as plot:
        assert plot.format == "PNG" and len(set(plot.convert("L").tobytes())) > 2


def test_what_is_not_compiled_is(folder, capsys):
    words = ("benchmark", folder / "net", "--shape", "2,3,16,16", "--target", "cpu", "--calls", "2", "--no-mxnet")
    text = said(capsys, *words)
    assert "gluon_neuron  2        1          2" in text and "MXNet" not in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--csv", "none/t.csv"], "no directory none"),
        (["--plot", "t.txt"], "must end with .png, .svg or .pdf"),
        (["--csv", "net-symbol.json"], "must end with .csv"),
        (
            ["--shape", "1,3,16,16", "--input", "cat.png", "--plot", "cat.png"],
            "cat.png is one of the files that are read",
        ),
        ([], "--shape data:"),
    ],
)
def test_errors(folder, capsys, monkeypatch, words, told):
    monkeypatch.chdir(folder)
    Image.new("RGB", (20, 20)).save("cat.png")
    assert told in fails(capsys, "benchmark", "net", *words)
