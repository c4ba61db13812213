"""Nets of one region are called without an executor: long ones as an operation of MXNet's engine."""

from __future__ import annotations

import gc
import threading

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from gluon_neuron.engine import native_library
from gluon_neuron.runtime.bound_graph import single_region
from tests.agreement import agree
from tests.nets import in_threads

SHAPE = (4, 3, 64, 64)
CLOSE = {"rtol": 1e-3, "atol": 1e-4}


def image(seed):
    return mx.nd.array(np.random.default_rng(seed).uniform(-1, 1, SHAPE))


@pytest.fixture(scope="module")
def nets():
    """A net that leaves a core and takes long, so that the engine runs it."""
    net = mx.gluon.nn.HybridSequential()
    net.add(mx.gluon.nn.Conv2D(16, 7, padding=3), mx.gluon.nn.Activation("relu"), mx.gluon.nn.Conv2D(4, 3))
    net.initialize(mx.init.Normal(0.1))
    net.hybridize()
    compiled = gluon_neuron.compile(net, image(0), num_threads=1)
    before = native_library.stats()["direct_calls"]
    for _ in range(6):
        compiled(image(0)).wait_to_read()
    assert native_library.stats()["direct_calls"] == before
    return net, compiled


@pytest.fixture
def no_executor(monkeypatch):
    def bind(*_args, **_kwargs):
        raise AssertionError("an executor is bound")

    monkeypatch.setattr(mx.sym.Symbol, "bind", bind)


def test_nothing_is_bound(no_executor):
    net = mx.gluon.nn.Dense(3)
    net.initialize()
    x = mx.nd.ones((2, 4))
    compiled = gluon_neuron.compile(net, x)
    for _ in range(6):
        agree(compiled(x), net(x), **CLOSE)


def test_outputs_in_another_order(no_executor):
    class Turned(mx.gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            with self.name_scope():
                self.dense = mx.gluon.nn.Dense(3)

        def hybrid_forward(self, F, x):
            y = self.dense(x)
            return [F.exp(F.sum(y)), y, y * 2]

    net, x = Turned(), mx.nd.array([[1, 2], [3, 4]])
    net.initialize()
    region = gluon_neuron.compile(net, x)
    assert single_region(region._bound_symbol).heads != (0, 1, 2)
    for _ in range(6):
        for one, other in zip(region(x), net(x), strict=True):
            agree(one, other, **CLOSE)


def test_arrays_that_nobody_holds_any_more(nets):
    net, compiled = nets
    found = []
    for seed in range(10):
        found.append(compiled(image(seed) * 1))
        compiled(image(seed))  # whose result is not wanted
        gc.collect()
    for seed, result in enumerate(found):
        agree(result, net(image(seed)), **CLOSE)


def test_the_net_goes_while_it_runs():
    net = mx.gluon.nn.Conv2D(16, 7)
    net.initialize(mx.init.Normal(0.1))
    compiled = gluon_neuron.compile(net, image(0), num_threads=1)
    for _ in range(4):
        compiled(image(0)).wait_to_read()
    found = [compiled(image(seed)) for seed in range(5)]
    del compiled
    gc.collect()
    for seed, result in enumerate(found):
        agree(result, net(image(seed)), **CLOSE)


def test_weights_and_data_in_layouts_of_mxnets_own(nets):
    net, compiled = nets
    first = mx.gluon.nn.Conv2D(3, 3, padding=1)
    first.initialize()
    first.hybridize()
    for seed in range(5):
        x = first(image(seed))  # in a blocked layout, as MXNet's own weights are after the next line
        expected = net(x)
        agree(compiled(x), expected, **CLOSE)


def test_views(nets):
    net, compiled = nets
    large = mx.nd.concat(image(0), image(1), dim=0)
    for view in (large[3:7], image(2).reshape((2, 6, 64, 64)).reshape(SHAPE)):
        agree(compiled(view), net(view), **CLOSE)


def test_sparse_data():
    net = mx.gluon.nn.Dense(256)
    net.initialize(mx.init.Normal(0.1))
    x = mx.nd.random.normal(shape=(512, 512))
    x[3:100] = 0
    compiled = gluon_neuron.compile(net, x, num_threads=1)
    for _ in range(6):
        agree(compiled(x.tostype("row_sparse")), net(x), **CLOSE)


def test_writers_of_weights_and_of_data_wait_for_their_turn(nets):
    net, compiled = nets
    x = image(0)
    bias = net[2].bias.data()
    before = compiled(x)
    kept = before.copy()
    results = []
    for _ in range(5):
        results.append(compiled(x))
        bias += 1
        x *= 1  # behind the reader
    for more, found in enumerate(results):
        agree(found, kept + more, **CLOSE)
    bias -= 5


def test_an_error_in_the_data_is_in_the_result(nets):
    _, compiled = nets
    broken = mx.nd.random.uniform(0, -1, SHAPE) * mx.nd.random.normal(0, -1, SHAPE)
    with pytest.raises(mx.base.MXNetError):
        compiled(broken).wait_to_read()
    compiled(image(0)).wait_to_read()


def test_an_error_of_the_node_is_in_the_result(nets):
    net, compiled = nets
    (name,) = [n for n in compiled.collect_params() if n.endswith("neuronbin")]
    artifact = compiled.collect_params()[name].data()
    kept = artifact.copy()
    artifact[100:200] = 0
    with pytest.raises(mx.base.MXNetError, match="gluon_neuron: .*node"):
        compiled(image(0)).wait_to_read()
    artifact[:] = kept
    agree(compiled(image(1)), net(image(1)), **CLOSE)


def test_several_threads(nets):
    net, compiled = nets
    expected = [net(image(seed)).asnumpy() for seed in range(4)]

    def call(seed):
        for _ in range(20):
            agree(compiled(image(seed)), expected[seed], **CLOSE)

    in_threads(call)


def test_within_an_operator_in_front_of_a_region():
    # MXNet gives each operator of a library its one random generator, which the region behind waits with.
    inner = mx.gluon.nn.Dense(4)
    inner.initialize()
    x = mx.nd.ones((2, 4))
    compiled = gluon_neuron.compile(inner, x)

    class Calls(mx.operator.CustomOp):
        def forward(self, is_train, req, in_data, out_data, aux):
            self.assign(out_data[0], req[0], compiled(in_data[0]))

    @mx.operator.register("calls_a_compiled_net")
    class CallsProp(mx.operator.CustomOpProp):
        def create_operator(self, ctx, shapes, dtypes):
            return Calls()

    class Outer(mx.gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            with self.name_scope():
                self.before, self.behind = mx.gluon.nn.Dense(4), mx.gluon.nn.Dense(4)

        def hybrid_forward(self, F, x):
            return self.behind(F.Custom(self.before(x), op_type="calls_a_compiled_net"))

    net = Outer()
    net.initialize()
    whole = gluon_neuron.compile(net, x)
    done = threading.Event()

    def call():
        for factor in range(10):
            agree(whole(x * factor), net(x * factor), **CLOSE)
        done.set()

    threading.Thread(target=call, daemon=True).start()
    assert done.wait(60)
