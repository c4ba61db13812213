"""What earlier releases wrote loads and gives the numbers that MXNet gave then; so does what this one writes."""

import pickle

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from tests.agreement import agree
from tests.golden import FOLDER
from tests.golden.make import make

RTOL, ATOL = 1e-5, 1e-5


@pytest.fixture(scope="module", params=[*sorted(p.name for p in FOLDER.glob("v*")), "now"])
def folder(request, tmp_path_factory):
    """The files of each release, and of the present state."""
    if request.param != "now":
        return FOLDER / request.param
    made = tmp_path_factory.mktemp("golden")
    make(made)
    return made


@pytest.fixture
def expected(folder):
    """MXNet's results, and the data "x" that they are for."""
    with np.load(folder / "expected.npz") as file:
        return dict(file)


@pytest.fixture
def in_numpy():
    """MXNet's NumPy mode."""
    mx.npx.set_np()
    yield
    mx.npx.reset_np()


def unpickled(folder, name):
    return pickle.loads((folder / f"{name}.pickle").read_bytes())


@pytest.mark.parametrize("name", ["net", "inline"])
def test_exported_pair(folder, expected, name):
    net = gluon_neuron.load(folder / name)
    assert len(net.report.regions) == 1 and not net.report.outside
    assert (len(net.collect_params().keys()) == 1) == (name == "inline")
    agree(net(mx.nd.array(expected["x"])), expected[name], RTOL, ATOL)


@pytest.mark.parametrize("name", ["net", "inline"])
def test_exported_pair_in_plain_mxnet(folder, expected, name):
    net = mx.gluon.SymbolBlock.imports(
        str(folder / f"{name}-symbol.json"), ["data"], str(folder / f"{name}-0000.params")
    )
    agree(net(mx.nd.array(expected["x"])), expected[name], RTOL, ATOL)


def test_a_batch_that_was_not_compiled(folder, expected):
    found = gluon_neuron.load(folder / "net")(mx.nd.array(expected["x"][:1]))
    agree(found, expected["net"][:1], RTOL, ATOL)


def test_exported_again(folder, expected, tmp_path):
    gluon_neuron.load(folder / "net").export(tmp_path / "again")
    agree(gluon_neuron.load(tmp_path / "again")(mx.nd.array(expected["x"])), expected["net"], RTOL, ATOL)


def test_checkpoint(folder, expected):
    sym, args, aux = mx.model.load_checkpoint(str(folder / "checkpoint"), 0)
    given = {**args, "data": mx.nd.array(expected["x"]), "softmax_label": mx.nd.zeros((len(expected["x"]),))}
    found = sym.bind(mx.cpu(), given, aux_states=aux, grad_req="null").forward(is_train=False)[0]
    agree(found, expected["checkpoint"], RTOL, ATOL)
    assert len(gluon_neuron.get_report(sym).regions) == 1


def test_pickled_block(folder, expected):
    net = unpickled(folder, "block")
    assert type(net) is gluon_neuron.NeuronHybridBlock and net.input_names == ("data",)
    agree(net(mx.nd.array(expected["x"])), expected["block"], RTOL, ATOL)


def test_pickled_block_of_numpy_arrays(folder, expected, in_numpy):
    net = unpickled(folder, "numpy")
    agree(net(mx.np.array(expected["x"])), expected["numpy"], RTOL, ATOL)


def test_exported_pair_of_numpy_arrays(folder, expected, in_numpy):
    if not (folder / "numpy-symbol.json").exists():
        assert folder.name == "v0.1.0", "only the first release could not export it"
        return
    net = gluon_neuron.load(folder / "numpy")
    agree(net(mx.np.array(expected["x"])), expected["numpy"], RTOL, ATOL)


def test_numpy_arrays_are_written_and_read_in_either_mode(folder, expected, in_numpy, tmp_path):
    net = unpickled(folder, "numpy")
    mx.npx.reset_np()
    net.export(tmp_path / "out")
    loaded = gluon_neuron.load(tmp_path / "out")
    mx.npx.set_np()
    agree(loaded(mx.np.array(expected["x"])), expected["numpy"], RTOL, ATOL)
    loaded.export(tmp_path / "in")
    again = gluon_neuron.load(tmp_path / "in")
    again.save_parameters(str(tmp_path / "in.params"))
    agree(again(mx.np.array(expected["x"])), expected["numpy"], RTOL, ATOL)


def test_pickled_report(folder):
    report = unpickled(folder, "report")
    assert type(report) is gluon_neuron.Report
    assert (report.target, report.engine, report.compiled_operators) == ("cpu", "openvino", report.operators)
    assert report.seconds == {"export": 0.25, "compile": 0.5}
    assert gluon_neuron.Report.from_dict(report.to_dict()) == report
    assert "Seconds: export 0.25, compile 0.50" in str(report)


def test_pickled_options(folder):
    options = unpickled(folder, "options")
    given = {"auto_cast": "all", "batch_sizes": (1, 4), "exclude_operators": ("Dropout",)}
    assert options == gluon_neuron.CompileOptions(**given)
    assert options.identity() == gluon_neuron.CompileOptions(**given).identity()
