"""gluon-neuron compile and analyze: from files or a zoo's name to files, with the options of a compile."""

from __future__ import annotations

import os

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from tests.agreement import agree
from tests.compat.nets import checkpoint, image
from tests.compat.nets import run as run_symbol
from tests.nets import CLOSE, images
from tests.tools.line import document, fails, image_files, said, token_files


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("a földer")
    image_files(made), token_files(made)
    mx.model.save_checkpoint(str(made / "soft"), 3, *checkpoint())
    return made


def test_a_zoos_model_keeps_how_its_images_are_prepared(tmp_path, capsys):
    said(capsys, "compile", "mobilenet0.25", "--shape", "1,3,32,32", "--no-dynamic", "-o", tmp_path / "net")
    assert document(capsys, "inspect", tmp_path / "net")["preprocessing"]["layout"] == "NCHW"


def test_a_checkpoint(folder, tmp_path, capsys):
    text = said(capsys, "compile", folder / "net", "--shape", "data:2,3,16,16", "-o", tmp_path / "made")
    assert "9 of 9 operators" in text and f"Written: {tmp_path / 'made'}-symbol.json" in text
    made = gluon_neuron.load(tmp_path / "made")
    original = mx.gluon.SymbolBlock.imports(f"{folder}/net-symbol.json", ["data"], f"{folder}/net-0000.params")
    x = images(2)
    agree(made(x), original(x), **CLOSE)
    assert made.report.static_shapes == ({"data": (2, 3, 16, 16)},)
    assert str(made.report) in said(capsys, "report", tmp_path / "made")
    assert sorted(os.listdir(tmp_path)) == ["made-0000.params", "made-symbol.json"]


def test_options(folder, tmp_path, capsys):
    found = document(
        capsys,
        *("compile", folder / "two", "--shape", "data0:2,6", "--shape", "data1:2", "--dtype", "data0:int32"),
        *("--dynamic", "data0:1=1..64", "--batch-size", "4", "--exclude-operator", "SequenceMask"),
        *("-o", tmp_path / "made"),
    )
    assert found["inputs"] == {
        "data0": {"shape": [2, 6], "dtype": "int32"},
        "data1": {"shape": [2], "dtype": "float32"},
    }
    made = gluon_neuron.load(found["written"][0])
    report = made.report
    assert {s["data0"] for s in report.static_shapes} == {(2, 6), (4, 6)}
    assert [(o.op, o.category) for o in report.outside] == [("SequenceMask", "excluded")]
    (dimension,) = {d for r in report.regions for d in r.dynamic_dimensions}
    assert (dimension.min, dimension.max) == (1, 64)
    assert found["report"] == document(capsys, "report", tmp_path / "made")


def test_a_checkpoint_with_a_label(folder, tmp_path, capsys):
    said(capsys, "compile", folder / "soft", "--shape", "2,3,8,8", "-o", tmp_path / "made")
    made = mx.model.load_checkpoint(str(tmp_path / "made"), 0)
    agree(run_symbol(*made, image(1))[0], run_symbol(*checkpoint(), image(1))[0], 1e-4, 1e-5)


def test_compiled_files_are_compiled_again(folder, tmp_path, capsys):
    said(capsys, "compile", folder / "net", "--shape", "2,3,16,16", "-o", tmp_path / "first")
    found = document(capsys, "compile", tmp_path / "first", "--exclude-operator", "Pooling", "-o", tmp_path / "second")
    assert found["inputs"]["data"]["shape"] == [2, 3, 16, 16]
    assert {o["category"] for o in found["report"]["outside"]} == {"excluded"}
    x = images(2)
    agree(gluon_neuron.load(tmp_path / "second")(x), gluon_neuron.load(tmp_path / "first")(x), **CLOSE)


@pytest.mark.models
def test_a_zoo_name(tmp_path, capsys):
    words = ("compile", "mobilenet0.25", "--shape", "1,3,64,64", "-o", tmp_path / "made")
    assert "operators (100.0%)" in said(capsys, *words)
    assert gluon_neuron.load(tmp_path / "made").report.static_shapes == ({"data": (1, 3, 64, 64)},)


def test_np_files(tmp_path, capsys):
    with mx.util.np_shape(True), mx.util.np_array(True):
        net = mx.gluon.nn.HybridSequential()
        net.add(mx.gluon.nn.Dense(4), mx.gluon.nn.Activation("relu"))
        net.initialize()
        net.hybridize()
        x = mx.np.ones((2, 3))
        expected = net(x).asnumpy()
        net.export(str(tmp_path / "plain"))
    said(capsys, "compile", tmp_path / "plain", "--shape", "2,3", "-o", tmp_path / "made")
    made = gluon_neuron.load(tmp_path / "made")
    assert made.report.compiled_operators and not mx.util.is_np_array()
    np.save(tmp_path / "x.npy", np.ones((2, 3)))
    for which in ("plain", "made"):
        found = document(capsys, "run", tmp_path / which, tmp_path / "x.npy")
        agree(np.float32(next(iter(found["outputs"].values()))["values"]), expected, 1e-5, 1e-6)
    assert document(capsys, "verify", tmp_path / "made")["agrees"]


