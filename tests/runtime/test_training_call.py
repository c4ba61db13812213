"""A compiled block under autograd: MXNet runs the original operators, and gives what the original block does."""

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn, rnn

import gluon_neuron
from gluon_neuron.errors import BlockError
from tests.agreement import agree


def convolutional():
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 3, in_channels=3), nn.BatchNorm(in_channels=4), nn.Activation("relu"))
    net.add(nn.Dropout(0.3), nn.Flatten(), nn.Dense(5, in_units=4 * 36))
    return net, (2, 3, 8, 8)


def recurrent():
    net = nn.HybridSequential()
    net.add(rnn.LSTM(6, 2, dropout=0.4, input_size=5), nn.Dense(3, flatten=False, in_units=6))
    return net, (4, 2, 5)


def dense():
    net = nn.HybridSequential()
    net.add(nn.Dense(5, in_units=4, activation="tanh"), nn.Dense(3, in_units=5))
    return net, (2, 4)


def twins(make):
    """The same block twice, of which the second is compiled; and data."""
    nets = []
    for _ in range(2):
        mx.random.seed(1)
        net, shape = make()
        net.initialize(mx.init.Xavier())
        net.hybridize()
        nets.append(net)
    x = mx.nd.random.normal(shape=shape)
    return nets[0], nets[1], gluon_neuron.compile(nets[1], x), x


def states(net):
    return [p.data().asnumpy() for p in net.collect_params().values()]


@pytest.mark.parametrize("make", [convolutional, recurrent, dense])
def test_training_is_the_originals(make):
    net, trained, compiled, x = twins(make)

    def train(block):
        trainer = mx.gluon.Trainer((trained if block is compiled else net).collect_params(), "sgd", {"momentum": 0.9})
        found = []
        for seed in range(4):
            mx.random.seed(seed)
            with mx.autograd.record():
                loss = (block(x) ** 2).mean()
            loss.backward()
            trainer.step(1)
            found += [loss.asnumpy(), block(x).asnumpy()]
        return found

    for found, wanted in zip(train(compiled), train(net), strict=True):
        np.testing.assert_allclose(found, wanted, 1e-4, 1e-5)
    for found, wanted in zip(states(trained), states(net), strict=True):
        np.testing.assert_allclose(found, wanted, 1e-5, 1e-6)


@pytest.mark.parametrize("make", [convolutional, recurrent])
def test_training_mode_alone(make):
    net, trained, compiled, x = twins(make)
    compiled(x)
    for block in (compiled, net):
        with mx.autograd.train_mode():
            mx.random.seed(3)
            block.drawn = block(x).asnumpy()
    np.testing.assert_allclose(compiled.drawn, net.drawn, 1e-5, 1e-6)
    if make is convolutional:  # MXNet's recurrent layers drop while it records
        assert np.abs(compiled.drawn - compiled(x).asnumpy()).max() > 1e-3
    for found, wanted in zip(states(trained), states(net), strict=True):
        np.testing.assert_allclose(found, wanted, 1e-5, 1e-6)
    agree(compiled(x), net(x), 1e-4, 1e-5)


def test_what_does_not_differ_in_training_goes_on_running_compiled():
    net, _, compiled, x = twins(dense)
    with mx.autograd.train_mode():
        found = compiled(x)
    agree(found, net(x), 1e-5, 1e-6)
    assert compiled._sessions.last is not None


@pytest.mark.parametrize("train_mode", [False, True])
def test_gradients_of_inputs(train_mode):
    net, _, compiled, x = twins(dense)
    gradients = []
    for block in (compiled, net):
        given = x.copy()
        given.attach_grad()
        with mx.autograd.record(train_mode=train_mode):
            y = block(given).sum()
        y.backward()
        gradients.append(given.grad.asnumpy())
    np.testing.assert_allclose(*gradients, 1e-5, 1e-6)


def test_a_loaded_net_trains(tmp_path):
    net, _, compiled, x = twins(convolutional)
    compiled.export(tmp_path / "net")
    loaded = gluon_neuron.load(tmp_path / "net")
    for block in (net, loaded):
        trainer = mx.gluon.Trainer(
            {n: p for n, p in block.collect_params().items() if p.grad_req != "null"}, "sgd", {"learning_rate": 0.1}
        )
        mx.random.seed(5)
        with mx.autograd.record():
            loss = (block(x) ** 2).mean()
        loss.backward()
        trainer.step(1)
    agree(loaded(x), net(x), 1e-4, 1e-5)


def test_inside_a_block_that_is_not_hybridized():
    net, trained, compiled, x = twins(convolutional)

    class Outer(mx.gluon.Block):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            return self.inner(x) * 2

    for block in (Outer(net), Outer(compiled)):
        mx.random.seed(3)
        with mx.autograd.record():
            loss = block(x).sum()
        loss.backward()
    for found, wanted in zip(trained.collect_params().values(), net.collect_params().values(), strict=True):
        if wanted.grad_req != "null":
            np.testing.assert_allclose(found.grad().asnumpy(), wanted.grad().asnumpy(), 1e-4, 1e-5)


def test_numpy_arrays():
    with mx.util.np_shape(True), mx.util.np_array(True):
        net = nn.HybridSequential()
        net.add(nn.Dense(5, in_units=4), nn.BatchNorm(in_channels=5))
        net.initialize()
        net.hybridize()
        x = mx.np.random.uniform(size=(6, 4))
        compiled = gluon_neuron.compile(net, x)
        x.attach_grad()
        for block in (compiled, net):
            with mx.autograd.record():
                y = (block(x) ** 2).sum()
            y.backward()
            assert type(block(x)) is mx.np.ndarray
            block.found = y.asnumpy(), x.grad.asnumpy()
        for found, wanted in zip(compiled.found, net.found, strict=True):
            np.testing.assert_allclose(found, wanted, 1e-4, 1e-4)


def test_monitored():
    _, _, compiled, x = twins(dense)
    seen = []
    compiled.register_op_hook(lambda name, *_: seen.append(name))
    with mx.autograd.record():
        compiled(x).wait_to_read()
    assert len(seen) == 3  # each original operator


def test_a_file_without_the_original_operators_says_so():
    net, shape = convolutional()
    net.initialize()
    x = mx.nd.random.normal(shape=shape)
    compiled = gluon_neuron.compile(net, x, inline_weights=True)
    with mx.autograd.record(train_mode=False):
        found = compiled(x)
    agree(found, net(x), 1e-4, 1e-5)
    for mode in (mx.autograd.record, mx.autograd.train_mode):
        with mode(), pytest.raises(BlockError, match=r"BatchNorm '.*' computes something else in training.*baked in"):
            compiled(x)
    agree(compiled(x), net(x), 1e-4, 1e-5)
