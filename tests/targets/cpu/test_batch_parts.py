"""Batches are cut into parts where that pays and samples do not meet, and what comes out is MXNet's result."""

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from gluon_neuron.engine import native_library
from gluon_neuron.targets.cpu import batch_parts
from tests.agreement import agree
from tests.nets import run_python
from tests.unseen import ready

nn = mx.gluon.nn
BATCH = 6


@pytest.fixture(autouse=True)
def small_parts_pay(monkeypatch):
    monkeypatch.setattr(batch_parts, "LEAST", 1000)


class Net(mx.gluon.HybridBlock):
    """A layer, and a function of its result (N, 8, 12, 12)."""

    def __init__(self, then):
        super().__init__()
        self.then = then
        self.layer = nn.Conv2D(8, 3, padding=1)

    def hybrid_forward(self, F, x):
        return self.then(F, self.layer(x))


def pictures(batch=BATCH, seed=0):
    return mx.nd.array(np.random.default_rng(seed).normal(size=(batch, 3, 12, 12)))


def made(then):
    net = Net(then)
    net.initialize(mx.init.Xavier())
    net(pictures())
    return net


def parts_of(compiled):
    return [r.batch_parts for r in compiled.report.regions]


def check(compiled, net, *batches):
    for seed, batch in enumerate(batches):
        x = pictures(batch, seed)
        for found, expected in zip(_flat(compiled(x)), _flat(net(x)), strict=True):
            agree(found, expected, 1e-4, 1e-5)


def _flat(found):
    return found if isinstance(found, list | tuple) else [found]


APART = {
    "activation": lambda F, y: F.relu(y),
    "pooling and flattening": lambda F, y: F.flatten(F.Pooling(y, kernel=(2, 2), stride=(2, 2), pool_type="max")),
    "several outputs": lambda F, y: [F.softmax(F.mean(y, axis=(2, 3))), y + 1, F.transpose(y, (0, 2, 3, 1))],
    "attention": lambda F, y: F.batch_dot(
        F.softmax(F.batch_dot(F.reshape(y, (-1, 12, 12)), F.reshape(y, (-1, 12, 12)), transpose_b=True)),
        F.reshape(y, (-1, 12, 12)),
    ),
    "channels last and back": lambda F, y: F.transpose(F.transpose(y, (1, 2, 3, 0)) * 2, (3, 0, 1, 2)),
}

MEET = {
    "batch's mean": lambda F, y: F.broadcast_sub(y, F.mean(y, axis=0, keepdims=True)),
    "reversed": lambda F, y: F.take(y, F.arange(BATCH - 1, -1, -1)),
    "softmax over the batch": lambda F, y: F.softmax(y, axis=0),
    "batch not in front": lambda F, y: F.transpose(y, (1, 0, 2, 3)),
    "no batch left": lambda F, y: F.sum(y),
    "its length": lambda F, y: F.broadcast_div(
        y, F.reshape(F.cast(F.slice_axis(F.shape_array(y), axis=0, begin=0, end=1), "float32"), (1, 1, 1, 1))
    ),
    "hard-coded length": lambda F, y: F.reshape(y, (BATCH, -1)),
    "a parameter for each": lambda F, y: F.broadcast_mul(y, F.reshape(F.arange(BATCH), (BATCH, 1, 1, 1))),
}


@pytest.mark.parametrize("name", APART)
def test_cut(name):
    net = made(APART[name])
    compiled = gluon_neuron.compile(net, pictures())
    assert parts_of(compiled) == [BATCH]
    assert "computes the batch in parts" in str(compiled.report)
    before = native_library.stats()["parts"]
    check(compiled, net, BATCH, BATCH)
    assert native_library.stats()["parts"] == before + 2 * BATCH


@pytest.mark.parametrize("name", MEET)
def test_not_cut(name):
    net = made(MEET[name])
    compiled = gluon_neuron.compile(net, pictures())
    assert parts_of(compiled) == [1]
    assert "parts" not in str(compiled.report)
    check(compiled, net, BATCH, BATCH)


def test_other_batch_sizes():
    net = made(APART["several outputs"])
    compiled = gluon_neuron.compile(net, pictures(), batch_sizes=[4], dynamic=False)
    before = native_library.stats()["parts"]
    check(lambda x: ready(compiled, x), net, 4, 5, 1)
    assert native_library.stats()["parts"] == before + 4 + 5


@pytest.mark.parametrize("options", [{"inline_weights": True}, {"num_threads": 1}, {"auto_cast": "matmult"}])
def test_options(options):
    net = made(APART["activation"])
    compiled = gluon_neuron.compile(net, pictures(), **options)
    assert parts_of(compiled) == [BATCH]
    found, expected = compiled(pictures()).asnumpy(), net(pictures()).asnumpy()
    agree(found, expected, 1e-7, atol=0.05 if "auto_cast" in options else 1e-4)


def test_too_little_work(monkeypatch):
    monkeypatch.setattr(batch_parts, "LEAST", 1 << 20)
    net = made(APART["activation"])
    operations = 2 * BATCH * 8 * 3 * 9 * 12 * 12
    assert operations < 1 << 20
    assert parts_of(gluon_neuron.compile(net, pictures())) == [1]
    # Each part has enough of it, but not each image.
    assert parts_of(gluon_neuron.compile(net, pictures(40))) == [2]


def test_weights_that_one_picture_uses_once(monkeypatch):
    net = nn.HybridSequential()
    net.add(nn.Conv2D(8, 3), nn.Dense(16))
    net.initialize()
    net(pictures())
    assert parts_of(gluon_neuron.compile(net, pictures())) == [BATCH]
    monkeypatch.setattr(batch_parts, "KEPT", 16 * 800 * 4 - 1)
    assert parts_of(gluon_neuron.compile(net, pictures())) == [1]


@pytest.mark.parametrize(("rows", "parts"), [(64, 8), (65, 4), (256, 2), (257, 1)])
def test_rows_of_a_part(monkeypatch, rows, parts):
    monkeypatch.setattr(batch_parts, "ROWS", rows)
    net = nn.HybridSequential()
    net.add(nn.Dense(32, "relu", flatten=False), nn.Dense(16, flatten=False))
    net.initialize()
    x = mx.nd.random.normal(shape=(8, 64, 24))
    compiled = gluon_neuron.compile(net, x)
    assert parts_of(compiled) == [parts]
    agree(compiled(x), net(x), 1e-4, 1e-5)


def test_weights_are_replaced():
    net = made(APART["several outputs"])
    compiled = gluon_neuron.compile(net, pictures())
    for seed in range(3):
        mx.random.seed(seed)
        net.initialize(mx.init.Xavier(), force_reinit=True)
        check(compiled, net, BATCH)


def test_files_in_another_process(tmp_path):
    net = made(APART["several outputs"])
    gluon_neuron.compile(net, pictures()).export(str(tmp_path / "net"))
    expected = net(pictures())
    mx.nd.save(str(tmp_path / "arrays"), [pictures(), *expected])
    code = """
        import sys
        import mxnet as mx, numpy as np
        import gluon_neuron
        from gluon_neuron.engine import native_library
        x, *expected = mx.nd.load(sys.argv[1] + "/arrays")
        net = gluon_neuron.load(sys.argv[1] + "/net")
        for found, wanted in zip(net(x), expected):
            np.testing.assert_allclose(found.asnumpy(), wanted.asnumpy(), 1e-4, 1e-5)
        print(native_library.stats()["parts"], net.report.regions[0].batch_parts)
    """
    assert run_python(code, tmp_path) == f"{BATCH} {BATCH}\n"
