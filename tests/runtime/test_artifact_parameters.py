"""Artifacts survive what is done to all parameters at once: saved, moved, cast, trained, on several contexts too."""

import contextlib

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.graph.subgraph import ARTIFACT_SUFFIX
from gluon_neuron.runtime.context import NeuronContext
from tests.agreement import agree

CONTEXTS = {
    "one": [mx.cpu(0)],
    "two": [mx.cpu(0), mx.cpu(1)],
    "three": [mx.cpu(2), mx.cpu(0), mx.cpu(1)],
    "cores": [NeuronContext("cpu", 0), NeuronContext("cpu", 1)],
}


@contextlib.contextmanager
def front(np_mode):
    with mx.util.np_shape(np_mode), mx.util.np_array(np_mode):
        yield


@pytest.fixture(params=[False, True], ids=["nd", "np"])
def np_mode(request):
    with front(request.param):
        yield request.param


def model(contexts, np_mode):
    net = nn.HybridSequential()
    net.add(nn.Dense(32, activation="relu", in_units=16), nn.BatchNorm(in_channels=32), nn.Dense(4, in_units=32))
    net.initialize(mx.init.Normal(0.3), ctx=contexts)
    x = np.random.normal(size=(8, 16)).astype("float32")
    x = mx.np.array(x, ctx=contexts[0]) if np_mode else mx.nd.array(x, ctx=contexts[0])
    return net, x, net(x).asnumpy()


def artifacts(block):
    return {n: p for n, p in block.collect_params().items() if n.endswith(ARTIFACT_SUFFIX)}


def blobs(block):
    return {n: [a.asnumpy().tobytes() for a in p.list_data()] for n, p in artifacts(block).items()}


@pytest.mark.parametrize("name", CONTEXTS)
def test_files(name, np_mode, tmp_path):
    contexts = CONTEXTS[name]
    net, x, expected = model(contexts, np_mode)
    compiled = gluon_neuron.compile(net, x)
    assert artifacts(compiled)
    compiled.export(tmp_path / "net")
    agree(gluon_neuron.load(tmp_path / "net")(x.as_in_context(mx.cpu(0))), expected, 1e-4, 1e-5)
    both = gluon_neuron.load(tmp_path / "net", ctx=contexts)
    for ctx in contexts:
        agree(both(x.as_in_context(ctx)), expected, 1e-4, 1e-5)
    both.export(tmp_path / "again")
    agree(gluon_neuron.load(tmp_path / "again")(x.as_in_context(mx.cpu(0))), expected, 1e-4, 1e-5)
    # MXNet's own ParameterDict.save takes no arrays of mx.np.
    saves = [] if np_mode else [compiled.collect_params().save, both.collect_params().save]
    for save in (compiled.save_parameters, both.save_parameters, *saves):
        file = str(tmp_path / "parameters")
        save(file)
        loaded = mx.npx.load(file) if np_mode else mx.nd.load(file)
        for artifact, (blob, *_) in blobs(compiled).items():
            assert loaded[artifact].asnumpy().tobytes() == blob
        both.load_parameters(file, ctx=contexts)
        agree(both(x), expected, 1e-4, 1e-5)


@pytest.mark.parametrize("name", CONTEXTS)
def test_plain_mxnet_reads_and_writes_them(name, np_mode, tmp_path):
    contexts = CONTEXTS[name]
    net, x, expected = model(contexts, np_mode)
    gluon_neuron.compile(net, x).export(tmp_path / "net")
    plain = mx.gluon.SymbolBlock.imports(
        str(tmp_path / "net-symbol.json"), ["data"], str(tmp_path / "net-0000.params"), ctx=contexts[:2]
    )
    before = blobs(plain)
    if not np_mode:  # MXNet has then read arrays of mx.nd, which it does not save
        plain.save_parameters(str(tmp_path / "parameters"))
        loaded = mx.nd.load(str(tmp_path / "parameters"))
        for artifact, (blob, *_) in before.items():
            assert loaded[artifact].asnumpy().tobytes() == blob
    plain.collect_params().reset_ctx([mx.cpu(0)])
    agree(plain(x.as_in_context(mx.cpu(0))), expected, 1e-4, 1e-5)
    plain.cast("float64")
    assert {n: p.dtype for n, p in artifacts(plain).items()} == dict.fromkeys(before, np.uint8)
    assert {n: b[0] for n, b in blobs(plain).items()} == {n: b[0] for n, b in before.items()}


