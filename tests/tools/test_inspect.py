"""gluon-neuron inspect: what compiled files hold, told without MXNet; damaged ones end in an error."""

from __future__ import annotations

import json
import subprocess
import sys

import mxnet as mx
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.artifact.arrays_file import read_stored, stored_arrays
from gluon_neuron.artifact.container import unpack
from gluon_neuron.tools.cli import main


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    net = nn.HybridSequential(prefix="net_")
    with net.name_scope():
        net.add(nn.Dense(8, flatten=False, activation="relu"), nn.Dense(4, flatten=False))
    net.initialize()
    asked = {"shapes": [(4, 16, 3)], "buckets": {0: {1: [16, 32]}}}
    meaning = {"classes": [f"class {i}" for i in range(7)], "preprocessing": gluon_neuron.Preprocessing(size=8)}
    made = gluon_neuron.compile(net, mx.nd.ones((2, 16, 3)), **meaning, **asked)
    prefix = tmp_path_factory.mktemp("inspected") / "net"
    made.export(prefix)
    return made, prefix


def read_artifact(prefix):
    path = prefix.with_name("net-0000.params")
    (stored,) = [a for a in stored_arrays(path) if a.name.endswith("_neuronbin")]
    return unpack(read_stored(path, stored))


def inspect(capsys, *words):
    code = main(["inspect", *map(str, words)])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize("ending", ["", "-symbol.json", "-0000.params"])
def test_says_what_is_static_and_what_is_dynamic(compiled, capsys, ending):
    made, prefix = compiled
    code, text, _ = inspect(capsys, f"{prefix}{ending}")
    assert code == 0
    assert f"Inputs, mx.nd: {made.input_specs[0]}" in text and "data float32[2 of 1.." in text
    assert "Options: target='cpu', shapes=((4, 16, 3),), buckets=" in text
    assert "Classes: class 0, class 1, class 2, class 3, class 4 and 2 more." in text
    assert "Images: mean (0.485, 0.456, 0.406), std (0.229, 0.224, 0.225), size (8, 8), layout NCHW." in text
    assert str(made.report) in text
    for shape in made.report.static_shapes:
        assert f"data {shape['data']}" in text
    assert "any shape" in text and "Buckets:" in text and "axis 1 of data from 1 to" in text


def test_as_json(compiled, capsys):
    made, prefix = compiled
    code, text, _ = inspect(capsys, prefix, "--json")
    found = json.loads(text)
    assert code == 0 and found["compiled"] and not found["edited"]
    (described,) = found["inputs"].values()
    assert (described["shape"], described["dtype"]) == ([2, 16, 3], "float32")
    assert described["dynamic_axes"]["0"]["axes"] == [["data", 0]] and described["buckets"] == {"1": [16, 32]}
    assert found["options"]["shapes"] == [[4, 16, 3]] and found["preprocessing"]["size"] == [8, 8]
    assert found["classes"] == [*made.classes] and len(made.classes) == 7
    assert [tuple(s["data"]) for s in found["static_shapes"]] == [s["data"] for s in made.report.static_shapes]
    (dimensions,) = found["dynamic_dimensions"].values()
    assert [d["axes"] for d in dimensions] == [[["data", 0]], [["data", 1]]]
    assert found["buckets"][0]["extents"] == [16, 32]
    weights = sum(p.data().size * 4 for n, p in made.collect_params().items() if not n.endswith("_neuronbin"))
    assert found["weights_bytes"] == weights
    ((name, artifact),) = found["artifacts"].items()
    assert artifact["bytes"] == made.collect_params()[name].data().size
    programs = artifact["programs"]
    assert sum(p["any_shape"] for p in programs) == 1
    assert sorted(p["inputs"][0]["shape"] for p in programs if not p["any_shape"]) == sorted(
        [list(s["data"]) for s in made.report.static_shapes]
    )


def test_needs_no_mxnet(compiled):
    code = (
        "import sys\n"
        "from gluon_neuron.tools.cli import main\n"
        f"assert main(['inspect', {str(compiled[1])!r}]) == 0\n"
        "assert not {'mxnet', 'openvino', 'jax'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Static shapes:" in done.stdout


def test_a_model_that_was_not_compiled(tmp_path, capsys):
    x = mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=2, name="fc")
    weights = {"fc_weight": mx.nd.ones((2, 3)), "fc_bias": mx.nd.ones(2)}
    mx.model.save_checkpoint(str(tmp_path / "plain"), 3, x, weights, {})
    code, text, _ = inspect(capsys, tmp_path / "plain")
    assert code == 0 and "This model was not compiled" in text and "plain-0003.params" in text


