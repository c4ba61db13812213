"""gluon-neuron gather-info: takes what helps, and neither weights nor other environment names unless asked."""

from __future__ import annotations

import json

import mxnet as mx
import pytest

import gluon_neuron
from gluon_neuron.tools.cli import main
from tests.compat.nets import checkpoint, image
from tests.tools.line import document


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.setenv("SUBGRAPH_INFO", "1")
    made = mx.contrib.neuron.compile(*checkpoint(), {"data": image()}, work_dir=tmp_path / "work")
    mx.model.save_checkpoint(str(tmp_path / "net"), 0, *made)
    return tmp_path


def test_what_it_takes(model, monkeypatch, capsys):
    monkeypatch.setenv("NEURON_RT_NUM_CORES", "2")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    place = model / "info"
    assert (
        main(["gather-info", "-o", str(place), "--model", str(model / "net"), "--work-dir", str(model / "work")]) == 0
    )
    taken = sorted(p.name for p in place.iterdir())
    assert taken == [
        *(
            f"_neuron_subgraph_op0-{e}"
            for e in ("command.txt", "compile.log", "cpu-0.program", "cpu-any.program", "signature.json", "symbol.json")
        ),
        *("environment.json", "report.json", "report.txt", "versions.json"),
    ]
    assert capsys.readouterr().out.split() == [str(place / n) for n in taken]
    environment = json.loads((place / "environment.json").read_text())
    assert environment["NEURON_RT_NUM_CORES"] == "2"
    assert "AWS_SECRET_ACCESS_KEY" not in environment
    assert "PATH" not in environment
    versions = json.loads((place / "versions.json").read_text())
    assert {"gluon_neuron", "python", "mxnet", "numpy", "openvino"} <= set(versions)
    assert json.loads((place / "report.json").read_text())["target"] == "cpu"


def test_json(model, capsys):
    found = document(capsys, "gather-info", "-o", model / "info", "--work-dir", model / "work")
    assert found["directory"] == str(model / "info") and sorted(found["files"]) == found["files"]
    assert {str(p) for p in (model / "info").iterdir()} == set(found["files"])


def test_weights_when_asked(model):
    place = model / "info"
    assert main(["gather-info", "-o", str(place), "--work-dir", str(model / "work"), "--include-weights"]) == 0
    assert (place / "_neuron_subgraph_op0-0000.params").exists()


def test_programs_with_baked_weights_are_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("SUBGRAPH_INFO", "1")
    mx.contrib.neuron.compile(*checkpoint(), {"data": image()}, work_dir=tmp_path / "work", inline_weights=True)
    for words, expected in (((), False), (("--include-weights",), True)):
        place = tmp_path / f"info{len(words)}"
        assert main(["gather-info", "-o", str(place), "--work-dir", str(tmp_path / "work"), *words]) == 0
        taken = {p.name for p in place.iterdir()}
        assert ("_neuron_subgraph_op0-cpu-0.program" in taken) is expected
        assert ("_neuron_subgraph_op0-0000.params" in taken) is expected
        assert "_neuron_subgraph_op0-signature.json" in taken


def test_no_weight_is_in_what_is_taken(model):
    place = model / "info"
    assert (
        main(["gather-info", "-o", str(place), "--model", str(model / "net"), "--work-dir", str(model / "work")]) == 0
    )
    everything = b"".join(p.read_bytes() for p in place.iterdir())
    for array in {**checkpoint()[1], **checkpoint()[2]}.values():
        assert array.asnumpy().tobytes() not in everything


def test_existing_directory_is_left_alone(model, capsys):
    assert main(["gather-info", "-o", str(model / "work")]) == 3
    assert "exists already" in capsys.readouterr().err


def test_nothing_is_left_after_a_failure(model, capsys):
    assert main(["gather-info", "-o", str(model / "info"), "--model", str(model / "absent")]) == 3
    assert not list(model.glob("*info*"))


def test_command_line(capsys):
    assert main(["check-modell", "x"]) == 2
    assert "check-modell" in capsys.readouterr().err
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"{gluon_neuron.__version__}\n"
