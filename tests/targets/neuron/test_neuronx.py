"""inf2, trn1 and trn2: what they refuse, and the whole way from a block to a NEFF beside the CPU's program."""

import hashlib
import json
import logging
from pathlib import Path

import mxnet as mx
import pytest

import gluon_neuron
from gluon_neuron.artifact.container import unpack
from gluon_neuron.errors import CacheError, CompileError, RefusedError
from gluon_neuron.hlo.check import Violation
from gluon_neuron.hlo.module import read
from gluon_neuron.options import CompileOptions
from gluon_neuron.targets.cpu.target import CpuTarget
from gluon_neuron.targets.neuron import neuronx
from gluon_neuron.tools.compile_kept import compile_kept
from tests.agreement import agree
from tests.doubles import neff
from tests.doubles.install import compiled
from tests.nets import artifact_name, conv_net, images
from tests.targets import tiny


def payloads(made):
    bytes_ = made.collect_params()[artifact_name(made.collect_params())].data().asnumpy().tobytes()
    return unpack(bytes_).payloads


def small():
    """A dense layer, which compiles in no time."""
    net = mx.gluon.nn.Dense(3, in_units=4, prefix="fc_")
    net.initialize(mx.init.One())
    return net, mx.nd.ones((2, 4))


@pytest.mark.parametrize("dtype", ["float64", "int64", "int8"])
def test_dtypes(dtype):
    category, sentence = tiny.refusal("inf2", mx.sym.abs(mx.sym.var("data")), "abs", (2, 3), dtypes=[dtype])
    assert category in ("target", "dtype") and dtype in sentence


def test_what_only_the_cpu_refuses_is_said_so():
    """The artifact holds a program for the CPU too, which would be wrong."""
    symbol = mx.sym.broadcast_add(mx.sym.var("data"), mx.sym.var("data1"))
    category, sentence = tiny.refusal("inf2", symbol, "broadcast_add", (2, 3), (2, 3), dtypes=["uint8", "uint8"])
    assert category == "target" and "program for the CPU too" in sentence


def test_what_mxnet_computes_faster_than_the_cpu_is_the_chips():
    symbol = mx.sym.sort(mx.sym.var("data"))
    assert tiny.refusal("cpu", symbol, "sort", (200, 200))[0] == "slower"
    assert tiny.refusal("inf2", symbol, "sort", (200, 200)) is None


def test_a_published_refusal_of_one_operator_is_its_reason(monkeypatch):
    found = Violation("EVRF001", "fft.1", "fft", "relu0", "fft is not among the supported operators.")
    monkeypatch.setattr(neuronx, "check", lambda module, target: (found,))
    category, sentence = tiny.refusal("inf2", mx.sym.relu(mx.sym.var("data"), name="relu0"), "relu", (2, 3))
    assert category == "target" and "EVRF001" in sentence and "fft is not among" in sentence


def test_each_kind_of_node_is_checked_once(monkeypatch):
    calls = []
    monkeypatch.setattr(neuronx, "check", lambda module, target: calls.append(target) or ())
    x = mx.sym.var("data")
    for i in range(5):
        x = mx.sym.relu(x, name=f"r{i}")
    target = neuronx.NeuronxTarget("trn2")
    monkeypatch.setattr(tiny, "get_target", lambda name: target)
    assert tiny.refusal("trn2", x, "relu", (2, 3)) is None
    assert target.refusal(_node(x, (2, 3))) is None
    assert target.refusal(_node(x, (2, 4))) is None
    assert calls == ["trn2", "trn2"]


def _node(symbol, shape):
    from gluon_neuron.frontend.infer import annotate
    from gluon_neuron.graph.spec import Spec

    return annotate(symbol.tojson(), {"data": Spec(shape, "float32")}, False).operators[-1]


def test_a_refusal_that_only_the_region_shows_leaves_that_operator_out(compilers, monkeypatch):
    """The partition is made again without it, and the rest is compiled."""
    check = neuronx.check

    def refuses_relu(module, target):
        if not isinstance(module, bytes):  # a region
            for i in module.instructions:
                if i.node == "relu0":
                    return (Violation("EVRF010", i.name, i.opcode, i.node, "not in a region."),)
        return check(module, target)

    monkeypatch.setattr(neuronx, "check", refuses_relu)
    symbol = mx.sym.relu(tiny.dense(), name="relu0")
    made, args, _ = gluon_neuron.compile(
        symbol, {"data": mx.nd.ones((2, 4))}, args=tiny.weights(), aux={}, target="inf2"
    )
    report = gluon_neuron.get_report(made)
    assert report.compiled_operators == 1
    assert [(o.node, o.category) for o in report.outside] == [("relu0", "target")] and "EVRF010" in report.outside[
        0
    ].sentence
    with pytest.raises(RefusedError, match="EVRF010"):
        gluon_neuron.compile(
            symbol, {"data": mx.nd.ones((2, 4))}, args=tiny.weights(), aux={}, target="inf2", strict=True
        )


