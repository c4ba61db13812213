"""gluon-neuron check-model: columns and totals for compiled and uncompiled checkpoints."""

from __future__ import annotations

import json

import mxnet as mx
import pytest

from gluon_neuron.tools.cli import main
from tests.compat.nets import checkpoint, image


@pytest.fixture
def plain(tmp_path):
    sym, args, aux = checkpoint()
    sym = mx.sym.Group([sym, mx.sym.contrib.boolean_mask(mx.sym.var("a"), mx.sym.var("b"), name="mask0")])
    mx.model.save_checkpoint(str(tmp_path / "plain"), 0, sym, args, aux)
    return str(tmp_path / "plain")


@pytest.fixture
def compiled(tmp_path):
    made = mx.contrib.neuron.compile(*checkpoint(), {"data": image()}, excl_node_names=["pool0"])
    mx.model.save_checkpoint(str(tmp_path / "made"), 0, *made)
    return str(tmp_path / "made")


def output(capsys, *words):
    assert main(["check-model", *words]) == 0
    return capsys.readouterr().out


def rows(text):
    """The cells of the tables' lines."""
    return [line.split() for line in text.splitlines()]


def test_uncompiled(plain, capsys):
    text = output(capsys, plain)
    assert ["Op", "Type", "Num", "Instances", "Neuron", "Supported", "?"] in rows(text)
    assert ["Convolution", "2", "Yes"] in rows(text)
    assert ["_contrib_boolean_mask", "1", "No"] in rows(text)
    assert "* Total inference operations: 10\n" in text
    assert "* Total Neuron supported inference operations: 9\n" in text
    assert "* Percent of total inference operations supported by Neuron: 90.0\n" in text
    assert "conv0" not in text


@pytest.mark.parametrize("option", ["--show-names", "--show_names"])
def test_names(plain, capsys, option):
    text = output(capsys, plain, option)
    assert ["Op", "Name", "Op", "Type", "Neuron", "Supported", "?"] in rows(text)
    assert ["conv1", "Convolution", "Yes"] in rows(text)
    assert ["mask0", "_contrib_boolean_mask", "No"] in rows(text)
    assert "* Total inference operations: 10\n" in text


def test_compiled(compiled, capsys):
    text = output(capsys, compiled, "--no-expand-subgraph")
    assert "* Found 2 Neuron subgraph(s) (_neuron_subgraph_op(s)) in this compiled model." in text
    assert "at least 1 NeuronCore(s)" in text
    assert ["_neuron_subgraph_op0", "1", "3", "1", "for", "cpu,", "1", "for", "any", "shape"] in rows(text)
    assert ["_neuron_subgraph_op1", "1", "5", "1", "for", "cpu,", "1", "for", "any", "shape"] in rows(text)
    assert ["Subgraph", "Name", "Num", "Pipelined", "NeuronCores", "Num", "Operations", "Programs"] in rows(text)
    assert ["_neuron_subgraph_op", "2", "Yes"] in rows(text)
    assert ["Pooling", "1", "Yes"] in rows(text)  # was left out, but there is a rule for it
    assert "Convolution" not in text
    assert "_copy" not in text
    assert "* Total inference operations: 9\n" in text
    assert "* Total Neuron supported inference operations: 9\n" in text
    assert "* Percent of total inference operations supported by Neuron: 100.0\n" in text
    assert text.endswith("* Total inference operations in Neuron subgraphs: 8\n")


def test_names_of_compiled(compiled, capsys):
    text = output(capsys, compiled, "--show-names", "--no-expand-subgraph")
    assert ["_neuron_subgraph_op0", "_neuron_subgraph_op", "Yes"] in rows(text)
    assert ["pool0", "Pooling", "Yes"] in rows(text)
    assert "conv0" not in text
    assert ["conv0", "Convolution", "Yes"] in rows(output(capsys, compiled, "--show-names"))


def test_cores(tmp_path, capsys):
    made = mx.contrib.neuron.compile(*checkpoint(), {"data": image()}, **{"--neuroncore-pipeline-cores": 3})
    mx.model.save_checkpoint(str(tmp_path / "made"), 0, *made)
    text = output(capsys, str(tmp_path / "made"))
    assert "at least 3 NeuronCore(s)" in text
    assert ["_neuron_subgraph_op0", "3", "9", "1", "for", "cpu,", "1", "for", "any", "shape"] in rows(text)


@pytest.mark.parametrize("switches", [[], ["--expand-subgraph"], ["--expand_subgraph"]])
def test_says_what_is_inside_without_a_switch(compiled, capsys, switches):
    assert rows(output(capsys, compiled, *switches)).count(["Convolution", "1", "Yes"]) == 2


def test_finds_the_only_parameters(compiled, tmp_path, capsys):
    (tmp_path / "made-0000.params").rename(tmp_path / "made-0012.params")
    text = output(capsys, compiled)
    assert "missing" not in text and text == output(capsys, compiled, "--epoch", "12")
    assert text == output(capsys, f"{compiled}-symbol.json")


@pytest.mark.parametrize("which", ["plain", "compiled"])
def test_json(which, capsys, request):
    found = json.loads(output(capsys, request.getfixturevalue(which), "--json"))
    assert found["compiled"] == (which == "compiled")
    if found["compiled"]:
        assert [len(s["operators"]) for s in found["subgraphs"]] == [3, 5] and found["in_subgraphs"] == 8
        assert (found["total"], found["supported"], found["neuron_cores"]) == (9, 9, 1)
        assert "conv0" in [o["name"] for o in found["subgraphs"][0]["operators"]]
    else:
        assert (found["total"], found["supported"]) == (10, 9)
        assert [o["name"] for o in found["operators"] if not o["supported"]] == ["mask0"]


def test_without_parameters(compiled, capsys):
    assert "missing" in output(capsys, compiled, "--epoch", "7")


def test_damaged_artifact(compiled, capsys):
    sym, args, aux = mx.model.load_checkpoint(compiled, 0)
    args[next(n for n in args if n.endswith("_neuronbin"))][:] = 0
    mx.model.save_checkpoint(compiled, 1, sym, args, aux)
    assert "damaged: neither an artifact of gluon_neuron nor a NEFF" in output(capsys, compiled, "--epoch", "1")


def test_no_such_model(tmp_path, capsys):
    assert main(["check-model", str(tmp_path / "nothing")]) == 3
    assert "There is no symbol file" in capsys.readouterr().err


def test_no_symbol(tmp_path, capsys):
    (tmp_path / "bad-symbol.json").write_text("{")
    assert main(["check-model", str(tmp_path / "bad")]) == 3
    assert "is not an MXNet symbol" in capsys.readouterr().err