def test_an_edited_model(compiled, tmp_path, capsys):
    _, prefix = compiled
    sym, args, aux = mx.model.load_checkpoint(str(prefix), 0)
    mx.model.save_checkpoint(str(tmp_path / "edited"), 0, mx.sym.relu(sym), args, aux)
    code, text, _ = inspect(capsys, tmp_path / "edited")
    assert code == 0 and "was edited after it was compiled" in text and "any shape" in text


def test_parameters_of_another_model(compiled, tmp_path, capsys):
    _, prefix = compiled
    (tmp_path / "mixed-symbol.json").write_bytes(prefix.with_name("net-symbol.json").read_bytes())
    mx.nd.save(str(tmp_path / "mixed-0000.params"), {"arg:w": mx.nd.ones(3)})
    code, text, _ = inspect(capsys, tmp_path / "mixed")
    assert code == 1 and "_neuronbin: missing" in text


@pytest.mark.parametrize(
    "symbol",
    ["", "{}", "[]", "null", '{"nodes": 3}', '{"nodes": [{"attrs": {"__gluon_neuron__": "{}"}}]}', "[" * 99999],
)
def test_damaged_symbols(compiled, tmp_path, capsys, symbol):
    _, prefix = compiled
    (tmp_path / "bad-symbol.json").write_text(symbol)
    (tmp_path / "bad-0000.params").write_bytes(prefix.with_name("net-0000.params").read_bytes())
    code, _, error = inspect(capsys, tmp_path / "bad")
    assert code == 3 and "bad-symbol.json" in error


def test_damaged_artifacts(compiled, tmp_path, capsys):
    _, prefix = compiled
    data = prefix.with_name("net-0000.params").read_bytes()
    (tmp_path / "bad-symbol.json").write_bytes(prefix.with_name("net-symbol.json").read_bytes())
    at = data.index(b"GLUONNRN") + 40
    (tmp_path / "bad-0000.params").write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    code, text, _ = inspect(capsys, tmp_path / "bad")
    assert code == 1 and "checksum" in text
    (tmp_path / "bad-0000.params").write_bytes(data[:at])
    code, _, error = inspect(capsys, tmp_path / "bad")
    assert code == 3 and "does not fit" in error


def test_a_payload_that_is_not_what_its_digest_says(compiled, tmp_path, capsys):
    _, prefix = compiled
    data = prefix.with_name("net-0000.params").read_bytes()
    made = read_artifact(prefix)
    at = data.index(made.payloads[0].data[:256]) + 100
    (tmp_path / "bad-symbol.json").write_bytes(prefix.with_name("net-symbol.json").read_bytes())
    (tmp_path / "bad-0000.params").write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    code, text, _ = inspect(capsys, tmp_path / "bad")
    assert code == 1 and "the SHA-256 of its cpu program does not match" in text


@pytest.mark.parametrize("command", ["inspect", "report", "run"])
@pytest.mark.parametrize(
    ("symbol", "told"),
    [
        ("[]", "no object, but a list"),
        ('{"nodes": [], "heads": []}', "'nodes' is empty"),
        ('{"nodes": []}', "'nodes' is empty"),
        ("{}", "no list 'nodes'"),
    ],
)
def test_what_is_no_symbol(compiled, tmp_path, capsys, command, symbol, told):
    (tmp_path / "bad-symbol.json").write_text(symbol)
    (tmp_path / "bad-0000.params").write_bytes(compiled[1].with_name("net-0000.params").read_bytes())
    code = main([command, str(tmp_path / "bad")])
    error = capsys.readouterr().err
    assert code == 3 and "bad-symbol.json: This is not an MXNet symbol's JSON" in error and told in error


def test_several_epochs(compiled, tmp_path, capsys):
    for name in ("net-symbol.json", "net-0003.params", "net-0007.params"):
        (tmp_path / name).write_bytes(b"")
    code, _, error = inspect(capsys, tmp_path / "net")
    assert code == 3 and "--epoch 7" in error


def test_nothing_there(tmp_path, capsys):
    code, _, error = inspect(capsys, tmp_path / "none")
    assert code == 3 and "There is no none-symbol.json" in error
