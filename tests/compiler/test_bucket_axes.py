"""Option buckets: results agree with MXNet for every extent, and padding that would change them is refused."""

from __future__ import annotations

import logging
import pickle

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon
from mxnet.gluon import nn, rnn

import gluon_neuron
from gluon_neuron.engine import native_library
from gluon_neuron.errors import InputError, OptionError
from gluon_neuron.runtime import background
from tests.agreement import agree
from tests.nets import CLOSE, Split, conv_net, images, initialized


class Block(gluon.HybridBlock):
    """A block whose forward is `function(F, dense, *inputs)`, with a projection of four units beside it."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        with self.name_scope():
            self.dense = nn.Dense(4, flatten=False, in_units=4)

    def hybrid_forward(self, F, *inputs):
        return self.function(F, self.dense, *inputs)


class Language(gluon.HybridBlock):
    """Words, a recurrent layer in the layout TNC, and a score for each word."""

    def __init__(self, kind=rnn.LSTM, **more):
        super().__init__()
        with self.name_scope():
            self.embedding = nn.Embedding(20, 6)
            self.layer = kind(5, num_layers=2, input_size=6, **more)
            self.scores = nn.Dense(20, flatten=False)

    def hybrid_forward(self, F, words):
        return self.scores(self.layer(self.embedding(words)))


class Masked(gluon.HybridBlock):
    """Attention over the words in front of a valid length."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.embedding = nn.Embedding(20, 4)
            self.dense = nn.Dense(4, flatten=False, in_units=4)

    def hybrid_forward(self, F, words, lengths):
        y = self.dense(self.embedding(words))
        scores = F.batch_dot(y, y, transpose_b=True)
        steps = F.contrib.arange_like(words, axis=1)
        mask = F.broadcast_lesser(F.reshape(steps, (1, 1, -1)), F.reshape(lengths, (-1, 1, 1)))
        weights = F.softmax(F.broadcast_add(scores, (1 - F.cast(mask, "float32")) * -1e9), axis=-1)
        return F.SequenceMask(
            F.batch_dot(weights, y), sequence_length=lengths, use_sequence_length=True, axis=1
        ), weights


def filled(*shape):
    return mx.nd.array(np.random.default_rng(sum(shape)).normal(size=shape))


def words(*shape):
    return mx.nd.array(np.random.default_rng(sum(shape)).integers(0, 20, shape), dtype="int32")


def made(net, sample, **options):
    net.initialize(mx.init.Normal(0.5))
    net.hybridize()
    return gluon_neuron.compile(net, sample, dynamic=False, **options)


def flat(results):
    return results if isinstance(results, list | tuple) else [results]


def check(net, compiled, *arrays):
    for a, b in zip(flat(compiled(*arrays)), flat(net(*arrays)), strict=True):
        agree(a, b, **CLOSE)


def in_bucket(net, compiled, *arrays):
    """It agrees with MXNet, and only programs that were compiled beforehand ran."""
    before = native_library.stats()
    check(net, compiled, *arrays)
    after = native_library.stats()
    assert after["specialisations"] == before["specialisations"]
    assert after["calls"] > before["calls"]


def both(F, dense, x):
    y = dense(x)
    return y, F.transpose(y), F.mean(y, axis=2), F.softmax(y, axis=-1), F.cast(y > 0, "int32")


def positions(F, dense, x):
    steps = F.reshape(F.contrib.arange_like(x, axis=1), (1, -1, 1))
    return F.broadcast_add(dense(x), F.sin(steps * 0.3)), F.cumsum(x, axis=1)


def normalized(F, dense, x):
    return F.LayerNorm(dense(x), F.ones((4,)), F.zeros((4,)), axis=-1), F.reshape(x, (0, -1))