def test_the_whole_way(compilers, caplog):
    caplog.set_level(logging.INFO, "gluon_neuron")
    net, x = conv_net(), images()
    made = gluon_neuron.compile(net, x, target="inf2", dynamic=False)
    (program,) = made.report.regions[0].programs
    assert program.command.startswith("neuronx-cc compile module.hlo.pb --framework XLA --target inf2")
    assert "--auto-cast none --auto-cast-type bf16" in program.command and program.command in str(made.report)
    assert program.quality["instructions"] > 10 and "unfused batch norms" in str(made.report)
    cpu, chip = payloads(made)
    assert (cpu.target, cpu.engine, chip.target, chip.engine) == ("cpu", "openvino", "inf2", "nrt")
    inside = neff.unpack(chip.data)
    names = [i["name"] for i in chip.signature["inputs"]]
    assert names == [i["name"] for i in cpu.signature["inputs"]] == [i["name"] for i in chip.program["inputs"]]
    assert [t["tensor"] for t in chip.program["inputs"]] == [t["name"] for t in inside.info["inputs"]]
    assert [t["tensor"] for t in chip.program["outputs"]] == [t["name"] for t in inside.info["outputs"]]
    assert [i["shape"] for i in chip.signature["inputs"]] == [t["shape"] for t in inside.info["inputs"]]
    nodes = {i.node for i in read(inside.files["hlo.pb"]).instructions}
    assert any("conv0" in n for n in nodes)
    # The same two files run here, by the CPU's program.
    agree(made(x), net(x), 1e-4, 1e-5)
    again = gluon_neuron.compile(net, x, target="inf2")
    assert again.report.regions[0].programs[0].cached and compiled(compilers) == 1
    assert payloads(again)[1].data == chip.data and "compile cache: hit" in caplog.text


def test_batch_sizes_are_programs_of_their_own_compiled_together(compilers):
    net, x = small()
    made = gluon_neuron.compile(
        net, x, target="trn1", include_nodes=["fc_fwd"], batch_sizes=[1], strict=True, dynamic=False
    )
    assert [p.target for p in payloads(made)] == ["cpu", "cpu", "trn1", "trn1"]
    assert [p.signature["inputs"][0]["shape"] for p in payloads(made)] == [[2, 4], [1, 4]] * 2
    assert len(made.report.regions[0].programs) == 2 and compiled(compilers) == 2


def test_baked_weights_are_in_the_module(compilers):
    net, x = small()
    made = gluon_neuron.compile(net, x, target="inf2", inline_weights=True, strict=True)
    chip = payloads(made)[1]
    assert [i["name"] for i in chip.program["inputs"]] == ["data"]
    assert [t["name"] for t in neff.unpack(chip.data).info["inputs"]] == ["input0"]


@pytest.mark.parametrize("does", ["fail", "crash"])
def test_a_failed_compile_leaves_its_region_in_mxnet(does, compilers, monkeypatch):
    monkeypatch.setenv("DOUBLE_COMPILER_DOES", does)
    net, x = small()
    made = gluon_neuron.compile(net, x, target="inf2")
    (left,) = made.report.outside
    assert left.category == "compile failed" and "compiler.log" in left.sentence
    if does == "fail":
        assert "status 70" in left.sentence and "NCC_EBVF030" in left.sentence
    log = left.sentence.rpartition("Its log: ")[2]
    assert Path(log).read_text().startswith("$ neuronx-cc compile")
    agree(made(x), net(x))
    with pytest.raises(CompileError, match=r"compiler\.log"):
        gluon_neuron.compile(net, x, target="inf2", strict=True)
    # Failures are not cached.
    monkeypatch.delenv("DOUBLE_COMPILER_DOES")
    assert not gluon_neuron.compile(net, x, target="inf2").report.outside


def test_a_compiler_that_writes_nothing(compilers, monkeypatch):
    monkeypatch.setenv("DOUBLE_COMPILER_DOES", "nothing")
    with pytest.raises(CompileError, match=r"succeeded, but wrote no file\.neff"):
        gluon_neuron.compile(*small(), target="inf2", strict=True)


def test_a_compiler_that_takes_too_long(compilers, monkeypatch):
    monkeypatch.setenv("DOUBLE_COMPILER_DOES", "child")
    with pytest.raises(CompileError, match="stopped after 1 s"):
        gluon_neuron.compile(*small(), target="inf2", strict=True, compiler_timeout=1)


