"""gluon-neuron verify: compiled files against their own operators, another checkpoint, and what is compiled for it."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from tests.tools.line import document, fails, image_files, said, say, token_files


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("verified")
    prefix = image_files(made)
    other = tmp_path_factory.mktemp("other")
    image_files(other), token_files(other)
    net = mx.gluon.SymbolBlock.imports(f"{prefix}-symbol.json", ["data"], f"{prefix}-0000.params")
    gluon_neuron.compile(net, mx.nd.zeros((2, 3, 16, 16))).export(made / "compiled")
    gluon_neuron.compile(net, mx.nd.zeros((2, 3, 16, 16)), inline_weights=True).export(made / "baked")
    for path in other.iterdir():
        path.rename(made / f"other-{path.name}")
    return made


@pytest.mark.parametrize("words", [["compiled"], ["compiled", "net"], ["baked", "net"], ["net"], ["net", "compiled"]])
def test_what_agrees(folder, capsys, words):
    more = ["--shape", "2,3,16,16"] if words[0] == "net" else []
    places = [folder / w for w in words]
    assert "agrees" in said(capsys, "verify", *places, *more, "--samples", "2")
    found = document(capsys, "verify", *places, *more)
    assert found["agrees"] and found["inputs"] == {"data": "float32[2, 3, 16, 16]"} and found["seed"] == 0
    (difference,) = found["differences"]
    assert difference["max_abs"] < 1e-4


def test_another_shape_is_compared_as_it_is_compiled(folder, capsys):
    """MXNet itself has the first calls of a shape, and would agree with itself to the last bit."""
    found = document(capsys, "verify", folder / "compiled", "--shape", "3,3,20,20")
    assert found["agrees"] and found["differences"][0]["max_abs"] > 0


def test_what_differs(folder, capsys):
    words = ("verify", folder / "compiled", folder / "other-net")
    status, out, _ = say(capsys, *words)
    assert status == 1 and "DISAGREES" in out
    found = document(capsys, *words, status=1)
    assert not found["agrees"] and found["differences"][0]["outside"] > 0
    assert document(capsys, *words, "--rtol", "1e3", "--atol", "1e3")["agrees"]


def test_given_inputs(folder, tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.zeros((4, 3, 16, 16)))
    text = said(capsys, "verify", folder / "compiled", "--input", f"data={tmp_path / 'x.npy'}")
    assert "float32[4, 3, 16, 16]" in text and "from files" in text


def test_two_inputs_of_what_is_compiled_for_it(folder, capsys):
    shapes = ("--shape", "data0:2,6", "--shape", "data1:2", "--dtype", "data0:int32")
    found = document(capsys, "verify", folder / "other-two", *shapes, "--target", "cpu")
    assert found["agrees"] and len(found["differences"]) == 2


def test_outputs_that_are_not_finite_are_json(folder, tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.full((2, 3, 16, 16), np.inf))
    document(capsys, "verify", folder / "compiled", "--input", tmp_path / "x.npy")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["baked"], "weights"),
        (["compiled", "other-two"], "different inputs"),
        (["compiled", "absent"], "absent"),
        (["compiled", "--target", "cpu"], "compiled already"),
        (["net"], "--shape data:"),
    ],
)
def test_errors(folder, capsys, monkeypatch, words, told):
    monkeypatch.chdir(folder)
    assert told in fails(capsys, "verify", *words)
