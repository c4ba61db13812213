"""gluon-neuron run: arrays and images in, arrays, summaries and classes out."""

from __future__ import annotations

import json

import mxnet as mx
import numpy as np
import pytest
from PIL import Image

import gluon_neuron
from tests.agreement import agree
from tests.compat.nets import checkpoint
from tests.compat.nets import run as run_symbol
from tests.tools.line import document, fails, image_files, said, say, token_files

TOLERANCE = 1e-3, 1e-4


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("runs")
    image_files(made), token_files(made)
    gluon_neuron.compile(block(made / "net", ["data"]), mx.nd.zeros((2, 3, 16, 16))).export(made / "compiled")
    mx.model.save_checkpoint(str(made / "soft"), 0, *checkpoint())
    rng = np.random.default_rng(0)
    np.save(made / "x.npy", rng.normal(size=(2, 3, 16, 16)))
    np.savez(made / "two.npz", data0=rng.integers(0, 9, (2, 6)), data1=np.array([3, 6]))
    for name in ("cat.png", "a=b.png"):
        Image.fromarray(rng.integers(0, 255, (40, 60, 3), np.uint8)).save(made / name)
    (made / "five.txt").write_text("a\nb\nc\nd\ne e\n")
    return made


def block(prefix, names):
    return mx.gluon.SymbolBlock.imports(f"{prefix}-symbol.json", names, f"{prefix}-0000.params")


def test_images_and_classes_as_the_files_say(folder, tmp_path, capsys):
    before = gluon_neuron.Preprocessing(mean=(0, 0, 0), std=(1, 1, 1), resize=20)
    made = gluon_neuron.compile(
        block(folder / "net", ["data"]), mx.nd.zeros((1, 3, 16, 16)), classes=list("vwxyz"), preprocessing=before
    )
    made.export(tmp_path / "meant")
    text = said(capsys, "run", tmp_path / "meant", folder / "cat.png", "--top", "5")
    assert "shorter side resized to 20" in text and "less 0, 0, 0, divided by 1, 1, 1" in text
    found = document(capsys, "run", tmp_path / "meant", folder / "cat.png", "--mean", "1,1,1", "--top", "5")
    assert "less 1, 1, 1, divided by 1, 1, 1" in found["prepared"][0]
    ((row,),) = found["top"].values()
    assert sorted(r["class"] for r in row) == list("vwxyz")
    found = document(capsys, "run", tmp_path / "meant", folder / "cat.png", "--labels", folder / "five.txt")
    ((row,),) = found["top"].values()
    assert row[0]["class"] in ("a", "b", "c", "d", "e e")
    (tmp_path / "cat.webp").write_bytes((folder / "cat.png").read_bytes())
    assert "cat.webp is none of .npy" in fails(capsys, "run", tmp_path / "meant", tmp_path / "cat.webp")


@pytest.mark.parametrize("model", ["net", "compiled"])
@pytest.mark.parametrize("ending", ["npz", "npy", "json"])
def test_arrays_to_files(folder, tmp_path, capsys, model, ending):
    place = tmp_path / f"y.{ending}"
    text = said(capsys, "run", folder / model, folder / "x.npy", "-o", place)
    assert f"Written: {place}" in text and "float32[2, 5]" in text
    if ending == "json":
        found = np.float32(next(iter(json.loads(place.read_text()).values())))
    else:
        loaded = np.load(place)
        found = loaded if ending == "npy" else loaded[loaded.files[0]]
    agree(found, block(folder / "net", ["data"])(mx.nd.array(np.load(folder / "x.npy"))).asnumpy(), *TOLERANCE)


def test_json_has_the_values(folder, capsys):
    found = document(capsys, "run", folder / "compiled", f"data={folder / 'x.npy'}", "--top", "2", "--softmax")
    ((name, output),) = found["outputs"].items()
    values = np.float32(output["values"])
    expected = block(folder / "net", ["data"])(mx.nd.array(np.load(folder / "x.npy")))
    agree(values, expected.asnumpy(), *TOLERANCE)
    best = found["top"][name]
    assert [[b["index"] for b in row] for row in best] == np.argsort(-values, axis=1)[:, :2].tolist()
    probabilities = expected.softmax().asnumpy()
    assert best[0][0]["score"] == pytest.approx(probabilities[0].max(), abs=1e-4)