# Name, function, the sample's shape, buckets, and the extents of calls.
PROVED = [
    ("the batch", both, (2, 3, 4), {0: [1, 4, 8]}, [{0: n} for n in (1, 2, 3, 5, 8)]),
    ("a length", both, (2, 8, 4), {1: [8, 16]}, [{1: n} for n in (1, 7, 8, 9, 16)]),
    ("both", both, (2, 8, 4), {0: [1, 4], 1: [8, 16]}, [{0: a, 1: b} for a, b in ((1, 3), (3, 9), (4, 16), (2, 8))]),
    ("steps that are counted", positions, (2, 8, 4), {1: [8, 16]}, [{1: n} for n in (3, 8, 11)]),
    ("rows", normalized, (2, 8, 4), {-2: [4, 8]}, [{1: n} for n in (1, 5)]),
    ("softmax over the batch", lambda F, d, x: F.softmax(d(x), axis=0), (2, 8, 4), {1: [8, 12]}, [{1: 9}]),
    ("of one step", both, (2, 1, 4), {1: [4]}, [{1: 2}]),
]


@pytest.mark.parametrize(("function", "shape", "axes", "calls"), [p[1:] for p in PROVED], ids=[p[0] for p in PROVED])
def test_what_is_proved(function, shape, axes, calls):
    net = Block(function)
    compiled = made(net, filled(*shape), buckets={"data": axes}, strict=True)
    for call in calls:
        in_bucket(net, compiled, filled(*(call.get(k, n) for k, n in enumerate(shape))))


def from_the_end(F, x):
    steps = F.contrib.arange_like(x, axis=1)
    return F.reshape(F.broadcast_sub(F.max(steps, axis=0, keepdims=True), steps), (1, -1, 1))


# Name, function, and the operator that is to be blamed. Along axis 1 padding changes their numbers.
MEET = [
    ("softmax", lambda F, d, x: F.softmax(d(x), axis=1), "softmax"),
    ("a mean", lambda F, d, x: F.mean(d(x), axis=1), "mean"),
    ("a mean that is taken off", lambda F, d, x: F.broadcast_sub(x, F.mean(d(x), axis=1, keepdims=True)), "mean"),
    ("the largest", lambda F, d, x: F.max(d(x), axis=1), "max"),
    ("norms over all steps", lambda F, d, x: F.L2Normalization(d(x)), "L2Normalization"),
    ("attention", lambda F, d, x: F.softmax(F.batch_dot(d(x), x, transpose_b=True), axis=-1), "dot"),
    ("reversed", lambda F, d, x: F.reverse(d(x), axis=1), "reverse"),
    ("a sum from the end", lambda F, d, x: F.reverse(F.cumsum(F.reverse(x, axis=1), axis=1), axis=1), "reverse"),
    ("the last step", lambda F, d, x: F.slice_axis(d(x), axis=1, begin=-1, end=None), "slice"),
    ("the first three", lambda F, d, x: F.slice_axis(d(x), axis=1, begin=0, end=3), "slice"),
    ("the next step", lambda F, d, x: F.slice_axis(d(x), axis=1, begin=1, end=None), "slice"),
    ("order", lambda F, d, x: F.sort(d(x), axis=1), "sort"),
    ("the best step", lambda F, d, x: F.argmax(d(x), axis=1), "argmax"),
    ("their number", lambda F, d, x: F.broadcast_mul(d(x), F.sum(F.ones_like(x), axis=1, keepdims=True)), ""),
    ("steps from the end", lambda F, d, x: F.broadcast_add(d(x), from_the_end(F, x)), "max"),
    ("pairs of steps", lambda F, d, x: F.mean(F.reshape(d(x), (0, -1, 2, 4)), axis=2), ""),
    ("all in one row", lambda F, d, x: F.reshape(d(x), (-1, 4)), "eshape"),
    ("steps twice", lambda F, d, x: F.concat(x, d(x), dim=1), "concat"),
    ("random", lambda F, d, x: F.broadcast_add(d(x), F.random.normal(shape=(1, 1, 4))), "random"),
]