def test_the_input_is_not_replaced_unless_it_is_meant(folder, tmp_path, capsys):
    prefix = image_files(tmp_path)
    before = (tmp_path / "net-symbol.json").read_bytes()
    (tmp_path / "link-symbol.json").symlink_to("net-symbol.json")
    for output in (prefix, tmp_path / "link"):
        told = fails(capsys, "compile", prefix, "--shape", "1,3,16,16", "-o", output)
        assert "--overwrite" in told and (tmp_path / "net-symbol.json").read_bytes() == before
    said(capsys, "compile", prefix, "--shape", "1,3,16,16", "-o", prefix, "--overwrite")
    assert (tmp_path / "net-symbol.json").read_bytes() != before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["net", "-o", "x"], "--shape data:1,3,224,224"),
        (["net", "--shape", "data:1,3", "-o", "x"], "data"),
        (["net", "--shape", "dats:1,3,16,16", "-o", "x"], "Did you mean 'data'?"),
        (["net", "--shape", "1,3,16,16", "-o", "none/x"], "There is no directory none"),
        (["net", "--shape", "1,3,16,16", "-o", "sub"], "is a directory"),
        (["net", "--shape", "1,3,16,16", "-o", ""], "is a directory"),
        (["net", "--shape", "1,3,16,16", "--dtype", "floot", "-o", "x"], "there is no dtype"),
        (["net", "--shape", "1,3,16,16", "--dynamic", "data", "-o", "x"], "--dynamic 'data'"),
        (["net", "--shape", "1,3,16,16", "--dynamic", "dato:0", "-o", "x"], "dato"),
        (["net", "--epoch", "7", "--shape", "1,3,16,16", "-o", "x"], "net-0007.params"),
        (["two", "--shape", "2,6", "-o", "x"], "say of which input"),
        (["resnet50_v9", "-o", "x"], "Did you mean"),
        (["net", "--pretrained", "-o", "x"], "--pretrained"),
        (["./absent", "-o", "x"], "absent-symbol.json"),
        (["bad", "--shape", "1", "-o", "x"], "bad-symbol.json"),
        (["torn", "--shape", "1", "-o", "x"], "torn-symbol.json: This is not an MXNet symbol"),
        (["mixed", "--shape", "1,3,16,16", "-o", "x"], "mixed-0000.params holds another model's parameters"),
        (["closed", "-o", "x"], "closed-symbol.json has no inputs"),
        (["cut", "--shape", "1,3,16,16", "-o", "x"], "cut-0000.params"),
    ],
)
def test_errors(folder, tmp_path, capsys, monkeypatch, words, told):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "sub").mkdir()
    (tmp_path / "bad-symbol.json").write_bytes(b"\xff\xfe{")
    (tmp_path / "bad-0000.params").write_bytes(b"")
    mx.model.save_checkpoint(str(tmp_path / "closed"), 0, mx.sym.relu(mx.sym.var("w")), {"w": mx.nd.ones(2)}, {})
    (tmp_path / "torn-symbol.json").write_text((folder / "net-symbol.json").read_text()[:300])
    (tmp_path / "torn-0000.params").write_bytes(b"")
    (tmp_path / "mixed-symbol.json").write_bytes((folder / "net-symbol.json").read_bytes())
    (tmp_path / "mixed-0000.params").write_bytes((folder / "two-0000.params").read_bytes())
    (tmp_path / "cut-symbol.json").write_bytes((folder / "net-symbol.json").read_bytes())
    (tmp_path / "cut-0000.params").write_bytes((folder / "net-0000.params").read_bytes()[:200])
    monkeypatch.chdir(tmp_path)
    before = sorted(os.listdir())
    assert told in fails(capsys, "compile", *words)
    assert sorted(os.listdir()) == before


def test_analyze(folder, tmp_path, capsys):
    words = ("analyze", folder / "net", "--shape", "1,3,16,16", "--exclude-operator", "Pooling")
    text = said(capsys, *words)
    assert "Pooling" in text and "excluded" in text
    found = document(capsys, *words)
    assert {o["op"] for o in found["outside"]} == {"Pooling"} and found["target"] == "cpu"
    assert document(capsys, *words, "--target", "inf2")["target"] == "inf2"