@pytest.mark.parametrize("words", [["two.npz"], ["data0=t.json", "data1=l.json"], ["both.json"]])
def test_two_inputs(folder, tmp_path, capsys, words):
    stored = np.load(folder / "two.npz")
    for name, value in (("t", stored["data0"].tolist()), ("l", stored["data1"].tolist())):
        (tmp_path / f"{name}.json").write_text(json.dumps(value))
    (tmp_path / "both.json").write_text(json.dumps({n: stored[n].tolist() for n in stored.files}))
    (tmp_path / "two.npz").write_bytes((folder / "two.npz").read_bytes())
    placed = [w.replace("=", f"={tmp_path}/") if "=" in w else tmp_path / w for w in words]
    found = document(capsys, "run", folder / "two", *placed)
    expected = block(folder / "two", ["data0", "data1"])(*(mx.nd.array(stored[n]) for n in ("data0", "data1")))
    assert len(found["outputs"]) == 2
    for output, wanted in zip(found["outputs"].values(), expected, strict=True):
        agree(np.float32(output["values"]), wanted.asnumpy(), 1e-5, 1e-6)


def test_labels_of_an_output_layer_need_no_input(folder, tmp_path, capsys):
    x = np.random.default_rng(1).normal(size=(5, 3, 8, 8))
    np.save(tmp_path / "x.npy", x)
    said(capsys, "compile", folder / "soft", "--shape", "2,3,8,8", "-o", tmp_path / "soft")
    for prefix in (folder / "soft", tmp_path / "soft"):
        found = document(capsys, "run", prefix, tmp_path / "x.npy")
        agree(
            np.float32(found["outputs"]["softmax_output"]["values"]),
            run_symbol(*checkpoint(), mx.nd.array(x))[0],
            *TOLERANCE,
        )