def test_files_are_kept_where_subgraph_info_says(compilers, monkeypatch, tmp_path):
    monkeypatch.setenv("SUBGRAPH_INFO", "1")
    gluon_neuron.compile(*small(), target="inf2", work_dir=tmp_path / "kept", strict=True)
    place = tmp_path / "kept" / "._neuron_subgraph_op0-inf2-0.compile"
    assert {"module.hlo.pb", "file.neff", "compiler.log", "log-neuron-cc.txt"} <= {f.name for f in place.iterdir()}
    assert "Compiler status PASS" in (place / "compiler.log").read_text()
    assert (tmp_path / "kept" / "._neuron_subgraph_op0-inf2-0.program").read_bytes() == (
        place / "file.neff"
    ).read_bytes()


def test_without_the_cache(compilers, monkeypatch):
    monkeypatch.setenv("NEURON_CC_FLAGS", "--no_cache")
    monkeypatch.setenv("NEURON_COMPILE_CACHE_URL", "s3://bucket/none")
    for _ in range(2):
        gluon_neuron.compile(*small(), target="inf2", strict=True)
    assert compiled(compilers) == 2
    monkeypatch.delenv("NEURON_CC_FLAGS")
    with pytest.raises(CacheError, match="s3://"):
        gluon_neuron.compile(*small(), target="inf2")


@pytest.mark.parametrize("kind", ["a file", "no NEFF", "read-only"])
def test_a_cache_that_cannot_be_used_is_warned_of(kind, compilers, monkeypatch, tmp_path, caplog):
    place = tmp_path / "cache"
    monkeypatch.setenv("NEURON_COMPILE_CACHE_URL", str(place))
    if kind == "a file":
        place.write_text("x")
    gluon_neuron.compile(*small(), target="inf2", strict=True)
    if kind == "no NEFF":
        (program,) = place.glob("*/*/file.neff")
        program.write_bytes(b"another program")
        about = program.with_name("entry.json")
        known = {**json.loads(about.read_text()), "sha256": hashlib.sha256(b"another program").hexdigest()}
        about.write_text(json.dumps(known))
    if kind == "read-only":  # the superuser may write anywhere
        (place / "locks").rename(tmp_path / "locks")
        (place / "locks").write_text("x")
    gluon_neuron.compile(*small(), target="inf2", strict=True)
    assert compiled(compilers) == (1 if kind == "read-only" else 2)
    assert "compile cache" in caplog.text
    if kind == "no NEFF":
        gluon_neuron.compile(*small(), target="inf2", strict=True)
        assert compiled(compilers) == 2


def test_a_cast_that_the_cpu_lacks_is_left_to_the_chip(compilers):
    """And a shape that was not compiled beforehand still runs on the CPU."""
    net, x = small()
    made = gluon_neuron.compile(net, x, target="inf2", auto_cast="all", auto_cast_type="fp16")
    assert "--auto-cast all --auto-cast-type fp16" in made.report.regions[0].programs[0].command
    assert payloads(made)[0].program["config"]["INFERENCE_PRECISION_HINT"] == "f32"
    agree(made(mx.nd.ones((5, 4))), 4 * mx.nd.ones((5, 3)), 1e-7)


def test_it_is_compiled_once_though_the_partition_is_made_again(compilers, monkeypatch):
    """A region that fails elsewhere does not compile the others a second time, without a cache either."""
    monkeypatch.setenv("NEURON_CC_FLAGS", "--no_cache")
    prepare, failed = CpuTarget.prepare, []

    def fails_once(self, job):
        if not failed and any(n.op == "Activation" for n in job.graph.operators):
            failed.append(True)
            raise CompileError("not today")
        return prepare(self, job)

    monkeypatch.setattr(CpuTarget, "prepare", fails_once)
    x = mx.sym.Activation(mx.sym.shuffle(mx.sym.BlockGrad(tiny.dense())), act_type="relu", name="act")
    symbol, args = mx.sym.FullyConnected(x, num_hidden=2, name="fc2"), tiny.weights()
    args |= {"fc2_weight": mx.nd.ones((2, 3)), "fc2_bias": mx.nd.ones(2)}
    made, _, _ = gluon_neuron.compile(symbol, {"data": mx.nd.ones((2, 4))}, args=args, aux={}, target="inf2")
    assert failed and gluon_neuron.get_report(made).compiled_operators == 2
    assert compiled(compilers) == 1


def test_options_of_a_chip_do_not_change_the_cpus_identity():
    assert CompileOptions(target="inf2", compiler_jobs=2).identity() == CompileOptions().identity()


def test_a_kept_region_is_the_same_program_again(compilers, monkeypatch, tmp_path):
    monkeypatch.setenv("SUBGRAPH_INFO", "1")
    gluon_neuron.compile(*small(), target="inf2", work_dir=tmp_path, auto_cast="all")
    monkeypatch.delenv("SUBGRAPH_INFO")
    report = str(compile_kept(tmp_path / "._neuron_subgraph_op0"))
    assert "--auto-cast all" in report and "from the compile cache" in report and compiled(compilers) == 1
