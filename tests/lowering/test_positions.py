"""Positions of every dtype, far outside their axis too: as MXNet has them, in NumPy and on the CPU's engine."""

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from gluon_neuron.dialect.in_numpy.namespace import NumpyNamespace
from gluon_neuron.lowering.positions import clipped, wrapped
from tests.agreement import agree

NEAR = [0, 3, 9, 8, 10, 11, 25, -1, -2, -10, -25]
FAR = [2**24 + 1, 2**31 - 1, -(2**31), 2**31, 2**31 + 3, 2**32 + 1, 2**32 - 1, -(2**31) - 1, 2 - 2**32]
FAR += [2**40 + 7, -(2**40) - 7, 2**62, -(2**62), 2**63 - 1, -(2**63)]
FLOATS = [0.5, 1.5, 9.5, -0.5, -1.5, 1e9, -1e9, 1e30, -1e30, np.inf, -np.inf, np.nan]
SIZE = 10


def places(dtype):
    """Positions of the dtype, a few of them in an axis of 10."""
    if dtype == "int32":
        return np.array([v for v in NEAR + FAR if -(2**31) <= v < 2**31], dtype)
    if dtype == "int64":
        return np.array(NEAR + FAR, dtype)
    with np.errstate(over="ignore"):
        return np.array([*NEAR, *FAR, *FLOATS], np.float64).astype(dtype)


class Places(mx.gluon.HybridBlock):
    """One operator that reads a table at positions."""

    def __init__(self, op, mode):
        super().__init__()
        self._op, self._mode = op, mode

    def hybrid_forward(self, F, index, table):
        if self._op == "Embedding":
            return F.Embedding(index, table, input_dim=SIZE, output_dim=4)
        if self._op == "one_hot":
            return F.one_hot(index, depth=SIZE)
        if self._op == "take":
            return F.take(table, index, mode=self._mode)
        return F.pick(table, index, axis=1, mode=self._mode)


CASES = [(op, "clip") for op in ("Embedding", "take", "one_hot", "pick")] + [("take", "wrap"), ("pick", "wrap")]


@pytest.mark.parametrize("dtype", ["int32", "int64", "float32", "float16"])
@pytest.mark.parametrize(("op", "mode"), CASES)
def test_as_mxnet_has_them(op, mode, dtype):
    net, index = Places(op, mode), mx.nd.array(places(dtype), dtype=dtype)
    table = mx.nd.random.normal(shape=(len(index), SIZE) if op == "pick" else (SIZE, 4))
    args = index, table
    stays = dtype == "int64" and mode == "wrap"
    names = [o.node for o in gluon_neuron.analyze(net, args).outside]
    compiled = gluon_neuron.compile(net, args, include_nodes=names)
    assert len(compiled.report.regions) == (0 if stays else 1), compiled.report
    agree(compiled(*args), net(*args))
    few = index[:7], table[:7] if op == "pick" else table
    agree(compiled(*few), net(*few))


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("size", [1, 2, 7, 256, 50257, 70000, 2**22 + 3])
@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_any_length_of_axis(dtype, size, bits):
    xp = NumpyNamespace()
    index = places(dtype)
    if dtype == "float32":
        limit = 2.0 ** (bits - 1)
        held = np.where((index < limit) & (index >= -limit), index, -limit)
        exact = [int(v) for v in held]
    else:
        exact = [int(v) for v in index]
    given = xp.constant(index, dtype)
    np.testing.assert_array_equal(xp.known(wrapped(xp, given, size, bits)), [v % size for v in exact])
    np.testing.assert_array_equal(xp.known(clipped(xp, given, size, bits)), [min(max(v, 0), size - 1) for v in exact])


class Shared(mx.gluon.HybridBlock):
    """Positions that two tables of different lengths read, that are returned, and added to; and constant ones."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.short = self.params.get("short", shape=(SIZE, 8))
            self.long = self.params.get("long", shape=(70000, 8))
            self.held = self.params.get("held", shape=(4,), dtype="int64", init="zeros")
            self.dense = mx.gluon.nn.Dense(16, flatten=False)

    def hybrid_forward(self, F, index, short, long, held):
        found = F.Embedding(index, short, input_dim=SIZE, output_dim=8) + F.take(long, index)
        fixed = F.Embedding(held, long, input_dim=70000, output_dim=8)
        return self.dense(found), F.one_hot(index, depth=7), index, index + 1, fixed


def indices(batch):
    index = np.random.randint(-5, 80000, (batch, 3))
    index[0, 0], index[-1, -1] = 2**32 + 1, -(2**40)
    return mx.nd.array(index, dtype="int64")


@pytest.mark.parametrize("options", [{}, {"inline_weights": True}, {"batch_sizes": [2]}])
def test_int64_that_is_used_elsewhere_too(options, tmp_path):
    net = Shared()
    net.initialize(mx.init.Normal(1))
    net.held.set_data(mx.nd.array([1, 2**40, 69999, -3], dtype="int64"))
    compiled = gluon_neuron.compile(net, indices(4), **options)
    assert [o.op for o in compiled.report.outside] == ["_plus_scalar"]
    compiled.export(tmp_path / "net")
    close = {"rtol": 1e-4, "atol": 1e-5}
    for model in (compiled, gluon_neuron.load(tmp_path / "net")):
        for batch in (4,) if "inline_weights" in options else (4, 1, 2, 9):
            x = indices(batch)
            agree(model(x), net(x), **close)


def test_int64_in_parts_of_a_batch():
    # Large enough that the engine runs it in parts.
    net = mx.gluon.nn.HybridSequential()
    net.add(mx.gluon.nn.Embedding(50, 64), mx.gluon.nn.Dense(256), mx.gluon.nn.Dense(256))
    net.initialize()
    x = mx.nd.array(np.random.randint(-9, 60, (64, 16)), dtype="int64")
    expected = net(x)
    compiled = gluon_neuron.compile(net, x)
    assert not compiled.report.outside
    agree(compiled(x), expected, 1e-3, 1e-4)


def test_int64_in_a_loop_stays():
    class Net(mx.gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            with self.name_scope():
                self.table = self.params.get("table", shape=(SIZE, 8))
                self.dense = mx.gluon.nn.Dense(16, flatten=False)

        def hybrid_forward(self, F, index, table):
            def step(x, states):
                return F.Embedding(x, table, input_dim=SIZE, output_dim=8), states

            return self.dense(F.contrib.foreach(step, index, [F.zeros((1,))])[0])

    net, x = Net(), mx.nd.array([[1, 2], [3, 2**40]], dtype="int64")
    net.initialize()
    expected = net(x)
    compiled = gluon_neuron.compile(net, x)
    assert any("in its body" in o.sentence and "int64" in o.sentence for o in compiled.report.outside)
    agree(compiled(x), expected, 1e-4, 1e-5)
