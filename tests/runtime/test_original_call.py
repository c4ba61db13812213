"""Where MXNet runs the original operators, results are as those of programs."""

from __future__ import annotations

import mxnet as mx
import pytest

from gluon_neuron.runtime.original_call import OriginalCall
from tests.agreement import agree


@pytest.fixture
def nets():
    x, weight = mx.sym.var("x"), mx.sym.var("weight")
    product = mx.sym.FullyConnected(x, weight, num_hidden=3, no_bias=True, name="product")
    symbol = mx.sym.Group([product, x, weight, product, x])
    params = mx.gluon.ParameterDict()
    params.get("weight", shape=(3, 4), init=mx.init.One())
    params.initialize()
    return OriginalCall(symbol, ["x"], params._params), params._params["weight"]


def test_results_are_arrays_of_their_own(nets):
    call, weight = nets
    x = mx.nd.ones((2, 4))
    for _ in range(2):
        found = call([x])
        kept = [f.copy() for f in found]
        for k, one in enumerate(found):
            one[:] = -1
            for other, before in zip(found[k + 1 :], kept[k + 1 :], strict=True):
                agree(other, before)
        agree(x, mx.nd.ones((2, 4)))
        agree(weight.data(), mx.nd.ones((3, 4)))
