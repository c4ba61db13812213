"""Whatever changes a weight is seen by the next call."""

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon

import gluon_neuron
from tests.agreement import agree
from tests.nets import CLOSE, artifact_name, conv_net, images


@pytest.fixture(params=["block", "static", "dynamic"])
def pair(request, tmp_path):
    """The net, and a compiled one that shares its parameters, called in each of the ways there are."""
    net = conv_net()
    compiled = gluon_neuron.compile(net, images())
    if request.param == "block":
        return net, compiled
    # The same symbol in a plain SymbolBlock, as MXNet alone would run it.
    plain = gluon.SymbolBlock(compiled.symbol, [mx.sym.var("data", dtype="float32")], params=compiled.collect_params())
    plain.hybridize(static_alloc=request.param == "static", static_shape=request.param == "static")
    return net, plain


def follows(net, compiled):
    x = images()
    agree(compiled(x), net(x), **CLOSE)


def convolution(net):
    return net[0].weight


def test_set_data(pair):
    net, compiled = pair
    for _ in range(5):
        follows(net, compiled)
        convolution(net).set_data(mx.nd.random.normal(shape=convolution(net).shape))
    follows(net, compiled)


def test_views(pair):
    net, compiled = pair
    follows(net, compiled)
    convolution(net).data()[2:5] = 3
    follows(net, compiled)
    convolution(net).data().reshape((-1,))[7:19] = -2
    follows(net, compiled)
    net[1].running_var.data()[:] = 4
    follows(net, compiled)
    net[8].bias.data()[1] += 1
    follows(net, compiled)


def test_load_parameters(pair, tmp_path):
    net, compiled = pair
    other = conv_net()
    other.save_parameters(str(tmp_path / "other.params"))
    follows(net, compiled)
    net.load_parameters(str(tmp_path / "other.params"))
    follows(net, compiled)
    x = images()
    agree(compiled(x), other(x), **CLOSE)


def test_trainer_step(pair):
    net, compiled = pair
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.5})
    for _ in range(3):
        follows(net, compiled)
        with mx.autograd.record():
            loss = (net(images(4)) ** 2).mean()
        loss.backward()
        trainer.step(1)
    follows(net, compiled)


def test_reinitialized_30_times(pair):
    net, compiled = pair
    x = images()
    previous = None
    for _ in range(30):
        convolution(net).initialize(mx.init.Normal(0.5), force_reinit=True)
        expected = net(x).asnumpy()
        agree(compiled(x), expected, 1e-3, 1e-4)
        assert previous is None or not np.allclose(previous, expected)
        previous = expected


def test_cast_and_back(pair):
    net, compiled = pair
    follows(net, compiled)
    for param in net.collect_params().values():
        param.cast("float64")
    for param in net.collect_params().values():
        param.set_data(param.data() * 1.5)
        param.cast("float32")
    follows(net, compiled)


def test_reset_ctx(pair):
    net, compiled = pair
    follows(net, compiled)
    convolution(net).set_data(convolution(net).data() * 2)
    net.collect_params().reset_ctx([mx.cpu(0)])
    follows(net, compiled)


def test_new_blocks_at_recycled_addresses():
    x = images()
    for _ in range(20):
        net = conv_net(prefix="same_")
        compiled = gluon_neuron.compile(net, images())
        agree(compiled(x), net(x), **CLOSE)
        plain = gluon.SymbolBlock(
            compiled.symbol, [mx.sym.var("data", dtype="float32")], params=compiled.collect_params()
        )
        agree(plain(x), net(x), **CLOSE)
        del net, compiled, plain


def test_initialize_and_cast_leave_the_artifact():
    net = conv_net()
    compiled = gluon_neuron.compile(net, images())
    artifact = compiled.collect_params()[artifact_name(compiled.collect_params())]
    before = artifact.data().asnumpy()
    compiled.initialize(mx.init.Normal(0.1), force_reinit=True)
    compiled.cast("float64")
    compiled.cast("float32")
    assert np.array_equal(artifact.data().asnumpy(), before)
    follows(net, compiled)
