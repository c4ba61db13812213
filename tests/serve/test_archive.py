"""What an archive holds, and what the handler answers, without a server."""

from __future__ import annotations

import io
import json
import zipfile

import mxnet as mx
import numpy as np
import pytest
from PIL import Image

import gluon_neuron
from gluon_neuron.errors import ExportError, InputError
from gluon_neuron.serve import archive
from gluon_neuron.serve.handler import handle
from gluon_neuron.tools.cli import main
from tests.agreement import agree
from tests.serve.pictures import jpegs


class Context:
    """As multi-model-server's: where the model is, and what the handler says about each answer."""

    def __init__(self, folder):
        self.system_properties = {"model_dir": str(folder)}
        self.statuses = {}

    def set_response_content_type(self, index, value):
        assert value == "application/json"

    def set_response_status(self, code, phrase, index):
        self.statuses[index] = code


@pytest.fixture(scope="module")
def net():
    made = mx.gluon.nn.HybridSequential()
    made.add(mx.gluon.nn.Conv2D(4, 3, strides=4), mx.gluon.nn.GlobalAvgPool2D(), mx.gluon.nn.Dense(6))
    made.initialize(mx.init.Normal(1))
    made.hybridize()
    made(mx.nd.zeros((1, 3, 32, 40)))
    return made


def unpack(mar, folder):
    with zipfile.ZipFile(mar) as archived:
        archived.extractall(folder)
    return folder


def test_contents(net, tmp_path):
    compiled = gluon_neuron.compile(net, mx.nd.zeros((2, 3, 32, 40)))
    mar = archive(compiled, tmp_path / "small.mar", labels=list("abcdef"), top=2)
    folder = unpack(mar, tmp_path / "out")
    manifest = json.loads((folder / "MAR-INF" / "MANIFEST.json").read_text())
    assert manifest["model"] == {"handler": "gluon_neuron_service:handle", "modelName": "small"}
    signature = json.loads((folder / "signature.json").read_text())
    assert signature["inputs"] == [{"data_name": "data", "data_shape": [2, 3, 32, 40], "dtype": "float32"}]
    assert (folder / "synset.txt").read_text().split() == list("abcdef")
    assert list(tmp_path.iterdir()) in ([mar, folder], [folder, mar])  # nothing is left beside it


def test_labels_with_other_line_breaks(net, tmp_path):
    labels = ["a\r", "\x0bb\x0c", "c\x1cc", "\x85d", "e\u2028\u2029", " f "]
    compiled = gluon_neuron.compile(net, mx.nd.zeros((1, 3, 32, 40)))
    folder = unpack(archive(compiled, tmp_path / "small.mar", labels=labels, top=6), tmp_path / "out")
    context = Context(folder)
    handle(None, context)
    (answer,) = handle([{"body": jpegs()[0]}], context)
    assert sorted(f["class"] for f in json.loads(answer)) == sorted(labels)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_labels_of_a_file(net, end, last, tmp_path):
    given = tmp_path / "labels.txt"
    given.write_bytes((end.join(["a\u2028a", *"bcdef"]) + (end if last else "")).encode())
    compiled = gluon_neuron.compile(net, mx.nd.zeros((1, 3, 32, 40)))
    folder = unpack(archive(compiled, tmp_path / "small.mar", labels=given, top=6), tmp_path / "out")
    assert (folder / "synset.txt").read_text(encoding="utf-8").split("\n") == ["a\u2028a", *"bcdef", ""]


def test_handler_answers_each_request_of_a_batch(net, tmp_path):
    compiled = gluon_neuron.compile(net, mx.nd.zeros((2, 3, 32, 40)))
    folder = unpack(archive(compiled, tmp_path / "small.mar", labels=list("abcdef"), top=6), tmp_path / "out")
    context = Context(folder)
    assert handle(None, context) is None
    good, other, third = jpegs()[:3]
    answers = handle([{"body": good}, {"data": b"bad"}, {"picture": other}, {"body": third}, {}], context)
    assert context.statuses == {1: 400, 4: 400}
    assert len(answers) == 5
    for number in (0, 2, 3):
        found = json.loads(answers[number])
        assert sorted(f["class"] for f in found) == list("abcdef")
        assert sum(f["probability"] for f in found) == pytest.approx(1)
        assert found == sorted(found, key=lambda f: -f["probability"])
    assert json.loads(handle([{"body": third}], context)[0]) == json.loads(answers[3])


