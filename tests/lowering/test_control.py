"""Loops by F.contrib.foreach compile into one region that agrees with MXNet."""

from __future__ import annotations

from typing import Any

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.errors import BlockError
from tests.agreement import agree


class Block(gluon.HybridBlock):
    """A block whose forward is `function(F, dense, *inputs)`, with a projection to three units beside it."""

    def __init__(self, function: Any, units: int = 4) -> None:
        super().__init__()
        self.function = function
        with self.name_scope():
            self.dense = nn.Dense(3, flatten=False, in_units=units)

    def hybrid_forward(self, F: Any, *inputs: Any) -> Any:
        found = self.function(F, self.dense, *inputs)
        # An output of the loop itself would keep it in MXNet, as nothing else can give it its name.
        return [y * 2 for y in found] if isinstance(found, list | tuple) else found * 2


def recurrence(F, dense, x, h):
    def body(step, states):
        y = F.tanh(dense(step) + states[0] * 0.5)
        return [y, y * 2], [y, states[1] + 1]

    outputs, states = F.contrib.foreach(body, x, [h, F.zeros_like(h)])
    return (*outputs, *states)


def two_sequences(F, dense, x, h):
    def body(step, state):
        a, b = step
        return dense(a) - F.slice_axis(b, 1, 0, 3), F.broadcast_mul(state, F.mean(a))

    outputs, state = F.contrib.foreach(body, [x, F.relu(x)], h)
    return outputs, state


def no_outputs(F, dense, x, h):
    return F.contrib.foreach(lambda step, state: ([], F.broadcast_add(dense(step), state)), x, h)[1]


def nested(F, dense, x, h):
    def body(step, state):
        inner, last = F.contrib.foreach(lambda row, s: (row + s, s * 0.5), dense(step), F.sum(state, axis=0))
        return inner, F.broadcast_add(state, last)

    return F.contrib.foreach(body, x, h)


def compiled(function: Any, *inputs: np.ndarray) -> tuple[Any, list[Any], list[Any]]:
    """A compiled block, what it gives, and what MXNet gives."""
    net = Block(function)
    net.initialize(mx.init.Normal(0.5))
    arrays = [mx.nd.array(v) for v in inputs]
    net.hybridize()
    want = net(*arrays)
    new = gluon_neuron.compile(net, arrays)
    got = new(*arrays)
    return new, *(
        [v.asnumpy() for v in (found if isinstance(found, list | tuple) else [found])] for found in (got, want)
    )


X = np.random.RandomState(0).uniform(-1, 1, (5, 2, 4)).astype("float32")
H = np.random.RandomState(1).uniform(-1, 1, (2, 3)).astype("float32")


@pytest.mark.parametrize("function", [recurrence, two_sequences, no_outputs, nested])
def test_one_region_agrees_with_mxnet(function):
    new, got, want = compiled(function, X, H)
    report = new.report
    assert len(report.regions) == 1 and not report.outside, str(report)
    for a, b in zip(got, want, strict=True):
        agree(a, b, rtol=1e-5, atol=1e-6)


def test_repeated_batch_normalisation_has_auxiliary_states():
    class Net(gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            with self.name_scope():
                self.norm = nn.BatchNorm(in_channels=4)

        def hybrid_forward(self, F, x):
            x = F.FullyConnected(x, F.eye(4), no_bias=True, num_hidden=4, flatten=False)
            return (
                F.contrib.foreach(lambda step, s: (F.broadcast_mul(self.norm(step), s), s + 1), x, F.ones((1,)))[0] * 2
            )

    net = Net()
    net.initialize(mx.init.Normal(0.5))
    net.norm.running_mean.set_data(mx.nd.array([1, 2, 3, 4]))
    new = gluon_neuron.compile(net, mx.nd.array(X))
    assert not new.report.outside, str(new.report)
    agree(new(mx.nd.array(X)), net(mx.nd.array(X)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (
            lambda F, dense, x, h: F.contrib.foreach(lambda a, s: (dense(a), s + F.random.normal(shape=(2, 3))), x, h)[
                0
            ],
            "random",
        ),
        (
            lambda F, dense, x, h: F.contrib.foreach(lambda a, s: (dense(a), s), F.tile(x, (600, 1, 1)), h)[0],
            "unrolled",
        ),
    ],
)
def test_refusals(function, words):
    net = Block(function)
    net.initialize()
    report = gluon_neuron.analyze(net, [mx.nd.array(X), mx.nd.array(H)])
    assert any(o.op == "_foreach" and words in o.sentence for o in report.outside), str(report)


def choosing(F, step, state):
    y = F.contrib.cond(F.sum(step) > 0, lambda: step * 2, lambda: step - 1)
    return y, state


def choosing_what_is_added(F, step, state):
    y = F.contrib.cond(F.sum(step) > 0, lambda: step * 2, lambda: step - 1) + step
    return y, state + 1


def choosing_by_where(F, step, state):
    y = F.where(step > 0, step * 2, step - 1)
    return y, state + y


def looping(F, step, state):
    _, (y,) = F.contrib.while_loop(lambda y: F.sum(y) < 3, lambda y: ([], [y + 1]), [step], 4)
    return y, state


def choosing_within(F, step, state):
    return F.contrib.foreach(lambda row, s: choosing(F, row, s), step, state)


@pytest.mark.parametrize("body", [choosing, choosing_what_is_added, choosing_by_where, looping, choosing_within])
def test_a_foreach_is_refused_where_mxnet_runs_none(body):
    def function(F, dense, x, h):
        return F.contrib.foreach(lambda step, state: body(F, step, state), x, h)[0]

    net, arrays = Block(function), [mx.nd.array(X), mx.nd.array(X[0] if body is not choosing_within else X[0, 0])]
    net.initialize()
    eager = net(*arrays)
    net.hybridize()
    try:
        want = net(*arrays)
        mx.nd.waitall()
    except mx.base.MXNetError:
        for verb in (gluon_neuron.compile, gluon_neuron.analyze):
            with pytest.raises(BlockError, match=r"_foreach.*choose with F\.where"):
                verb(net, arrays)
        return
    agree(gluon_neuron.compile(net, arrays)(*arrays), want, 1e-5, 1e-6)
    agree(want, eager, 1e-5, 1e-6)
