"""A session follows its parameters and leaves no weight in a layout that has to be copied at each call."""

import mxnet as mx
import numpy as np
import pytest

from gluon_neuron.engine import native_library
from gluon_neuron.graph.spec import Spec
from gluon_neuron.runtime.session import Session
from tests.agreement import agree
from tests.runtime import tiny


@pytest.fixture
def parts():
    region = tiny.dense(inputs=160, units=128)
    artifact = region.artifact()
    params = tiny.parameters(region, artifact)
    return region, tiny.node(region, artifact), params


def session(symbol, params, shape=(2, 160)):
    return Session(symbol, ["data"], [Spec(shape, "float32")], params._params, mx.cpu(), False)


def test_results_are_arrays_of_their_own(parts):
    region, symbol, params = parts
    bound = session(symbol, params)
    plain = tiny.block(region.symbol, params, None)
    inputs = [mx.nd.random.normal(shape=(2, 160)) for _ in range(5)]
    found = [bound.run([x])[0] for x in inputs]  # nothing is waited for
    for x, y in zip(inputs, found):
        agree(y, plain(x), 1e-3, 1e-3)


def test_is_current_until_an_array_is_replaced(parts):
    _, symbol, params = parts
    bound = session(symbol, params)
    params._params["weight"].set_data(mx.nd.ones((128, 160)))
    assert bound.is_current()
    params._params["weight"].initialize(force_reinit=True)
    assert not bound.is_current()
    assert session(symbol, params).is_current()


def test_blocked_weights_are_laid_out_once():
    conv = tiny.Region(
        mx.sym.Convolution(mx.sym.var("data"), mx.sym.var("w"), no_bias=True, kernel=(3, 3), num_filter=32, name="c"),
        {"data": ((1, 32, 8, 8), "float32")},
        {"w": np.random.normal(size=(32, 32, 3, 3)).astype("float32")},
        lambda p: [tiny.ov.convolution(p["data"], p["w"], [1, 1], [0, 0], [0, 0], [1, 1])],
    )
    artifact = conv.artifact()
    params = tiny.parameters(conv, artifact)
    original = tiny.block(conv.symbol, params, None)
    bound = session(tiny.node(conv, artifact), params, (1, 32, 8, 8))
    x = mx.nd.random.normal(shape=(1, 32, 8, 8))
    risen = []
    for _ in range(3):
        expected = original(x).asnumpy()  # leaves the weight in a blocked layout
        before = native_library.relayouts()
        for _ in range(10):
            agree(bound.run([x])[0], expected, 1e-3, 1e-3)
        risen.append(native_library.relayouts() - before)
    assert max(risen) <= 2


def test_input_that_the_symbol_does_not_read(parts):
    region, symbol, params = parts
    bound = Session(
        symbol, ["data", "spare"], [Spec((2, 160), "float32"), Spec((7,), "float32")], params._params, mx.cpu(), False
    )
    x = mx.nd.random.normal(shape=(2, 160))
    found = bound.run([x, mx.nd.zeros((7,))])[0]
    agree(found, tiny.block(region.symbol, params, None)(x), 1e-3, 1e-3)
