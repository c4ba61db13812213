"""Which of an artifact's programs runs: the chip's where there is one, else the CPU's, with one warning or an error."""

import logging
import os
import subprocess

import mxnet as mx
import pytest

import gluon_neuron
from gluon_neuron.engine import callbacks, native_library
from tests.agreement import agree
from tests.nets import run_python
from tests.runtime import chip as chips
from tests.runtime import tiny


@pytest.fixture
def warnings(caplog):
    """The warnings of the native library, which has said nothing yet."""
    native_library.functions().gn_set_warning_callback(callbacks._warn)
    with caplog.at_level(logging.WARNING):
        yield lambda: [r.getMessage() for r in caplog.records]


def run(region, artifact, values=None, **attrs):
    values = values or tiny.arrays(region, artifact)
    out = tiny.bind(chips.node(region, artifact, **attrs), values).forward()[0].asnumpy()
    agree(out, tiny.reference(region)(values)[0], 1e-4, 1e-5)


def refusal(*args, **attrs):
    with pytest.raises(mx.MXNetError) as caught:
        run(*args, **attrs)
    return str(caught.value)


def test_without_a_chip_the_cpu_and_one_warning(region, artifact, warnings, monkeypatch):
    monkeypatch.setenv("GLUON_NEURON_NRT", "none")
    for _ in range(3):
        run(region, artifact)
    (said,) = warnings()
    assert said.startswith("node region0: it runs on the CPU, by the program for it in the same artifact")
    assert "there is no Neuron runtime (libnrt.so): GLUON_NEURON_NRT=none" in said


def test_strict_makes_it_an_error(region, artifact, warnings, monkeypatch):
    monkeypatch.setenv("GLUON_NEURON_NRT", "none")
    assert "strict forbids the CPU: there is no Neuron runtime" in refusal(region, artifact, strict=True)
    monkeypatch.setenv("GLUON_NEURON_STRICT", "1")
    assert "strict forbids the CPU" in refusal(region, artifact)
    with native_library.cpu_allowed():
        run(region, artifact, strict=True)
    monkeypatch.setenv("GLUON_NEURON_STRICT", "0")
    run(region, artifact)
    assert len(warnings()) == 1


def test_a_library_that_is_not_where_it_is_said_to_be():
    # In a process of its own: this one may have opened the double, which it keeps.
    code = "from gluon_neuron.engine import native_library; print(native_library.neuron_runtime()['why'])"
    found = run_python(code, env={**os.environ, "GLUON_NEURON_NRT": "/nowhere/libnrt.so"})
    assert "/nowhere/libnrt.so: cannot open" in found


def test_a_program_for_the_cpu_alone_says_nothing(region, warnings, monkeypatch):
    monkeypatch.setenv("GLUON_NEURON_STRICT", "1")
    run(region, region.artifact(), strict=True)
    assert warnings() == []


def test_another_chip(chip, region, artifact, warnings, monkeypatch):
    monkeypatch.setenv("GLUON_NEURON_INSTANCE", "trn1.32xlarge")
    run(region, artifact)
    (said,) = warnings()
    assert "it was compiled for inf2, and this machine has the chip of trn1" in said
    both = chips.artifact(
        region, chips.payload(region, chips.dense), chips.payload(region, chips.dense, target="trn1", cores=2)
    )
    run(region, both)
    assert [len(chip.clock(core)) for core in range(3)] == [1, 1, 0]
    monkeypatch.setenv("GLUON_NEURON_INSTANCE", "inf2.xlarge")
    run(region, artifact)
    assert chip.count("nrt_execute") == 2 and len(warnings()) == 1


def test_another_shape(chip, region, artifact, warnings):
    wide = {"data": ((4, 5), "float32")}
    both = tiny.pack(region, [region.payload(), region.payload(wide), chips.payload(region, chips.dense)])
    values = tiny.arrays(region, both)
    values["data"] = mx.nd.random.normal(shape=(4, 5))
    run(region, both, values)
    (said,) = warnings()
    assert "it was compiled for inf2, but not for these inputs (data float32[4,5])" in said
    assert "not for these inputs" in refusal(region, both, values, strict=True)
    every = tiny.pack(region, [*_payloads(both), chips.payload(region, chips.dense, data=wide)])
    values["region0_neuronbin"] = tiny.blob(every)
    run(region, every, values)
    assert chip.count("nrt_execute") == 1


