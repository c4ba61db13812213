"""RNN and the concatenation of its parameters against MXNet, and Gluon's recurrent layers compiled."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import rnn

import gluon_neuron
from tests.agreement import agree
from tests.lowering.harness import check_op, random, refusal_of

GATES = {"rnn_relu": 1, "rnn_tanh": 1, "lstm": 4, "gru": 3}


def inputs_of(mode, steps, batch, width, size, layers, directions):
    rows = GATES[mode] * size
    count = 0
    for layer in range(layers):
        count += directions * rows * ((width if layer == 0 else directions * size) + size + 2)
    states = [
        random(layers * directions, batch, size, seed=k, low=-1, high=1) for k in range(2 if mode == "lstm" else 1)
    ]
    return [random(steps, batch, width), random(count, seed=5, low=-0.6, high=0.6), *states]


@pytest.mark.parametrize("mode", GATES)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize(("steps", "batch"), [(1, 1), (7, 1), (5, 4)])
def test_modes(mode, bidirectional, layers, steps, batch):
    arrays = inputs_of(mode, steps, batch, 6, 5, layers, 1 + bidirectional)
    attrs = {"mode": mode, "state_size": 5, "num_layers": layers, "bidirectional": bidirectional, "p": 0.3}
    options = {"params_are_weights": [1], "atol": 2e-5}
    check_op("RNN", arrays, attrs, **options)
    outputs = range(3 if mode == "lstm" else 2)
    check_op("RNN", arrays, {**attrs, "state_outputs": True}, outputs=outputs, **options)


@pytest.mark.parametrize("mode", GATES)
def test_parameters_that_come_as_data(mode):
    attrs = {"mode": mode, "state_size": 4, "num_layers": 2, "state_outputs": True}
    check_op("RNN", inputs_of(mode, 3, 2, 3, 4, 2, 1), attrs, atol=2e-5)


def test_large_values_saturate():
    arrays = [100 * a for a in inputs_of("lstm", 4, 2, 3, 4, 1, 1)]
    check_op("RNN", arrays, {"mode": "lstm", "state_size": 4, "num_layers": 1}, params_are_weights=[1], atol=2e-5)


@pytest.mark.parametrize(
    "attrs",
    [{"projection_size": 2}, {"use_sequence_length": True}, {"lstm_state_clip_min": -1, "lstm_state_clip_max": 1}],
)
def test_what_only_gpus_have(attrs):
    arrays = inputs_of("lstm", 3, 2, 3, 4, 1, 1)
    if "projection_size" in attrs:
        arrays[1] = random(4 * 4 * (3 + 2 + 2) + 2 * 4)
        arrays[2] = random(1, 2, 2)
    if "use_sequence_length" in attrs:
        arrays.append(np.array([1, 2], np.float32))
    found = refusal_of("RNN", arrays, {"mode": "lstm", "state_size": 4, "num_layers": 1, **attrs})
    assert found is not None
    assert "GPU" in found[1]


def test_param_concat():
    arrays = [random(3), random(7), random(1)]
    check_op("_rnn_param_concat", arrays, {"dim": 0, "num_args": 3})
    check_op("_rnn_param_concat", arrays, {"dim": 0, "num_args": 3}, params_are_weights=True)


@pytest.mark.parametrize("layout", ["TNC", "NTC"])
@pytest.mark.parametrize(
    "make",
    [
        lambda **k: rnn.LSTM(16, 2, **k),
        lambda **k: rnn.GRU(16, bidirectional=True, **k),
        lambda **k: rnn.RNN(16, 2, activation="relu", **k),
    ],
)
def test_gluon_layers(make, layout):
    net = make(layout=layout)
    net.initialize(mx.init.Uniform(0.3))
    x = mx.nd.random.normal(shape=(6, 4, 8))
    expected = net(x)
    compiled = gluon_neuron.compile(net, x)
    assert not compiled.report.outside
    agree(compiled(x), expected, 1e-3, 1e-5)
    other = mx.nd.random.normal(shape=(6, 4, 8))
    agree(compiled(other), net(other), 1e-3, 1e-5)
    for param in net.collect_params().values():
        param.set_data(param.data() * 0.5)
    agree(compiled(x), net(x), 1e-3, 1e-5)


class LanguageModel(mx.gluon.HybridBlock):
    """Words in, the next word's scores and the states out; states go in, as a user carries them on."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.embedding = mx.gluon.nn.Embedding(50, 12)
            self.lstm = rnn.LSTM(20, 2)
            self.decoder = mx.gluon.nn.Dense(50, flatten=False)

    def hybrid_forward(self, F, words, h, c):
        y, states = self.lstm(self.embedding(words), [h, c])
        return self.decoder(y), states


def test_language_model_carries_its_states_on(tmp_path):
    net = LanguageModel()
    net.initialize(mx.init.Xavier())
    words = mx.nd.array(np.random.default_rng(0).integers(0, 50, (7, 3)))
    states = [mx.nd.zeros((2, 3, 20)) for _ in range(2)]
    compiled = gluon_neuron.compile(net, (words, *states))
    assert not compiled.report.outside
    assert compiled.symbol.list_outputs() == net._get_graph(words, *states)[1].list_outputs()
    compiled.export(str(tmp_path / "lm"))
    loaded = gluon_neuron.load(str(tmp_path / "lm"))
    theirs, ours, again = states, states, states
    for _ in range(3):
        expected, theirs = net(words, *theirs)
        found, ours = compiled(words, *ours)
        third, again = loaded(words, *again)
        for one in (found, third):
            agree(one, expected, 1e-3, 1e-4)
