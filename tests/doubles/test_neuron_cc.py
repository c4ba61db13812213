"""The double of neuron-cc refuses what the published contract forbids, and writes what it accepts."""

import json
import re

import mxnet as mx
import pytest

from tests.doubles import neff, neuron_cc
from tests.doubles.command_line import Failure

FILES = ["net-symbol.json", "net-0000.params"]
CONFIG = {"inputs": {"data": [[2, 4], "float32"]}, "outputs": ["fc_output"]}
COMPILE = ["compile", *FILES, "--framework", "MXNET"]


def config(**changes):
    return ["--io-config", json.dumps({**CONFIG, **changes})]


def write(folder, symbol, arrays):
    (folder / FILES[0]).write_text(symbol.tojson())
    mx.nd.save(str(folder / FILES[1]), arrays)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    symbol = mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=3, name="fc")
    write(tmp_path, symbol, {"arg:fc_weight": mx.nd.ones((3, 4)), "arg:fc_bias": mx.nd.ones(3)})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words):
    given = neuron_cc.parser().parse_args(words)
    given.compile(given)


def test_what_it_writes(folder):
    run(
        *COMPILE,
        *config(),
        "--neuroncore-pipeline-cores",
        "2",
        "--fast-math",
        "fp32-cast-all",
        "fast-relayout",
        "--verbose=35",
    )
    made = neff.unpack((folder / "out.neff").read_bytes())
    assert made.cores == 2 and made.files["params"] == (folder / FILES[1]).read_bytes()
    assert made.info["inputs"] == [{"name": "data", "shape": [2, 4], "dtype": "float32"}]
    assert made.info["outputs"] == [{"name": "fc_output", "shape": [2, 3], "dtype": "float32"}]


def test_the_config_may_be_a_file_and_name_no_outputs(folder):
    (folder / "io.json").write_text(json.dumps({"inputs": CONFIG["inputs"]}))
    run(*COMPILE, "--io-config", "io.json", "--output", "x.neff")
    assert (folder / "x.neff").exists()


@pytest.mark.parametrize(
    "words",
    [
        [*COMPILE, *config(), "--some-flag"],
        [*COMPILE, *config(), "--auto-cast", "all"],
        [*COMPILE, *config(), "--target", "inf1"],
        [*COMPILE, *config(), "--fp32-cast", "none"],
        [*COMPILE, *config(), "--fast-math", "some"],
        [*COMPILE, *config(), "--neuroncore-pipeline-cores", "two"],
        ["compile", *FILES, "--framework", "ONNX", *config()],
        COMPILE,
        [],
    ],
)
def test_command_lines_that_it_refuses(words, folder, capsys):
    with pytest.raises(SystemExit) as caught:
        run(*words)
    assert caught.value.code == 1
    assert re.search(r"ERROR \d+ \[neuron-cc\]: ", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["compile", FILES[0], "none.params", "--framework", "MXNET", *config()], "none.params does not exist"),
        (["compile", FILES[0], "--framework", "MXNET", *config()], r"one \.json and one \.params"),
        (["compile", *FILES, "--framework", "XLA", *config()], "framework MXNET"),
        ([*COMPILE, "--io-config", "{"], "io-config error"),
        ([*COMPILE, *config(inputs={})], "no inputs"),
        ([*COMPILE, *config(inputs={"date": [[2, 4], "float32"]})], r"io-config error: \['data'\]"),
        ([*COMPILE, *config(inputs={**CONFIG["inputs"], "fc_bias": [[3], "float32"]})], "fc_bias"),
        ([*COMPILE, *config(outputs=["fc"])], "the symbol's outputs"),
        ([*COMPILE, *config(), "--fast-math", "all", "none"], "mutually exclusive"),
        ([*COMPILE, *config(), "--fast-math", "fp32-cast-all", "fp32-cast-matmult"], "mutually exclusive"),
        ([*COMPILE, *config(), "--neuroncore-pipeline-cores", "17"], "1 to 16"),
    ],
)
def test_inputs_that_it_refuses(words, match, folder):
    with pytest.raises(Failure, match=match):
        run(*words)
    assert not (folder / "out.neff").exists()


def test_an_operator_that_is_not_listed(folder):
    write(folder, mx.sym.argmax(mx.sym.var("data"), name="fc"), {})
    with pytest.raises(Failure, match="not supported: argmax"):
        run(*COMPILE, *config())


def test_a_dtype_that_is_refused(folder):
    write(folder, mx.sym.relu(mx.sym.var("data"), name="fc"), {"arg:other": mx.nd.ones(1)})
    with pytest.raises(Failure, match=r"\['other'\] are not in the symbol"):
        run(*COMPILE, *config())
    mx.nd.save(FILES[1], {})
    with pytest.raises(Failure, match="float64 input and output tensors are not supported"):
        run(*COMPILE, *config(inputs={"data": [[2, 4], "float64"]}))