@pytest.mark.parametrize("source", ["one", "two", "cores"])
@pytest.mark.parametrize("target", CONTEXTS)
def test_moved(source, target, np_mode):
    net, x, expected = model(CONTEXTS[source], np_mode)
    compiled = gluon_neuron.compile(net, x)
    before = {n: b[0] for n, b in blobs(compiled).items()}
    compiled.collect_params().reset_ctx(CONTEXTS[target])
    assert blobs(compiled) == {n: [b] * len(CONTEXTS[target]) for n, b in before.items()}
    for ctx in CONTEXTS[target]:
        agree(compiled(x.as_in_context(ctx)), expected, 1e-4, 1e-5)
    compiled.reset_ctx(mx.cpu(0))
    agree(compiled(x.as_in_context(mx.cpu(0))), expected, 1e-4, 1e-5)


@pytest.mark.parametrize("dtype", ["float16", "float64", "float32"])
@pytest.mark.parametrize("name", ["one", "two"])
def test_cast(dtype, name):
    net, x, expected = model(CONTEXTS[name], False)
    compiled = gluon_neuron.compile(net, x)
    before = blobs(compiled)
    compiled.cast(dtype)
    for param in artifacts(compiled).values():
        param.dtype = dtype
    assert blobs(compiled) == before
    if dtype != "float64":  # which the engine does not have
        agree(compiled(x.astype(dtype)), expected, 2e-2, 1e-2, dtype=False)
    compiled.collect_params().reset_ctx([mx.cpu(0)])
    compiled.cast("float32")
    agree(compiled(x), expected, 2e-2, 1e-2)


@pytest.mark.parametrize("name", ["one", "two"])
def test_training_leaves_them(name):
    contexts = CONTEXTS[name]
    net, x, _ = model(contexts, False)
    compiled = gluon_neuron.compile(net, x)
    before = blobs(compiled)
    compiled.collect_params().setattr("grad_req", "write")
    trainer = mx.gluon.Trainer(compiled.collect_params(), "sgd", {"learning_rate": 0.1, "wd": 0.1})
    inputs = [x.as_in_context(c) for c in contexts]
    with mx.autograd.record():
        losses = [(net(one) ** 2).mean() for one in inputs]
    for loss in losses:
        loss.backward()
    trainer.step(1)
    assert blobs(compiled) == before
    for ctx in contexts:
        agree(compiled(x.as_in_context(ctx)), net(x.as_in_context(ctx)), 1e-4, 1e-5)


def test_whole_numbers_are_not_averaged(tmp_path):
    class Codes(mx.gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            with self.name_scope():
                self.codes = self.params.get("codes", shape=(4, 6), dtype="int8", grad_req="null", init="zeros")
                self.scale = self.params.get("scale", shape=(4, 1))

        def hybrid_forward(self, F, x, codes, scale):
            weight = F.broadcast_mul(F.cast(codes, "float32"), scale)
            return F.FullyConnected(x, weight, num_hidden=4, no_bias=True)

    net = Codes()
    net.initialize(mx.init.Normal(0.3), ctx=CONTEXTS["two"])
    net.codes.set_data(mx.nd.array(np.random.randint(-128, 128, (4, 6)), dtype="int8"))
    x = mx.nd.random.normal(shape=(3, 6))
    compiled = gluon_neuron.compile(net, x)
    compiled.export(tmp_path / "net")
    agree(gluon_neuron.load(tmp_path / "net")(x), net(x), 1e-4, 1e-5)


def test_numbers_are_averaged_as_before():
    param = mx.gluon.Parameter("w", shape=(2,))
    param.initialize(ctx=CONTEXTS["two"])
    param.list_data()[0][:] = 1
    param.list_data()[1][:] = 3
    param.reset_ctx([mx.cpu(0)])
    agree(param.data(), np.full(2, 2, "float32"))
    param.cast("float16")
    assert param.data().dtype == np.float16


@pytest.mark.parametrize("inline", [False, True], ids=["weights outside", "weights inside"])
def test_an_artifact_is_where_the_weights_are(np_mode, inline):
    net, x, _ = model([mx.cpu(1)], np_mode)
    compiled = gluon_neuron.compile(net, x, inline_weights=inline)
    agree(compiled(x), net(x), 1e-4, 1e-5)
    here = x.as_in_context(mx.cpu(0))
    net.collect_params().reset_ctx(mx.cpu(0))
    agree(compiled(here), net(here), 1e-4, 1e-5)
    if not inline:
        net.initialize(mx.init.Normal(0.3), ctx=[mx.cpu(2), mx.cpu(0)], force_reinit=True)
        for place in (mx.cpu(2), mx.cpu(0)):
            there = x.as_in_context(place)
            agree(compiled(there), net(there), 1e-4, 1e-5)
