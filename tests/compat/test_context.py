"""mx.neuron(i) is taken wherever MXNet takes a context."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from gluon_neuron.errors import OptionError
from tests.compat.nets import SHAPE, checkpoint, image, run


@pytest.fixture(scope="module")
def compiled():
    return mx.contrib.neuron.compile(*checkpoint(), {"data": image()})


@pytest.fixture(scope="module")
def expected():
    return run(*checkpoint(), image(1))[0]


def moved(arrays, ctx):
    return {n: a.as_in_context(ctx) for n, a in arrays.items()}


@pytest.mark.parametrize("index", [0, 1])
def test_bind(compiled, expected, index):
    sym, args, aux = compiled
    ctx = mx.neuron(index)
    found = run(sym, moved(args, ctx), moved(aux, ctx), image(1).as_in_context(ctx), ctx)[0]
    np.testing.assert_allclose(found, expected, 1e-4, 1e-5)


def test_bind_with_arrays_on_the_host(compiled, expected):
    np.testing.assert_allclose(run(*compiled, image(1), mx.neuron())[0], expected, 1e-4, 1e-5)


def test_simple_bind(compiled, expected):
    sym, args, aux = compiled
    executor = sym.simple_bind(ctx=mx.neuron(0), data=SHAPE, grad_req="null")
    executor.copy_params_from(args, aux, allow_extra_params=True)
    np.testing.assert_allclose(executor.forward(data=image(1))[0].asnumpy(), expected, 1e-4, 1e-5)


def test_module(compiled, expected):
    sym, args, aux = compiled
    module = mx.mod.Module(sym, context=mx.neuron(1), label_names=None)
    module.bind(for_training=False, data_shapes=[("data", SHAPE)])
    module.set_params(args, aux, allow_missing=True, allow_extra=True)
    module.forward(mx.io.DataBatch([image(1)]))
    np.testing.assert_allclose(module.get_outputs()[0].asnumpy(), expected, 1e-4, 1e-5)


def test_block(tmp_path):
    net = mx.gluon.nn.Conv2D(4, 3)
    net.initialize(ctx=mx.neuron(1))
    x = image().as_in_context(mx.neuron(1))
    made = gluon_neuron.compile(net, x)
    made.export(str(tmp_path / "net"))
    again = gluon_neuron.load(tmp_path / "net", ctx=mx.neuron(1))
    np.testing.assert_allclose(again(x).asnumpy(), net(x).asnumpy(), 1e-4, 1e-5)
    with mx.neuron(1):
        assert mx.nd.ones((2,)).context == mx.cpu(1)


def test_name_and_identity():
    assert repr(mx.neuron(2)) == "neuron(2)"
    assert str(mx.neuron()) == "cpu(0)"
    assert mx.neuron(1) != mx.neuron(0)


@pytest.mark.parametrize("index", [-1, 1.0, True, "0"])
def test_bad_index(index):
    with pytest.raises(OptionError, match="index"):
        mx.neuron(index)