def test_images(folder, capsys):
    """As Gluon's own transforms prepare them."""
    from mxnet.gluon.data.vision import transforms

    names = ["cat.png", "a=b.png"]
    words = ("run", folder / "compiled", *(folder / n for n in names), "--labels", folder / "five.txt")
    text = said(capsys, *words, "--resize", "20", "--mean", "0.5,0.4,0.3", "--std", "0.2,0.3,0.4")
    assert "shorter side resized to 20" in text and "less 0.5, 0.4, 0.3, divided by 0.2, 0.3, 0.4" in text
    found = document(capsys, *words)
    prepare = transforms.Compose(
        [
            transforms.CenterCrop(16),
            transforms.ToTensor(),
            transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )
    images = [prepare(mx.image.resize_short(mx.image.imread(str(folder / n)), 18)) for n in names]
    expected = block(folder / "net", ["data"])(mx.nd.stack(*images)).asnumpy()
    ((name, output),) = found["outputs"].items()
    agree(np.float32(output["values"]), expected, *TOLERANCE)
    assert [row[0]["class"] for row in found["top"][name]] == [
        ["a", "b", "c", "d", "e e"][i] for i in expected.argmax(1)
    ]


def test_random_values_follow_the_seed(folder, capsys):
    def values(*words):
        found = document(capsys, "run", folder / "compiled", "--random", *words)
        return next(iter(found["outputs"].values()))["values"]

    assert values() == values("--seed", "0") != values("--seed", "1")


def test_what_is_not_finite_is_null(folder, tmp_path, capsys):
    logarithm = mx.sym.log(mx.sym.broadcast_mul(mx.sym.var("data"), mx.sym.var("w")))
    mx.model.save_checkpoint(str(tmp_path / "log"), 0, logarithm, {"w": mx.nd.ones(3)}, {})
    np.save(tmp_path / "x.npy", [-1.0, 0.0, 1.0])
    found = document(capsys, "run", tmp_path / "log", tmp_path / "x.npy")
    assert next(iter(found["outputs"].values()))["values"] == [None, None, 0]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["compiled"], "nothing for the input data (float32[2, 3, 16, 16])"),
        (["compiled", "empty.npy"], "empty.npy is empty"),
        (["compiled", "absent.npy"], "absent.npy: No such file"),
        (["compiled", "broken.npy"], "broken.npy is no readable file"),
        (["compiled", "broken.npz"], "broken.npz is no readable file"),
        (["compiled", "pickled.npy"], "pickled.npy is no readable file"),
        (["compiled", "broken.json"], "broken.json is not JSON"),
        (["compiled", "ragged.json"], "one length"),
        (["compiled", "text.json"], "nested lists of numbers"),
        (["compiled", "broken.png"], "broken.png is not an image"),
        (["compiled", "five.txt"], "none of .npy, .npz, .json"),
        (["compiled", "."], "none of .npy"),
        (["compiled", "x.npy", "x.npy"], "given twice"),
        (["compiled", "dat=x.npy"], "Did you mean 'data'?"),
        (["compiled", "two.npz"], "an array 'data0'"),
        (["compiled", "flat.npy"], "It has 1 axes and needs 4"),
        (["two", "x.npy"], "say for which input"),
        (["two", "cat.png"], "say for which input"),
        (["two", "data0=cat.png", "--random"], "Images are for"),
        (["two", "--random"], "--shape data0:"),
        (["net", "cat.png"], "--shape data:1,3,224,224"),
        (["compiled", "x.npy", "-o", "y.txt"], "must end with"),
        (["compiled", "x.npy", "-o", "none/y.npy"], "no directory none"),
        (["compiled", "x.npy", "-o", "x.npy"], "x.npy is one of the files that are read"),
        (["compiled", "x.npy", "-o", "compiled-symbol.json"], "one of the files that are read"),
        (["compiled", "cut.jpg"], "cut.jpg is an image that ends too early"),
        (["compiled", "large.npy"], "float64 values that float32, the dtype of the input, cannot hold"),
        (["two", "two.npz", "-o", "y.npy"], "2 outputs"),
        (["two", "two.npz", "--labels", "four.txt"], "4 labels for 3 classes"),
        (["compiled", "strings.npy"], "no numbers"),
    ],
)
def test_errors(folder, tmp_path, capsys, monkeypatch, words, told):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    for name in ("broken.npy", "broken.npz", "broken.json", "broken.png"):
        (tmp_path / name).write_bytes(b"\x93NUMPY")
    np.save(tmp_path / "pickled.npy", np.array([{}], object))
    (tmp_path / "empty.npy").touch()
    np.save(tmp_path / "flat.npy", np.ones(3))
    np.save(tmp_path / "large.npy", np.full((2, 3, 16, 16), 1e300))
    Image.open(folder / "cat.png").save(tmp_path / "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:-100])
    np.save(tmp_path / "strings.npy", np.array(["a"]))
    (tmp_path / "ragged.json").write_text("[[1], [1, 2]]")
    (tmp_path / "text.json").write_text('["a"]')
    (tmp_path / "four.txt").write_text("a\nb\nc\nd\n")
    monkeypatch.chdir(tmp_path)
    assert told in fails(capsys, "run", *words)
    assert not (tmp_path / "y.npy").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["x.npy", "--mean", "1,2"], "three numbers"),
        (["x.npy", "--mean", "nan,0,0"], "finite"),
        (["x.npy", "--std", "0,1,1"], "zero"),
        (["x.npy", "--shape", "data:1,a"], "'1,a' is no shape"),
        (["x.npy", "--shape", "9999999999999999999999"], "2147483647 values at most"),
        (["x.npy", "--shape", "1" * 5000], "no shape"),
        (["x.npy", "--shape", ""], "no shape"),
        (["cat.png", "--resize", "15"], "16 pixels"),
    ],
)
def test_what_no_model_takes_is_wrong_usage(folder, capsys, monkeypatch, words, told):
    monkeypatch.chdir(folder)
    assert told in fails(capsys, "run", "compiled", *words, status=2)


def test_standard_output_is_not_mixed_with_notes(folder, capsys):
    status, out, err = say(capsys, "run", folder / "compiled", folder / "cat.png", "--json")
    assert status == 0 and json.loads(out)["prepared"] and err == ""
