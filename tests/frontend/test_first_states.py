"""Recurrent layers that are called without states, under both front ends."""

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import rnn

import gluon_neuron
from gluon_neuron.runtime.front_end import front_end
from tests.agreement import agree

LAYERS = {
    "lstm": lambda **kwargs: rnn.LSTM(16, input_size=8, **kwargs),
    "gru": lambda **kwargs: rnn.GRU(16, num_layers=2, input_size=8, **kwargs),
    "rnn": lambda **kwargs: rnn.RNN(16, bidirectional=True, **kwargs),
    "deferred": lambda **kwargs: rnn.LSTM(5, num_layers=2, bidirectional=True, **kwargs),
}


class Around(mx.gluon.HybridBlock):
    """A layer inside another block."""

    def __init__(self, layer):
        super().__init__()
        with self.name_scope():
            self.layer = layer
            self.out = mx.gluon.nn.Dense(3, flatten=False)

    def hybrid_forward(self, F, x):
        return self.out(self.layer(x))


@pytest.fixture(params=[False, True], ids=["nd", "np"])
def np_mode(request):
    with front_end(request.param):
        yield request.param


def random(np_mode, *shape):
    array = np.random.normal(size=shape).astype("float32")
    return mx.np.array(array) if np_mode else mx.nd.array(array)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("layout", ["TNC", "NTC"])
@pytest.mark.parametrize("inside", [False, True])
def test_without_states(name, layout, inside, np_mode, tmp_path):
    net = LAYERS[name](layout=layout)
    net = Around(net) if inside else net
    net.initialize(mx.init.Normal(0.3))
    x = random(np_mode, 3, 2, 8)
    compiled = gluon_neuron.compile(net, x)
    assert compiled.report.compiled_operators
    compiled.export(tmp_path / "net")
    loaded = gluon_neuron.load(tmp_path / "net")
    for shape in ((3, 2, 8), (3, 4, 8), (5, 2, 8)):
        x = random(np_mode, *shape)
        expected = net(x)
        agree(compiled(x), expected, 1e-4, 1e-5, kind=True)
        agree(loaded(x), expected, 1e-4, 1e-5, kind=True)


@pytest.mark.parametrize("name", LAYERS)
def test_what_stays_in_mxnet(name, np_mode):
    net = LAYERS[name]()
    net.initialize(mx.init.Normal(0.3))
    x = random(np_mode, 3, 2, 8)
    compiled = gluon_neuron.compile(net, x, exclude_operators=["RNN"])
    agree(compiled(x), net(x), 1e-4, 1e-5, kind=True)


def test_with_states(np_mode):
    net = rnn.LSTM(16, input_size=8)
    net.initialize(mx.init.Normal(0.3))
    x = random(np_mode, 3, 2, 8)
    states = [random(np_mode, 1, 2, 16), random(np_mode, 1, 2, 16)]
    compiled = gluon_neuron.compile(net, (x, states))
    agree(compiled(x, states), net(x, states), 1e-4, 1e-5, kind=True)
