"""inf1 takes the published operators in the published dtypes, as MXNet's own files."""

import json

import mxnet as mx
import pytest

import gluon_neuron
from gluon_neuron.artifact.container import unpack
from gluon_neuron.errors import CompilerMissingError
from gluon_neuron.options import CompileOptions
from gluon_neuron.targets.neuron.inf1_operators import OPERATORS
from gluon_neuron.targets.neuron.neuronx import TARGETS
from tests.agreement import agree
from tests.doubles import neff
from tests.doubles.install import compiled
from tests.nets import artifact_name, conv_net, images
from tests.targets import tiny


def test_the_published_list():
    assert len(OPERATORS) == 123
    assert {"Convolution", "_contrib_div_sqrt_dim", "SwapAxis", "amp_cast"} <= OPERATORS
    assert not {"Embedding", "take", "SoftmaxOutput", "topk"} & OPERATORS


def test_an_operator_that_is_not_listed():
    category, sentence = tiny.refusal(
        "inf1",
        mx.sym.InstanceNorm(mx.sym.var("data"), mx.sym.var("data1"), mx.sym.var("data2")),
        "InstanceNorm",
        (2, 3, 4),
        (3,),
        (3,),
    )
    assert category == "target" and "InstanceNorm is not among the 123 operators of neuron-cc" in sentence


@pytest.mark.parametrize("dtype", ["float64", "int64", "int8", "uint8"])
def test_dtypes(dtype):
    relu = mx.sym.relu(mx.sym.var("data"))
    found = tiny.refusal("inf1", relu, "relu", (2, 3), dtypes=[dtype])
    assert found is not None and found[0] == "target" and dtype in found[1]
    assert tiny.refusal("inf1", relu, "relu", (2, 3), dtypes=["float16"]) is None


def test_what_folds_elsewhere_is_not_spared():
    """neuron-cc is given the whole symbol, in which nothing was folded."""
    zeros = mx.sym.zeros((2, 3), dtype="float64", name="z")
    symbol = mx.sym.broadcast_add(mx.sym.var("data"), mx.sym.cast(zeros, dtype="float32"))
    assert tiny.refusal("inf1", symbol, "_zeros", (2, 3))[0] == "target"
    assert tiny.refusal("inf2", symbol, "_zeros", (2, 3)) is None


def test_analyze_needs_no_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    net = conv_net()
    for target in ("inf1", TARGETS[0]):
        report = gluon_neuron.analyze(net, images(), target=target, auto_cast="all")
        assert report.target == target and report.engine == "nrt" and report.operator_share == 1
        with pytest.raises(CompilerMissingError, match="pip install"):
            gluon_neuron.compile(net, images(), target=target, auto_cast="all")


def test_the_command_and_its_files(compilers):
    options = CompileOptions(target="inf1", auto_cast="all", pipeline_cores=2)
    cut, target = tiny.cut(options)
    task = target.prepare(cut.jobs[0])
    assert list(task.files) == ["region-symbol.json", "region-0000.params"]
    assert task.command[:4] == ("neuron-cc", "compile", "region-symbol.json", "region-0000.params")
    config = json.loads(task.command[task.command.index("--io-config") + 1])
    assert config == {"inputs": {"data": [[2, 4], "float32"]}, "outputs": ["fc_output"]}
    assert target.prepare(cut.jobs[0]).files == task.files


def test_the_whole_way(compilers):
    net, x = conv_net(), images()
    made = gluon_neuron.compile(net, x, target="inf1", auto_cast="matmult", pipeline_cores=2, dynamic=False)
    (program,) = made.report.regions[0].programs
    assert program.command.startswith("neuron-cc compile region-symbol.json") and program.cores == 2
    assert not program.cached and program.command in str(made.report)
    bytes_ = made.collect_params()[artifact_name(made.collect_params())].data().asnumpy().tobytes()
    cpu, chip = unpack(bytes_).payloads
    assert (cpu.target, chip.target, chip.engine) == ("cpu", "inf1", "nrt")
    inside = neff.unpack(chip.data)
    assert inside.info["framework"] == "MXNET" and set(inside.files) == {"symbol.json", "params"}
    assert [t["tensor"] for t in chip.program["inputs"]] == [t["name"] for t in inside.info["inputs"]] == ["data"]
    assert [t["tensor"] for t in chip.program["outputs"]] == [t["name"] for t in inside.info["outputs"]]
    # The program has the weights inside; what they were is on record.
    weights = {i["name"] for i in chip.signature["inputs"]} - {"data"}
    assert weights == set(chip.program["baked"]) == {n for n in made.collect_params() if not n.endswith("neuronbin")}
    agree(made(x), net(x), 0.1, 0.1)
    assert compiled(compilers) == 1