@pytest.mark.parametrize("compiled", [False, True])
def test_arrays(net, tmp_path, compiled):
    prefix = str(tmp_path / "net")
    if compiled:
        gluon_neuron.compile(net, mx.nd.zeros((2, 3, 32, 40))).export(prefix)
    else:
        net.export(prefix)
    mar = archive(prefix, tmp_path / "a.mar", inputs={"data": (2, 3, 32, 40)}, input_type="application/json")
    context = Context(unpack(mar, tmp_path / "out"))
    x = np.random.default_rng(0).normal(size=(3, 32, 40)).astype(np.float32)
    answers = handle([{"body": json.dumps(x.tolist()).encode()}, {"body": b"[[1, 2]]"}, {"body": b"{"}], context)
    agree(np.float32(json.loads(answers[0])), net(mx.nd.array(x[None])).asnumpy()[0], 1e-3, 1e-4)
    assert context.statuses == {1: 400, 2: 400}
    assert "(1, 2)" in json.loads(answers[1])["message"]


def test_command(net, tmp_path, capsys):
    gluon_neuron.compile(net, mx.nd.zeros((1, 3, 32, 40))).export(str(tmp_path / "net"))
    assert main(["archive", str(tmp_path / "net"), str(tmp_path / "m.mar"), "--top", "3", "--resize", "50"]) == 0
    assert "multi-model-server" in capsys.readouterr().out
    own = json.loads((unpack(tmp_path / "m.mar", tmp_path / "out") / "signature.json").read_text())["gluon_neuron"]
    assert (own["top"], own["preprocessing"]["resize"]) == (3, 50)
    assert main(["archive", str(tmp_path / "net"), str(tmp_path / "j.mar"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["archive"] == str(tmp_path / "j.mar")
    assert main(["archive", str(tmp_path / "net"), str(tmp_path / "m.mar"), "--input", "data=x"]) == 3
    assert "NAME=BATCH" in capsys.readouterr().err
    assert main(["archive", str(tmp_path / "absent"), str(tmp_path / "n.mar")]) == 3


@pytest.mark.parametrize(
    ("name", "options", "error", "words"),
    [
        ("a.zip", {}, ExportError, "NAME.mar"),
        ("a b.mar", {}, ExportError, "NAME.mar"),
        ("a.mar", {"input_type": "text/plain"}, InputError, "text/plain"),
        ("a.mar", {"inputs": {"pixels": (1, 3, 32, 40)}}, InputError, "pixels"),
        ("a.mar", {"mean": (1, 2)}, InputError, "mean"),
        ("a.mar", {"std": (1, 0, 1)}, InputError, "std"),
        ("a.mar", {"labels": ["two\nlines"]}, InputError, "single line"),
        ("a.mar", {"inputs": {"data": (1, 3)}}, InputError, r"takes no 'data' of shape \(1, 3\)"),
        ("a.mar", {"inputs": {"data": (1, 4, 32, 40)}}, InputError, "takes no 'data'"),
    ],
)
def test_errors(net, tmp_path, name, options, error, words):
    compiled = gluon_neuron.compile(net, mx.nd.zeros((1, 3, 32, 40)))
    with pytest.raises(error, match=words):
        archive(compiled, tmp_path / name, **options)
    assert not list(tmp_path.iterdir())


def test_errors_about_the_model(net, tmp_path):
    net.export(str(tmp_path / "plain"))
    with pytest.raises(InputError, match="inputs="):
        archive(str(tmp_path / "plain"), tmp_path / "a.mar")
    with pytest.raises(InputError, match="HybridSequential"):
        archive(net, tmp_path / "a.mar")
    with pytest.raises(FileNotFoundError):
        archive(str(tmp_path / "absent"), tmp_path / "a.mar")


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"dato": (1, 3, 32, 40)}, "no input 'dato'. Did you mean 'data'"),
        ({"data": (1, 4, 32, 40)}, "takes no 'data' of shape"),
        ({"dense0_weight": (6, 4)}, "no input 'dense0_weight'"),
    ],
)
def test_inputs_are_compared_with_a_checkpoint(net, tmp_path, capsys, inputs, told):
    net.export(str(tmp_path / "plain"))
    with pytest.raises(InputError, match=told):
        archive(str(tmp_path / "plain"), tmp_path / "a.mar", inputs=inputs)
    ((name, shape),) = inputs.items()
    line = f"{name}={','.join(map(str, shape))}"
    assert main(["archive", str(tmp_path / "plain"), str(tmp_path / "a.mar"), "--input", line]) == 3
    assert told in capsys.readouterr().err and not (tmp_path / "a.mar").exists()


