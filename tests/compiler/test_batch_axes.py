"""dynamic_batch: what is proved agrees with MXNet for any number of samples, and what is not is refused."""

from __future__ import annotations

import pickle

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon
from mxnet.gluon import nn, rnn

import gluon_neuron
from gluon_neuron.errors import OptionError
from gluon_neuron.graph.batch import BatchAxes, OutputAxis
from gluon_neuron.stitch.metadata import Metadata
from tests.agreement import agree
from tests.static import static_programs_alone  # noqa: F401

CLOSE = {"rtol": 1e-4, "atol": 1e-5}


class Block(gluon.HybridBlock):
    """A block whose forward is `function(F, dense, *inputs)`, with a projection of four units beside it."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        with self.name_scope():
            self.dense = nn.Dense(4, flatten=False, in_units=4)

    def hybrid_forward(self, F, *inputs):
        return self.function(F, self.dense, *inputs)


class Recurrent(gluon.HybridBlock):
    """A recurrent layer that is given its first states, whose batch is axis 1 whatever the layout."""

    def __init__(self, layout, kind=rnn.LSTM):
        super().__init__()
        with self.name_scope():
            self.layer = kind(3, num_layers=2, layout=layout, input_size=4, bidirectional=True)

    def hybrid_forward(self, F, x, *states):
        y, states = self.layer(x, list(states))
        return y, *states


def filled(*shape):
    return mx.nd.array(np.random.default_rng(len(shape)).normal(size=shape))


def check(net, compiled, arrays):
    found, wanted = compiled(*arrays), net(*arrays)
    lists = [v if isinstance(v, list | tuple) else [v] for v in (found, wanted)]
    for a, b in zip(*lists, strict=True):
        assert a.dtype == b.dtype
        agree(a, b, **CLOSE)


def made(net, sample, **options):
    net.initialize(mx.init.Normal(0.5))
    net.hybridize()
    return gluon_neuron.compile(net, sample, dynamic_batch=True, **options)


def both(F, dense, x):
    y = dense(x)
    return y, F.transpose(y), F.mean(y, axis=1), F.argmax(y, axis=1), F.reshape(y, (-1,)), F.cast(y, "float64")


def attention(F, dense, x):
    y = dense(x)
    weights = F.softmax(F.batch_dot(y, y, transpose_b=True), axis=-1)
    return F.reshape(F.batch_dot(weights, y), (-1, 4)), F.reshape(y, (-1, 8))


def top(F, dense, x):
    values, places = F.topk(dense(x), k=2, ret_typ="both")
    return values, places, dense(x) > 0, F.one_hot(F.argmax(x, axis=1), 5)


def boxes(F, dense, x):
    return F.contrib.box_nms(F.relu(x), overlap_thresh=0.5, coord_start=2, score_index=1, id_index=0)


def shared(F, dense, x, y):
    return F.broadcast_mul(dense(x), F.mean(y, axis=0, keepdims=True)), F.sum(y)


def constant(F, dense, x):
    return dense(x), F.arange(5), F.ones((2, 3))


def chosen(F, dense, x, flag):
    return F.contrib.cond(F.sum(flag) > 2, lambda: dense(x), lambda: x - 1)


def positions(F, dense, x):
    return F.broadcast_add(dense(x), F.expand_dims(F.contrib.arange_like(x, axis=0), 1))


def assigned(F, dense, x):
    return F._internal._slice_assign_scalar(dense(x), 2.0, (0,), (8,), (1,))


def suppressed(F, dense, x):
    return dense(F.slice_axis(F.contrib.box_nms(F.concat(x, x, dim=1)), axis=1, begin=0, end=4))


# Name, function, the compiled shapes of its inputs, and the axis of each where its samples are.
PROVED = [
    ("rows", both, [(2, 4)], (0,)),
    ("rows, one sample", both, [(1, 4)], (0,)),
    ("as many samples as columns", both, [(4, 4)], (0,)),
    ("several rows a sample", attention, [(2, 6, 4)], (0,)),
    ("order", top, [(3, 4)], (0,)),
    ("boxes in MXNet", boxes, [(2, 5, 6)], (0,)),
    ("mean over the first axis", lambda F, d, x: F.mean(d(x), axis=0), [(3, 2, 4)], (1,)),
    ("softmax over the first axis", lambda F, d, x: F.softmax(d(x), axis=0), [(3, 2, 4)], (1,)),
    ("what all samples share", shared, [(2, 4), (3, 4)], (0, None)),
    ("what depends on nothing", constant, [(2, 4)], (0,)),
    ("a branch by what all share", chosen, [(2, 4), (3,)], (0, None)),
    ("time in front of one input", lambda F, d, x, y: d(x) + F.sum(y, axis=0), [(2, 4), (3, 2, 4)], (0, 1)),
    ("resized", lambda F, d, x: F.contrib.BilinearResize2D(x, height=5, width=3), [(2, 1, 4, 4)], (0,)),
]


@pytest.mark.parametrize(("name", "function", "shapes", "axes"), PROVED, ids=[p[0] for p in PROVED])
def test_what_is_proved(name, function, shapes, axes):
    net = Block(function)
    compiled = made(net, [filled(*s) for s in shapes])
    assert compiled._metadata.batch_axes.inputs == axes
    for count in (1, 2, 5, 7):
        given = [filled(*(count if i == a else n for i, n in enumerate(s))) for s, a in zip(shapes, axes, strict=True)]
        check(net, compiled, given)


MEET = [
    ("softmax over the batch", lambda F, d, x: F.softmax(d(x), axis=0), "softmax"),
    ("batch statistics", lambda F, d, x: F.broadcast_sub(d(x), F.mean(x, axis=0, keepdims=True)), "mean"),
    ("a mean over everything", lambda F, d, x: F.mean(d(x)), "mean"),
    ("a part of the batch", lambda F, d, x: F.slice_axis(d(x), axis=0, begin=0, end=1), "slice"),
    ("the last sample", lambda F, d, x: F.slice_axis(d(x), axis=0, begin=-1, end=None), "slice"),
    ("the first eight", lambda F, d, x: F.slice(d(x), begin=(0,), end=(8,)), "slice"),
    ("the first million", lambda F, d, x: F.slice(d(x), begin=(None,), end=(10**6,)), "slice"),
    (
        "a line of the first eight",
        lambda F, d, x: F._internal._slice_assign_scalar(d(x), 2.0, (0,), (8,), (1,)),
        "slice",
    ),
    ("reversed", lambda F, d, x: F.reverse(d(x), axis=0), "reverse"),
    ("a sum over the batch", lambda F, d, x: F.cumsum(d(x), axis=0), "cumsum"),
    ("products of samples", lambda F, d, x: F.dot(x, x, transpose_b=True), "dot"),
    ("ranks", lambda F, d, x: d(F.argsort(x, axis=0)), "argsort"),
    ("a fixed number of rows", lambda F, d, x: F.reshape(d(x), (2, -1)), "eshape"),
    ("an axis of one that goes", lambda F, d, x: F.squeeze(d(x)), "squeeze"),
    (
        "positions in the batch",
        lambda F, d, x: F.broadcast_add(d(x), F.contrib.arange_like(x, axis=0).expand_dims(1)),
        "",
    ),
    ("one size only", lambda F, d, x: d(x) + F.ones((2, 4)), "plus"),
    ("branches by the data", lambda F, d, x: F.contrib.cond(F.max(x) > 0, lambda: d(x), lambda: x), "max"),
    ("rows that fit", lambda F, d, x: F.contrib.boolean_mask(x, F.sum(x, axis=1) > 0), "boolean_mask"),
    (
        "its batch stays in MXNet",
        lambda F, d, x: d(F.contrib.box_nms(F.concat(x, x, dim=1)).slice_axis(1, 0, 4)),
        "box_nms",
    ),
    ("random", lambda F, d, x: F.broadcast_add(d(x), F.random.normal(shape=(1, 4))), "random"),
    (
        "positions beyond what is looked at",
        lambda F, d, x: F.broadcast_add(
            d(x), F.expand_dims(F.clip(F.contrib.arange_like(F.sum(x, axis=1)) - 2000, 0, 9), 1)
        ),
        "number of samples",
    ),
    (
        "a number with a limit",
        lambda F, d, x: F.broadcast_mul(
            d(x), F.clip(F.cast(F.slice_axis(F.shape_array(x), axis=0, begin=0, end=1), "float32"), 5000, 9000)
        ),
        "number of samples",
    ),
    (
        "a count with a limit",
        lambda F, d, x: F.broadcast_mul(d(x), F.clip(F.sum(F.ones_like(x)), 5000, 9000)),
        "number of samples",
    ),
    ("a count with a limit alone", lambda F, d, x: [d(x), F.clip(F.sum(F.ones_like(x)), 5000, 9000)], ""),
    (
        "a table that is cut",
        lambda F, d, x: F.broadcast_mul(
            d(x), F.slice_like(F.clip(F.reshape(F.arange(6000), (6000, 1)) - 3000, 1, 9), x, axes=(0,))
        ),
        "number of samples",
    ),
    ("pairs of samples", lambda F, d, x: F.mean(F.reshape(d(x), (-1, 2, 4)), axis=1), ""),
]


@pytest.mark.parametrize(("name", "function", "blamed"), MEET, ids=[m[0] for m in MEET])
def test_what_is_refused(name, function, blamed):
    net = Block(function)
    with pytest.raises(OptionError, match="Option dynamic_batch") as caught:
        made(net, filled(2, 4))
    assert blamed in str(caught.value) and "batch_sizes" in str(caught.value)
    with pytest.raises(OptionError, match="Option dynamic_batch"):
        gluon_neuron.analyze(net, filled(2, 4), dynamic_batch=True)


@pytest.mark.parametrize("layout", ["TNC", "NTC"])
@pytest.mark.parametrize("kind", [rnn.LSTM, rnn.GRU, rnn.RNN])
def test_recurrent_layers(layout, kind):
    net = Recurrent(layout, kind)
    batch = layout.find("N")

    def given(count):
        states = [filled(4, count, 3)] * (2 if kind is rnn.LSTM else 1)
        return [filled(*((5, count, 4) if batch else (count, 5, 4))), *states]

    compiled = made(net, given(2))
    axes = compiled._metadata.batch_axes
    assert axes.inputs == (batch, *[1] * (len(given(2)) - 1))
    assert [o.axis for o in axes.outputs] == [batch, *[1] * (len(given(2)) - 1)]
    for count in (1, 2, 5):
        check(net, compiled, given(count))


def test_calls_that_differ_in_more_than_the_batch():
    net = Block(attention)
    compiled = made(net, filled(2, 6, 4))
    for shape in ((3, 8, 4), (2, 2, 4), (1, 6, 4), (6, 2, 4)):
        check(net, compiled, [filled(*shape)])


@pytest.mark.parametrize("is_np", [False, True], ids=["nd", "np"])
def test_files(tmp_path, is_np):
    with mx.util.np_shape(is_np), mx.util.np_array(is_np):
        net = rnn.GRU(4, input_size=3)
        compiled = made(net, mx.np.ones((5, 2, 3)) if is_np else filled(5, 2, 3))
        x = mx.np.random.uniform(size=(5, 7, 3)) if is_np else filled(5, 7, 3)
        compiled.export(tmp_path / "net")
        for model in (compiled, gluon_neuron.load(tmp_path / "net"), pickle.loads(pickle.dumps(compiled))):
            assert model._metadata.batch_axes == BatchAxes((1,), (OutputAxis(1, 1),), 2)
            check(net, model, [x])
        names = str(tmp_path / "net-symbol.json"), compiled.input_names, str(tmp_path / "net-0000.params")
        check(net, gluon.SymbolBlock.imports(names[0], list(names[1]), names[2]), [x])


def test_dtypes():
    def several(F, dense, x, mask):
        kinds = ("int8", "uint8", "int32", "int64", "float16", "float64")
        return (x > 0, F.np.argmax(x, axis=1), *(x.astype(k) for k in kinds), F.np.where(mask, dense(x), x))

    with mx.util.np_shape(True), mx.util.np_array(True):
        net = Block(several)
        values = np.random.default_rng(0).uniform(0, 9, (5, 4)).astype("float32")
        x, y = mx.np.array(values[:2]), mx.np.array(values)
        compiled = made(net, [x, x > 1])
        check(net, compiled, [y, y > 1])
        assert len({str(a.dtype) for a in compiled(y, y > 1)}) == 8
        net = Block(lambda F, d, x, mask: (F.np.where(mask, d(F.npx.softmax(x, axis=0)), x), x > 2))
        x, y = (mx.np.array(np.stack([v] * 3)) for v in (values[:2], values))
        compiled = made(net, [x, x > 1])
        assert compiled._metadata.batch_axes.inputs == (1, 1)
        check(net, compiled, [y, y > 1])


def test_where_the_samples_lie_is_said(caplog):
    made(Block(lambda F, d, x: d(F.softmax(x, axis=0))), filled(3, 2, 4))
    assert "axis 1 of 'data'" in caplog.text and "softmax" in caplog.text
    caplog.clear()
    made(Block(lambda F, d, x: d(F.softmax(x, axis=1))), filled(3, 2, 4))
    assert not caplog.records


def test_baked_weights():
    net = Block(attention)
    compiled = made(net, filled(2, 6, 4), inline_weights=True)
    for count in (1, 5):
        check(net, compiled, [filled(count, 6, 4)])


def test_symbols_and_other_ways_in():
    x = mx.sym.var("x")
    apart, meet = mx.sym.relu(x * 2), mx.sym.softmax(mx.sym.softmax(x, axis=0))
    assert gluon_neuron.compile(apart, {"x": filled(2, 4)}, args={}, dynamic_batch=True)
    with pytest.raises(OptionError, match="softmax"):
        gluon_neuron.compile(meet, {"x": filled(2, 4)}, args={}, dynamic_batch=True)
    net = Block(lambda F, d, x: F.softmax(d(x), axis=0))
    net.initialize()
    with pytest.raises(Exception, match="Option dynamic_batch"):
        net.optimize_for(filled(2, 4), backend="neuron", dynamic_batch=True)


def test_models_of_a_release_that_proved_nothing():
    net = Block(lambda F, d, x: F.transpose(d(x)))
    compiled = made(net, filled(2, 4))
    text = compiled._metadata.to_json()
    old = Metadata.from_json(text.replace("batch_axes", "other"))
    assert old.dynamic_batch and old.batch_axes is None and Metadata.from_json(text) == compiled._metadata
    compiled._metadata = old
    check(net, compiled, [filled(5, 4)])