@pytest.mark.parametrize(("name", "function", "blamed"), MEET, ids=[m[0] for m in MEET])
def test_what_is_refused(name, function, blamed):
    net = Block(function)
    with pytest.raises(OptionError, match="Option buckets pads axis 1 of 'data', and it is not proved") as caught:
        made(net, filled(2, 8, 4), buckets={0: {1: [8, 16]}})
    assert blamed in str(caught.value) and "padding={'data': {1: 0}}" in str(caught.value)
    assert "samples" not in str(caught.value)
    with pytest.raises(OptionError, match="it is not proved"):
        gluon_neuron.analyze(net, filled(2, 8, 4), buckets={0: {1: [8, 16]}})


@pytest.mark.parametrize("axis", [2, 3])
def test_neighbours_meet_in_convolutions(axis):
    """At the edge, MXNet pads with zeros, and not with what a bucket is padded with."""
    net = initialized(nn.Conv2D(3, 3, padding=1), images(1, 8))
    with pytest.raises(OptionError, match="onvolution"):
        gluon_neuron.compile(net, images(1, 8), buckets={"data": {axis: [8, 16]}})
    compiled = gluon_neuron.compile(net, images(1, 8), buckets={"data": {0: [1, 4]}}, dynamic=False)
    in_bucket(net, compiled, images(3, 8))


def test_batch_norms_are_for_inference():
    net = conv_net()
    compiled = gluon_neuron.compile(net, images(2), buckets={"data": {0: [2, 8]}}, dynamic=False)
    for count in (1, 2, 3, 8):
        in_bucket(net, compiled, images(count))
    net = initialized(nn.BatchNorm(axis=2), filled(2, 8, 4))
    compiled = gluon_neuron.compile(net, filled(2, 8, 4), buckets={"data": {1: [16]}}, dynamic=False, strict=True)
    check(net, compiled, filled(2, 11, 4))


@pytest.mark.parametrize("kind", [rnn.LSTM, rnn.GRU, rnn.RNN])
@pytest.mark.parametrize("layout", ["TNC", "NTC"])
def test_recurrent_layers_forward(kind, layout):
    net = Language(kind, layout=layout)
    time = layout.find("T")
    compiled = made(net, words(8, 8), buckets={"data": {time: [4, 8], 1 - time: [8]}})
    for steps in (1, 3, 4, 6, 8):
        shape = [8, 8]
        shape[time] = steps
        in_bucket(net, compiled, words(*shape))


def test_recurrent_layers_in_both_directions():
    with pytest.raises(OptionError, match="axis 0 of 'data', and it is not proved"):
        made(Language(bidirectional=True), words(8, 2), buckets={"data": {0: [4, 8]}})
    net = Language(bidirectional=True)
    compiled = made(net, words(8, 2), buckets={"data": {1: [2, 4]}})
    in_bucket(net, compiled, words(8, 3))