def test_inputs_are_compared_where_weights_are_baked_in(net, tmp_path):
    compiled = gluon_neuron.compile(net, mx.nd.zeros((1, 3, 32, 40)), inline_weights=True, batch_sizes=[2])
    with pytest.raises(InputError, match="baked in"):
        archive(compiled, tmp_path / "a.mar", inputs={"data": (3, 3, 32, 40)})
    archive(compiled, tmp_path / "a.mar", inputs={"data": (2, 3, 32, 40)})


def test_what_the_net_says_of_its_images_and_classes(net, tmp_path):
    before = gluon_neuron.Preprocessing(mean=(0, 0, 0), std=(1, 1, 1), resize=44)
    compiled = gluon_neuron.compile(net, mx.nd.zeros((1, 3, 32, 40)), classes=list("abcdef"), preprocessing=before)
    compiled.export(tmp_path / "net")
    for number, given in enumerate((compiled, tmp_path / "net")):
        folder = unpack(archive(given, tmp_path / f"n{number}.mar", std=(2, 2, 2)), tmp_path / f"out{number}")
        own = json.loads((folder / "signature.json").read_text())["gluon_neuron"]["preprocessing"]
        assert own == {"mean": [0, 0, 0], "std": [2, 2, 2], "resize": 44, "size": [32, 40], "layout": "NCHW"}
        assert (folder / "synset.txt").read_text().split() == list("abcdef")
    compiled.preprocessing = gluon_neuron.Preprocessing(size=8)
    with pytest.raises(InputError, match="cropped to 8 x 8, and the input is 32 x 40"):
        archive(compiled, tmp_path / "n.mar")


def test_images_with_channels_last(tmp_path):
    last = mx.gluon.nn.HybridSequential()
    last.add(mx.gluon.nn.HybridLambda(lambda F, x: F.mean(x, axis=(1, 2))))
    sample = mx.nd.zeros((1, 16, 16, 3))
    before = gluon_neuron.Preprocessing(mean=(0, 0, 0), std=(1, 1, 1), layout="NHWC")
    compiled = gluon_neuron.compile(last, sample, classes=["red", "green", "blue"], preprocessing=before)
    folder = unpack(archive(compiled, tmp_path / "a.mar", softmax=False), tmp_path / "out")
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0], red[..., 1] = 255, 128
    body = io.BytesIO()
    Image.fromarray(red).save(body, "PNG")
    (answer,) = handle([{"body": body.getvalue()}], Context(folder))
    assert [a["class"] for a in json.loads(answer)] == ["red", "green", "blue"]
    assert json.loads(answer)[0]["probability"] == pytest.approx(1, abs=1e-3)


def test_a_signature_of_an_earlier_release(net, tmp_path):
    compiled = gluon_neuron.compile(net, mx.nd.zeros((1, 3, 32, 40)))
    folder = unpack(archive(compiled, tmp_path / "a.mar"), tmp_path / "out")
    raw = json.loads((folder / "signature.json").read_text())
    raw["gluon_neuron"]["preprocessing"] = {"resize": 44, "mean": [0, 0, 0], "std": [1, 1, 1]}
    (folder / "signature.json").write_text(json.dumps(raw))
    (answer,) = handle([{"body": jpegs()[0]}], Context(folder))
    assert len(json.loads(answer)) == 5


def test_an_archive_that_exists_stays_when_the_new_one_fails(net, tmp_path):
    compiled = gluon_neuron.compile(net, mx.nd.zeros((1, 3, 32, 40)))
    mar = archive(compiled, tmp_path / "a.mar")
    before = mar.read_bytes()
    with pytest.raises(InputError):
        archive(compiled, mar, labels=["two\nlines"])
    assert mar.read_bytes() == before
    archive(compiled, mar, top=1)
    assert mar.read_bytes() != before