def _payloads(artifact):
    return chips.container.unpack(artifact).payloads


def test_more_cores_than_there_are(chip, region, warnings):
    large = chips.artifact(region, chips.payload(region, chips.dense, cores=8))
    run(region, large)
    (said,) = warnings()
    assert "it takes 8 NeuronCores, and this process may use 4 NeuronCores (0 to 3), of which 4 are free" in said


SCENARIOS = """
    import logging, os, sys
    import mxnet as mx
    for missing in sys.argv[3].split():
        sys.modules[missing] = None
    import gluon_neuron
    said = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())
    logging.getLogger("gluon_neuron").addHandler(handler)
    data = mx.nd.load(sys.argv[2])[0]
    ways = {
        "load": lambda: gluon_neuron.load(sys.argv[1]),
        "imports": lambda: mx.gluon.SymbolBlock.imports(
            f"{sys.argv[1]}-symbol.json", ["data"], f"{sys.argv[1]}-0000.params"
        ),
    }
    out = [ways[name]()(data).asnumpy() for name in sys.argv[4:]]
    mx.nd.save(sys.argv[2] + ".out", [mx.nd.array(o) for o in out])
    from gluon_neuron.engine import callbacks, native_library
    print(len(said), *said, native_library.neuron_runtime().get("visible"))
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The two files of a model for the CPU and a chip, an input's file, and what MXNet says for it."""
    net = mx.gluon.nn.Dense(3, in_units=5, flatten=False)
    net.initialize(mx.init.Normal())
    data = mx.nd.random.normal(shape=(2, 5))
    folder = tmp_path_factory.mktemp("exported")
    compiled = gluon_neuron.compile(net, data, target="cpu", include_nodes=[f"{net.name}_fwd"])
    compiled.export(folder / "net")
    weight, bias = net.weight.name, net.bias.name
    chips.equip(folder / "net", lambda x: [x["data"] @ x[weight].T + x[bias]])
    mx.nd.save(str(folder / "data"), [data])
    return folder / "net", folder / "data", net(data).asnumpy()


@pytest.mark.parametrize(
    ("environment", "ways", "executions", "warned"),
    [
        ({"NEURON_RT_VISIBLE_CORES": "1-3"}, ["load", "imports"], 2, None),
        ({"NRT_DOUBLE_FAIL": "nrt_init:1:1"}, ["load", "imports"], 1, "failed to start (nrt_init): NRT_FAILURE (1)"),
        ({"NRT_DOUBLE_CORES": "0"}, ["load"], 0, "finds no NeuronCore for this process"),
        ({"GLUON_NEURON_NRT": "none"}, ["load", "imports"], 0, "GLUON_NEURON_NRT=none"),
    ],
)
def test_the_same_two_files(nrt_environment, exported, tmp_path, environment, ways, executions, warned):
    prefix, data, expected = exported
    env = {**os.environ, **nrt_environment, "NRT_DOUBLE_REPORT": str(tmp_path / "report"), **environment}
    missing = "jax jaxlib" if warned else "jax jaxlib openvino"
    said = run_python(SCENARIOS, prefix, data, missing, *ways, env=env)
    for out in mx.nd.load(f"{data}.out"):
        agree(out, expected, 1e-4, 1e-5)
    report = tmp_path / "report"
    lines = dict(line.split("=") for line in report.read_text().splitlines()) if report.exists() else {}
    assert int(lines.get("nrt_execute", 0)) == executions and "violations" not in lines
    assert said.startswith("1 node" if warned else "0") and (warned or " 3\n") in said


def test_a_library_that_lacks_functions(tmp_path, exported):
    prefix, data, _ = exported
    source, library = tmp_path / "empty.c", tmp_path / "libnrt.so"
    source.write_text("int nrt_init(int f, const char* a, const char* b) { return f + !a + !b; }\n")
    subprocess.run(["cc", "-shared", "-fPIC", str(source), "-o", str(library)], check=True)
    code = """
        import sys
        import gluon_neuron, mxnet as mx
        print(gluon_neuron.devices())
        try:
            gluon_neuron.load(sys.argv[1])(mx.nd.ones((2, 5))).asnumpy()
        except mx.MXNetError as error:
            print(error)
    """
    said = run_python(code, prefix, env={**os.environ, "GLUON_NEURON_NRT": str(library)})
    assert said.count("lacks nrt_close nrt_load nrt_unload") == 1 and "Upgrade aws-neuronx-runtime-lib" in said
