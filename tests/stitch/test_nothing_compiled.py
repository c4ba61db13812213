"""Files of nets without parameters, and of nets of which nothing was compiled."""

import pickle

import mxnet as mx
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.runtime.front_end import front_end
from tests.agreement import agree


@pytest.fixture(params=[False, True], ids=["nd", "np"], autouse=True)
def np_mode(request):
    with front_end(request.param):
        yield request.param


def to_batches(np_mode):
    def function(F, x):
        if np_mode:
            return F.np.transpose(x.astype("float32") / 255, (0, 3, 1, 2))
        return F.transpose(F.cast(x, "float32") / 255, (0, 3, 1, 2))

    return nn.HybridLambda(function), mx.nd.ones((1, 16, 16, 3), dtype="uint8"), {}


def suppression(np_mode):
    def function(F, x):
        x = x.as_nd_ndarray() if np_mode else x
        found = F.contrib.box_nms(x, overlap_thresh=0.5)
        return found.as_np_ndarray() if np_mode else found

    return nn.HybridLambda(function), mx.nd.random.uniform(shape=(1, 30, 6)), {}


def softmax(np_mode):
    def function(F, x):
        return (F.npx if np_mode else F).softmax(x)

    return nn.HybridLambda(function), mx.nd.random.uniform(shape=(64, 1000)), {}


def excluded(np_mode):
    net = nn.HybridSequential()
    net.add(nn.Dense(4, activation="relu", in_units=6), nn.BatchNorm(in_channels=4))
    net.initialize()
    return net, mx.nd.random.uniform(shape=(2, 6)), {"exclude_operators": ["FullyConnected", "BatchNorm", "Activation"]}


@pytest.fixture(params=[to_batches, suppression, softmax, excluded])
def case(request, np_mode):
    net, x, options = request.param(np_mode)
    x = x.as_np_ndarray() if np_mode else x
    return net, x, gluon_neuron.compile(net, x, **options)


def test_files(case, tmp_path):
    net, x, compiled = case
    expected = net(x)
    agree(compiled(x), expected, 1e-5, 1e-6, kind=True)
    compiled.export(tmp_path / "net")
    loaded = gluon_neuron.load(tmp_path / "net")
    agree(loaded(x), expected, 1e-5, 1e-6, kind=True)
    assert loaded.report == compiled.report
    loaded.export(tmp_path / "again")
    agree(gluon_neuron.load(tmp_path / "again")(x), expected, 1e-5, 1e-6, kind=True)
    for block in (compiled, loaded):
        block.save_parameters(tmp_path / "parameters")
        block.load_parameters(tmp_path / "parameters")
        agree(block(x), expected, 1e-5, 1e-6, kind=True)
    agree(pickle.loads(pickle.dumps(loaded))(x), expected, 1e-5, 1e-6, kind=True)


def test_it_moves_and_is_compiled_again(case):
    net, x, compiled = case
    expected = net(x)
    compiled.collect_params().reset_ctx([mx.cpu(0), mx.cpu(1)])
    agree(compiled(x), expected, 1e-5, 1e-6, kind=True)
    compiled.cast("float32")
    agree(gluon_neuron.compile(compiled, x)(x), expected, 1e-5, 1e-6, kind=True)


def test_plain_mxnet_reads_them(case, tmp_path):
    net, x, compiled = case
    compiled.export(tmp_path / "net")
    held = bool(compiled.collect_params())
    # Of a file without arrays MXNet makes a list, at which it stumbles: its own files of such nets are the same.
    file = str(tmp_path / "net-0000.params") if held else None
    plain = mx.gluon.SymbolBlock.imports(str(tmp_path / "net-symbol.json"), ["data"], file)
    agree(plain(x), net(x), 1e-5, 1e-6)