def test_last_states_follow_from_all_steps():
    class Last(gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            with self.name_scope():
                self.layer = rnn.GRU(3, input_size=4)

        def hybrid_forward(self, F, x, state):
            y, states = self.layer(x, [state])
            return y, states[0]

    with pytest.raises(OptionError, match="axis 0 of 'data0', and it is not proved"):
        made(Last(), (filled(8, 2, 4), filled(1, 2, 3)), buckets={"data0": {0: [4, 8]}})


def test_a_length_that_two_inputs_share():
    net = Block(lambda F, d, x, y: (F.broadcast_mul(d(x), F.expand_dims(y, 2)), y + 1))
    axes = {1: [4, 8]}
    compiled = made(net, (filled(2, 8, 4), filled(2, 8)), buckets={"data0": axes, "data1": axes}, strict=True)
    assert len(compiled.report.static_shapes) == 2
    for n in (1, 4, 7):
        in_bucket(net, compiled, filled(2, n, 4), filled(2, n))
    (axis,) = compiled.report.buckets
    assert axis.axes == (("data0", 1), ("data1", 1)) and axis.extents == (4, 8)
    with pytest.raises(OptionError, match="Option padding names axis 1 of 'data0', .* axis 1 of 'data1': name both"):
        made(net, (filled(2, 8, 4), filled(2, 8)), buckets={"data0": axes, "data1": axes}, padding={"data0": [1]})
    with pytest.raises(InputError, match="has a bucket for data0 .2, 4, 4., data1 .2, 8."):
        made(net, (filled(2, 8, 4), filled(2, 8)), buckets={"data0": axes})


def test_lengths_of_two_inputs_that_differ():
    net = Block(lambda F, d, x, y: (d(x), d(y)))
    axes = {1: [4, 8]}
    compiled = made(net, (filled(2, 8, 4), filled(2, 8, 4)), buckets={0: axes, 1: axes}, strict=True)
    assert len(compiled.report.static_shapes) == 4 and len(compiled.report.buckets) == 2
    for one, other in ((3, 5), (8, 2), (4, 4)):
        in_bucket(net, compiled, filled(2, one, 4), filled(2, other, 4))


def test_a_valid_length_is_declared():
    net = Masked()
    sample = words(2, 8), mx.nd.array([8, 5], dtype="int32")
    axes = {"data0": {0: [2, 4], 1: [8, 16]}, "data1": {0: [2, 4]}}
    with pytest.raises(OptionError, match="axis 1 of 'data0', and it is not proved.*padding={'data0': {1: 0}}"):
        made(net, sample, buckets=axes)
    compiled = made(net, sample, buckets=axes, padding={"data0": {1: 7}}, strict=True)
    for shape, lengths in (((2, 3), [3, 1]), ((3, 9), [9, 1, 4]), ((4, 16), [16, 2, 8, 1]), ((1, 8), [6])):
        in_bucket(net, compiled, words(*shape), mx.nd.array(lengths, dtype="int32"))
    assert "axis 1 of data0: 8, 16; padded with 7, which is declared to be harmless." in str(compiled.report)
    assert "axis 0 of data0 and axis 0 of data1: 2, 4; padding is proved to be harmless." in str(compiled.report)


# What is declared is believed; but results are cut only where it is known how.
CUT = [
    ("two for one", lambda F, d, x: F.repeat(x, repeats=2, axis=1), "does not follow it step by step"),
    ("every other", lambda F, d, x: F.slice(d(x), (None, None), (None, None), (None, 2)), "does not follow it step"),
    ("one more", lambda F, d, x: F.concat(x, F.slice_axis(x, axis=1, begin=0, end=1), dim=1), "step by step"),
    ("with the batch", lambda F, d, x: F.reshape(d(x), (-1, 4)), "otherwise for other extents"),
]


@pytest.mark.parametrize(("name", "function", "why"), CUT, ids=[c[0] for c in CUT])
def test_what_cannot_be_cut(name, function, why):
    with pytest.raises(OptionError, match=f"Option buckets pads.*{why}"):
        made(Block(function), filled(2, 8, 4), buckets={0: {0: [2, 4], 1: [8, 16]}}, padding={0: [1]})


def test_what_is_cut_by_inference():
    net = Block(lambda F, d, x: (F.slice_axis(d(x), axis=1, begin=2, end=None), F.batch_dot(x, x, transpose_b=True)))
    compiled = made(net, filled(2, 8, 4), buckets={0: {1: [8, 16]}}, padding={0: [1]}, strict=True)
    for n in (3, 9, 16):
        in_bucket(net, compiled, filled(2, n, 4))
    with pytest.raises(InputError, match="No bucket holds"):
        compiled(filled(2, 2, 4))  # MXNet takes none that short


def test_calls_beyond_the_largest(caplog):
    net = Block(both)
    compiled = made(net, filled(2, 8, 4), buckets={0: {1: [8]}})
    with caplog.at_level(logging.WARNING):
        for n in (9, 9, 12):
            check(net, compiled, filled(2, n, 4))
    assert background.wait(5)
    said = [r for r in caplog.records if "No bucket holds" in r.getMessage()]
    assert len(said) == 1 and "axis 1 of 'data': 8" in said[0].getMessage()
    strict = made(net, filled(2, 8, 4), buckets={0: {1: [8]}}, strict=True)
    for given in (filled(2, 9, 4), filled(3, 8, 4), filled(2, 8, 4).astype("float64").slice_axis(1, 0, 5)):
        with pytest.raises(InputError, match="No bucket holds a call with 'data' float.*strict forbids"):
            strict(given)
    check(net, strict, filled(2, 5, 4))


def test_larger_batches_in_parts():
    net = Block(both)
    compiled = made(net, filled(2, 8, 4), buckets={0: {0: [2, 4]}}, dynamic_batch=True, strict=True)
    for count in (1, 3, 4, 5, 7):
        in_bucket(net, compiled, filled(count, 8, 4))


@pytest.mark.parametrize("is_np", [False, True], ids=["nd", "np"])
def test_files(tmp_path, is_np):
    with mx.util.np_shape(is_np), mx.util.np_array(is_np):
        net = nn.Dense(3, flatten=False, in_units=4)
        given = [mx.np.random.uniform(size=(2, n, 4)) if is_np else filled(2, n, 4) for n in (8, 5, 11)]
        compiled = made(net, given[0], buckets={"data": {1: [8, 16]}}, padding={"data": {1: 0.5}}, strict=True)
        compiled.export(tmp_path / "net")
        for model in (compiled, gluon_neuron.load(tmp_path / "net"), pickle.loads(pickle.dumps(compiled))):
            assert model._metadata == compiled._metadata and model.report.buckets == compiled.report.buckets
            for array in given:
                in_bucket(net, model, array)
            with pytest.raises(InputError, match="No bucket holds"):
                model(given[0][:1])


def test_several_regions_and_symbols():
    net = initialized(Split(), images(1, 8))
    compiled = gluon_neuron.compile(net, images(1, 8), buckets={"data": {0: [1, 4]}}, dynamic=False, strict=True)
    assert len(compiled.report.regions) == 2
    in_bucket(net, compiled, images(3, 8))
    x = mx.sym.var("x")
    with pytest.raises(OptionError, match="softmax"):
        gluon_neuron.compile(mx.sym.softmax(x * 2, axis=0), {"x": filled(2, 4)}, args={}, buckets={"x": {0: [4]}})


def test_baked_weights():
    net = Block(both)
    compiled = made(net, filled(2, 8, 4), buckets={0: {1: [8, 16]}}, inline_weights=True)
    for n in (5, 12):
        in_bucket(net, compiled, filled(2, n, 4))


def test_new_weights():
    net = Block(both)
    compiled = made(net, filled(2, 8, 4), buckets={0: {1: [8, 16]}})
    for _ in range(2):
        for n in (5, 12):
            in_bucket(net, compiled, filled(2, n, 4))
        net.dense.weight.set_data(net.dense.weight.data() + 1)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"buckets": {"dato": {1: [8]}}}, "Option buckets names 'dato'; the inputs are data. Did you mean 'data'"),
        ({"buckets": {1: {1: [8]}}}, "Option buckets names input 1, and the model takes 1"),
        ({"buckets": {"data": {3: [8]}}}, "Option buckets names axis 3 of 'data', whose shape is .2, 8, 4."),
        ({"buckets": {"data": {1: [8], -2: [8]}}}, "Option buckets names axis 1 of 'data' twice"),
        (
            {"buckets": {"data": {1: [8]}}, "padding": {"data": [0]}},
            "Option padding names axis 0 of 'data', which is no",
        ),
        (
            {"padding": {"data": [0]}},
            "Option padding says how the axes of option buckets are padded, and there are none",
        ),
        ({"buckets": {"data": {0: range(1, 11), 1: range(1, 11)}}}, "gives 10 times 10 programs, and 64 is the most"),
    ],
)
def test_what_does_not_fit_the_model(options, why):
    with pytest.raises(OptionError, match=why):
        made(Block(both), filled(2, 8, 4), **options)


def test_numbers_that_an_input_does_not_hold():
    with pytest.raises(OptionError, match="pads 'data', which is int32, with 0.5"):
        made(Language(), words(8, 2), buckets={"data": {0: [8]}}, padding={"data": {0: 0.5}})
