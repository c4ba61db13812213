"""Branches and loops with a condition, written as plain operators, are what MXNet computes."""

from __future__ import annotations

import json
from typing import Any

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon
from mxnet.gluon import nn

from gluon_neuron.errors import GraphError
from gluon_neuron.graph.branches import has_branches, unbranch
from gluon_neuron.graph.merge import merge_variables
from tests.agreement import agree


class Block(gluon.HybridBlock):
    """A block whose forward is `function(F, dense, *inputs)`, with a projection of three units beside it."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function
        with self.name_scope():
            self.dense = nn.Dense(3, flatten=False, in_units=3)

    def hybrid_forward(self, F: Any, *inputs: Any) -> Any:
        return self.function(F, self.dense, *inputs)


def branch(F, dense, x, h):
    several = F.contrib.cond(F.sum(h) > 0, lambda: [dense(x), h + 1], lambda: [F.exp(dense(x)), h - 1])
    return (*several, F.contrib.cond(F.max(dense(x)) > 100, lambda: h * 2, lambda: h + 3))


def nested(F, dense, x, h):
    inner = lambda: F.contrib.cond(F.max(h) > 1, lambda: dense(h), lambda: h * 2)  # noqa: E731
    return F.contrib.cond(F.sum(x) > 0, inner, lambda: F.relu(dense(x)))


def counted(F, dense, x, h):
    def step(i, y):
        return [y * 2, i], [i + 1, F.broadcast_add(y, F.mean(dense(y))) + 1]

    outputs, states = F.contrib.while_loop(lambda i, y: F.max(i) < 3, step, [F.zeros_like(h), h], 5)
    # What MXNet leaves behind the last step is not defined.
    return (*(F.slice_axis(o, axis=0, begin=0, end=3) for o in outputs), *states)


def without_outputs(F, dense, x, h):
    test = lambda y: F.max(F.abs(y)) < 4  # noqa: E731
    return F.contrib.while_loop(test, lambda y: ([], y * 1.5 + dense(x)), h, 6)[1]


H = np.random.RandomState(1).uniform(0.5, 1, (2, 3)).astype("float32")


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("function", [branch, nested, counted, without_outputs])
def test_agrees_with_mxnet(function, sign):
    net = Block(function)
    net.initialize(mx.init.Normal(0.5))
    net.hybridize()
    arrays = [mx.nd.array(H * sign), mx.nd.array(H * sign)]
    want = net(*arrays)
    inputs, symbol = net._cached_graph
    text = unbranch(symbol.tojson())
    assert not has_branches(text)
    params = {n: p.data() for n, p in net.collect_params().items()}
    given = {**params, **dict(zip([i.name for i in inputs], arrays, strict=True))}
    plain = mx.sym.load_json(merge_variables(text))
    got = plain.bind(mx.cpu(), {n: given[n] for n in plain.list_arguments()}, grad_req="null").forward()
    agree(got, list(want) if isinstance(want, list | tuple) else [want], rtol=1e-5, atol=1e-6)


def _symbol(steps: int) -> str:
    x = mx.sym.var("x")
    return mx.sym.contrib.while_loop(lambda y: y.sum() < 9, lambda y: ([], y + 1), x, steps)[1].tojson()


def test_long_loops_stay():
    assert has_branches(_symbol(20))
    assert not has_branches(_symbol(5000))
    assert not has_branches(mx.sym.var("_cond").tojson())


def test_a_body_that_does_not_fit():
    raw = json.loads(_symbol(2))
    raw["nodes"][-1]["attrs"]["cond_input_locs"] = "[7]"
    with pytest.raises(GraphError, match="names"):
        unbranch(json.dumps(raw))
