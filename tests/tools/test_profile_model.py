"""gluon-neuron profile: the table, as JSON, as a page and as a trace."""

from __future__ import annotations

import json

import pytest

from tests.tools.line import document, fails, image_files, said


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("profiled")
    image_files(made)
    return made


def test_files(folder, tmp_path, capsys):
    said(capsys, "compile", folder / "net", "--shape", "1,3,16,16", "-o", tmp_path / "made")
    words = ("--calls", "2", "--html", tmp_path / "t.html", "--trace", tmp_path / "t.json")
    found = document(capsys, "profile", tmp_path / "made", *words)
    assert found["calls"] == 2 and found["html"] == str(tmp_path / "t.html")
    assert sum(found["by_kind"].values()) == pytest.approx(found["ms"]) and found["regions"][0]["operators"]
    assert json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    assert (tmp_path / "t.html").read_text().startswith("<!DOCTYPE html>")


def test_what_is_not_compiled_is(folder, capsys):
    text = said(capsys, "profile", folder / "net", "--shape", "2,3,16,16", "--target", "cpu", "--calls", "2")
    assert "A call with data float32[2, 3, 16, 16] takes " in text and "Convolution + BatchNorm + Activation" in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--html", "none/t.html"], "no directory none"),
        (["--html", "t.json"], "must end with .html"),
        (["--trace", "net-symbol.json"], "net-symbol.json is one of the files that are read"),
        ([], "--shape data:"),
    ],
)
def test_errors(folder, capsys, monkeypatch, words, told):
    monkeypatch.chdir(folder)
    assert told in fails(capsys, "profile", "net", *words)
