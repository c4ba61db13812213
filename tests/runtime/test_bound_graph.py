"""Large data is lent to compiled regions instead of copied, and nobody sees a difference."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from gluon_neuron.runtime.bound_graph import LEAST_LENT, lendable, placeable
from tests.agreement import agree
from tests.nets import in_threads

SHAPE = (4, 3, 160, 160)
ROUNDS = 20
CLOSE = {"rtol": 1e-3, "atol": 1e-4}
assert 4 * np.prod(SHAPE) > LEAST_LENT


@pytest.fixture(scope="module")
def nets():
    net = mx.gluon.nn.HybridSequential()
    net.add(mx.gluon.nn.Conv2D(8, 3), mx.gluon.nn.BatchNorm(), mx.gluon.nn.MaxPool2D(), mx.gluon.nn.Dense(5))
    net.initialize(mx.init.Normal(0.1))
    return net, gluon_neuron.compile(net, mx.nd.zeros(SHAPE))


def picture(seed):
    return mx.nd.array(np.random.default_rng(seed).uniform(-1, 1, SHAPE))


def test_the_input_is_lent(nets):
    assert lendable(nets[1].symbol) >= set(nets[1].input_names)


def test_what_mxnet_reads_is_not_lent():
    a, b = mx.sym.var("a"), mx.sym.var("b")
    assert lendable(mx.sym.Group([a + b, b])) == frozenset()


@pytest.fixture(scope="module")
def growing():
    """A net whose result is large, though its data is not."""
    net = mx.gluon.nn.HybridSequential()
    net.add(mx.gluon.nn.Conv2DTranspose(16, 8, strides=8), mx.gluon.nn.Activation("tanh"))
    net.initialize(mx.init.Normal(0.1))
    return net, gluon_neuron.compile(net, small(0))


def small(seed):
    return mx.nd.array(np.random.default_rng(seed).uniform(-1, 1, (2, 3, 16, 16)))


def test_the_result_is_written_in_place(growing):
    assert placeable(growing[1]._bound_symbol) == (True,)
    assert small(0).size * 4 < LEAST_LENT < growing[1](small(0)).size * 4


def test_a_result_that_something_reads_is_not(growing):
    class Twice(mx.gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            self.net = growing[0]

        def hybrid_forward(self, F, x):
            y = self.net(x)
            return y, F.sort(y, axis=0), y

    compiled = gluon_neuron.compile(Twice(), small(0), exclude_operators=["sort"])
    assert placeable(compiled._bound_symbol) == (False, False, False)
    net = Twice()
    for one, other in zip(compiled(small(1)), net(small(1)), strict=True):
        agree(one, other, **CLOSE)


def test_results_are_arrays_of_their_own(growing):
    net, compiled = growing
    found = [compiled(small(seed)) for seed in range(ROUNDS)]
    found[3][:] = 0
    for seed, result in enumerate(found):
        if seed != 3:
            agree(result, net(small(seed)), **CLOSE)


def test_results_that_nobody_waits_for(growing):
    net, compiled = growing
    for seed in range(ROUNDS):
        compiled(small(seed))
    agree(compiled(small(1)), net(small(1)), **CLOSE)


def test_an_error_before_a_region_leaves_nothing_behind(growing):
    net, compiled = growing
    for _ in range(3):
        bad = mx.nd.random.normal(scale=-1, shape=(2, 3, 16, 16))  # MXNet finds out when it computes
        with pytest.raises(mx.base.MXNetError):
            compiled(bad).wait_to_read()
        agree(compiled(small(1)), net(small(1)), **CLOSE)


def test_threads_write_results_of_their_own(growing):
    net, compiled = growing
    expected = [net(small(seed)).asnumpy() for seed in range(4)]
    wrong = []

    def work(seed):
        x = small(seed)
        found = [compiled(x) for _ in range(ROUNDS)]
        wrong.extend(seed for f in found if not np.allclose(f.asnumpy(), expected[seed], 1e-3, 1e-4))

    in_threads(work)
    assert not wrong


def test_overwritten_while_the_call_is_on_its_way(nets):
    net, compiled = nets
    expected = [net(picture(seed)) for seed in range(ROUNDS)]
    x = picture(0)
    found = []
    for seed in range(ROUNDS):
        x[:] = picture(seed)
        found.append(compiled(x))
        x[:] = 1e9
    for one, other in zip(found, expected, strict=True):
        agree(one, other, **CLOSE)


def test_freed_while_the_call_is_on_its_way(nets):
    net, compiled = nets
    found = [compiled(picture(seed)) for seed in range(ROUNDS)]
    for seed, result in enumerate(found):
        agree(result, net(picture(seed)), **CLOSE)


def test_views(nets):
    net, compiled = nets
    many = mx.nd.concat(*[picture(seed) for seed in range(3)], dim=0)
    for start in (0, 1, 7):
        agree(compiled(many[start : start + 4]), net(many[start : start + 4]), **CLOSE)
    whole = mx.nd.concat(mx.nd.zeros((1,)), picture(5).reshape(-1), dim=0)
    agree(compiled(whole[1:].reshape(SHAPE)), net(picture(5)), **CLOSE)


def test_sparse_data(nets):
    net, compiled = nets
    x = picture(0)
    x[1] = 0
    agree(compiled(x), net(x), **CLOSE)
    agree(compiled(x.tostype("row_sparse")), net(x), **CLOSE)


def test_result_of_a_convolution(nets):
    # It is in a blocked layout, and pending.
    net, compiled = nets
    first = mx.gluon.nn.Conv2D(3, 3, padding=1)
    first.initialize()
    for seed in range(3):
        agree(compiled(first(picture(seed))), net(first(picture(seed))), **CLOSE)


def test_result_of_another_compiled_net(nets):
    net, compiled = nets
    first = mx.gluon.nn.Conv2D(3, 3, padding=1)
    first.initialize()
    before = gluon_neuron.compile(first, picture(0))
    for seed in range(3):
        agree(compiled(before(picture(seed))), net(first(picture(seed))), **CLOSE)


def test_threads_share_a_net(nets):
    net, compiled = nets
    expected = [net(picture(seed)).asnumpy() for seed in range(4)]
    wrong = []

    def work(seed):
        x = picture(seed)
        for _ in range(ROUNDS):
            if not np.allclose(compiled(x).asnumpy(), expected[seed], 1e-3, 1e-4):
                wrong.append(seed)

    in_threads(work)
    assert not wrong


def test_an_error_in_the_data_is_raised(nets):
    net, compiled = nets
    with pytest.raises(mx.base.MXNetError):
        compiled(mx.nd.random.normal(scale=-1, shape=SHAPE)).wait_to_read()  # MXNet finds out when it computes
    agree(compiled(picture(1)), net(picture(1)), **CLOSE)


def test_same_array_for_two_inputs():
    class Both(mx.gluon.HybridBlock):
        def hybrid_forward(self, F, a, b):
            return F.broadcast_add(a * 2, F.sqrt(F.abs(b)))

    net = Both()
    compiled = gluon_neuron.compile(net, (picture(0), picture(1)))
    agree(compiled(picture(2), picture(2)), net(picture(2), picture(2)), **CLOSE)
    x = picture(3)
    agree(compiled(x, x), net(x, x), **CLOSE)


def test_an_output_that_is_an_input():
    class Same(mx.gluon.HybridBlock):
        def hybrid_forward(self, F, a):
            return F.sqrt(F.abs(a)), F.identity(a)

    net = Same()
    compiled = gluon_neuron.compile(net, picture(0))
    for seed in range(3):
        for one, other in zip(compiled(picture(seed)), net(picture(seed)), strict=True):
            agree(one, other, **CLOSE)


def test_a_repeated_call_notices_what_changed(nets):
    net, compiled = nets
    x = picture(0)
    for _ in range(2):
        agree(compiled(x), net(x), **CLOSE)
    small = x[:2]
    for _ in range(2):
        agree(compiled(small), net(small), **CLOSE)  # another shape
    with mx.autograd.record():
        compiled(x).backward()
    assert np.abs(net[3].bias.grad().asnumpy()).max() > 0
    seen = []
    handle = compiled.register_forward_hook(lambda block, inputs, output: seen.append(output.shape))
    compiled(x)
    handle.detach()
    compiled(x)
    assert seen == [(4, 5)]
    agree(compiled(x.asnumpy()), net(x), **CLOSE)
    with pytest.raises(gluon_neuron.errors.InputError):
        compiled(x, x)
    last = compiled(x)
    net[3].bias.set_data(net[3].bias.data() + 1)
    agree(compiled(x), last + 1, **CLOSE)


def test_memory_that_an_output_has_from_an_earlier_result_is_not_taken_for_the_output():
    net = mx.gluon.nn.HybridSequential()
    for _ in range(3):
        net.add(mx.gluon.nn.Conv2D(16, 3, padding=1, activation="relu"), mx.gluon.nn.LayerNorm(axis=1))
    net.add(mx.gluon.nn.Conv2D(16, 3, padding=1))
    net.initialize(mx.init.Normal(0.1))
    given = picture(5)[:1]
    net(given)
    compiled = gluon_neuron.compile(net, given, exclude_operators=["LayerNorm"])
    assert len(compiled.report.regions) == 4 and compiled(given).size * 4 > LEAST_LENT
    for seed in range(3):
        agree(compiled(picture(seed)[:1]), net(picture(seed)[:1]), **CLOSE)
