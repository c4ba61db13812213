"""Nets of one region run on their caller's thread unless they take long, and nobody sees a difference."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from gluon_neuron.engine import native_library
from gluon_neuron.runtime.bound_graph import single_region
from tests.agreement import agree
from tests.unseen import ready

CLOSE = {"rtol": 1e-4, "atol": 1e-5}
ENOUGH = 300
"""Calls after which a net runs directly, if it ever does."""


@pytest.fixture
def nets():
    net = mx.gluon.nn.HybridSequential()
    net.add(mx.gluon.nn.Conv2D(4, 3, padding=1), mx.gluon.nn.BatchNorm(), mx.gluon.nn.Activation("relu"))
    net.add(mx.gluon.nn.Dense(5))
    net.initialize(mx.init.Normal(0.3))
    net.hybridize()
    return net, gluon_neuron.compile(net, picture(0))


def picture(seed, batch=2):
    return mx.nd.array(np.random.default_rng(seed).uniform(-1, 1, (batch, 3, 8, 8)))


def direct(call):
    """Whether this call runs on this thread."""
    before = native_library.stats()["direct_calls"]
    call().wait_to_read()
    return native_library.stats()["direct_calls"] > before


def warm(compiled, x):
    """Call it until it runs directly."""
    assert any(direct(lambda: compiled(x)) for _ in range(ENOUGH))


def test_small_nets_do(nets):
    net, compiled = nets
    x = picture(0)
    warm(compiled, x)
    for seed in range(5):
        x = picture(seed)
        assert direct(lambda x=x: compiled(x))
        agree(compiled(x), net(x), **CLOSE)


def test_nets_that_leave_a_core_and_take_long_do_not():
    net = mx.gluon.nn.Conv2D(16, 7)
    net.initialize()
    x = mx.nd.ones((8, 3, 256, 256))
    compiled = gluon_neuron.compile(net, x, num_threads=1)
    for _ in range(6):
        assert not direct(lambda: compiled(x))


def test_only_a_region_alone_does():
    net = mx.gluon.nn.HybridSequential()
    net.add(mx.gluon.nn.Dense(64, flatten=False), mx.gluon.nn.HybridLambda(lambda F, x: F.contrib.box_nms(x)))
    net.initialize()
    x = mx.nd.ones((1, 30, 64))
    assert single_region(gluon_neuron.compile(net, x)._bound_symbol) is None


def test_results_are_arrays_of_their_own(nets):
    net, compiled = nets
    warm(compiled, picture(0))
    kept = [compiled(picture(seed)) for seed in range(10)]
    for seed, found in enumerate(kept):
        agree(found, net(picture(seed)), **CLOSE)
    kept[0][:] = 7
    agree(kept[1], net(picture(1)), **CLOSE)


@pytest.mark.parametrize(
    "write",
    [
        lambda weight, to: weight.set_data(to),
        lambda weight, to: weight.data().__setitem__(slice(None), to),
        lambda weight, to: [weight.data()[i].__setitem__(slice(None), to[i]) for i in range(len(to))],
        lambda weight, to: weight.data().reshape((-1,)).__setitem__(slice(None), to.reshape((-1,))),
    ],
    ids=["set_data", "in place", "rows", "reshaped"],
)
def test_writes_are_seen_by_the_next_call(nets, write):
    net, compiled = nets
    x = picture(0)
    for seed in range(10):
        warm(compiled, x)
        weight = net[3].weight
        write(weight, mx.nd.array(np.random.default_rng(seed).normal(size=weight.shape)))
        agree(compiled(x), net(x), **CLOSE)


def test_writes_on_their_way_are_waited_for(nets):
    net, compiled = nets
    x = picture(0)
    warm(compiled, x)
    large = mx.nd.ones((800, 800))
    for factor in range(1, 6):
        late = mx.nd.dot(mx.nd.dot(large, large), large)[:5, 0].reshape((5,)) * (factor / 800**2)
        net[3].bias.data()[:] = late
        y = x * late[0]
        found = compiled(y)
        agree(found, net(y), **CLOSE)
        warm(compiled, x)


def test_original_and_compiled_take_turns(nets):
    # MXNet's convolution leaves its weight in a blocked layout.
    net, compiled = nets
    warm(compiled, picture(0))
    seen = 0
    for seed in range(20):
        x = picture(seed)
        expected = net(x)
        before = native_library.stats()["direct_calls"]
        agree(compiled(x), expected, **CLOSE)
        seen += native_library.stats()["direct_calls"] - before
    assert seen > 0


def test_an_error_in_the_data_is_raised(nets):
    _, compiled = nets
    x = picture(0)
    warm(compiled, x)
    broken = mx.nd.random.uniform(0, -1, x.shape) * mx.nd.random.normal(0, -1, x.shape)
    with pytest.raises(mx.base.MXNetError):
        compiled(broken).wait_to_read()
    assert direct(lambda: compiled(x))


def test_sparse_data():
    net = mx.gluon.nn.Dense(3)
    net.initialize()
    x = mx.nd.array(np.eye(8, 64))
    x[0] = x[3] = 0
    compiled = gluon_neuron.compile(net, x)
    warm(compiled, x)
    agree(compiled(x.tostype("row_sparse")), net(x), **CLOSE)


def test_same_array_for_two_inputs():
    a, b = mx.sym.var("a"), mx.sym.var("b")
    net = mx.gluon.SymbolBlock(mx.sym.Group([mx.sym.dot(a, b), b - a]), [a, b])
    x = mx.nd.array(np.random.default_rng(0).integers(-3, 4, (64, 64)))
    compiled = gluon_neuron.compile(net, [x, x])
    small = mx.nd.ones((32, 32))
    ready(compiled, small, small)
    for given in ((x, x), (small, small), (x, x), (small, small)):  # shapes take turns too
        assert any(direct(lambda given=given: compiled(*given)[0]) for _ in range(ENOUGH))
        product, difference = compiled(x, x)
        assert (product == mx.nd.dot(x, x)).asnumpy().all()
        assert not difference.asnumpy().any()


def test_threads_and_a_writer():
    net = mx.gluon.nn.Dense(64, in_units=64, use_bias=False)
    net.initialize(mx.init.One())
    x = mx.nd.ones((4, 64))
    compiled = gluon_neuron.compile(net, x)
    warm(compiled, x)
    wrong: list[object] = []
    stop = threading.Event()

    def call():
        while not stop.is_set():
            values = np.unique(compiled(x).asnumpy())
            if len(values) != 1 or values[0] % 64:
                wrong.append(values)

    def write():
        for value in range(1, 200):
            net.weight.data()[:] = value

    callers = [threading.Thread(target=call) for _ in range(3)]
    writer = threading.Thread(target=write)
    for thread in [*callers, writer]:
        thread.start()
    writer.join()
    stop.set()
    for thread in callers:
        thread.join()
    assert not wrong
    assert np.unique(compiled(x).asnumpy()).tolist() == [199 * 64]


NAIVE = """
import mxnet as mx
import gluon_neuron
from gluon_neuron.engine import native_library
net = mx.gluon.nn.Dense(3)
net.initialize(mx.init.One())
x = mx.nd.ones((2, 4))
compiled = gluon_neuron.compile(net, x)
for value in range(1, 4):
    net.weight.data()[:] = value
    for _ in range(30):
        assert (compiled(x) == 4 * value).asnumpy().all()
print(native_library.stats()["direct_calls"] > 0)
"""


@pytest.mark.parametrize("engine", ["NaiveEngine", "ThreadedEngine"])
def test_other_engines(engine):
    ran = subprocess.run(
        [sys.executable, "-c", NAIVE], env={**os.environ, "MXNET_ENGINE_TYPE": engine}, capture_output=True, text=True
    )
    assert ran.stdout.split() == ["True"], ran.stderr
