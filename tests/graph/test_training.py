"""Which operators give other results in training: compared with what MXNet computes in both modes."""

import mxnet as mx
import numpy as np
import pytest

from gluon_neuron.graph.training import differs_in_training

X = mx.sym.var("x")

CASES = {
    "norm": (mx.sym.BatchNorm(X, name="n"), True),
    "norm with global statistics": (mx.sym.BatchNorm(X, use_global_stats=True, name="n"), False),
    "norm of version 1": (mx.sym.BatchNorm_v1(X, name="n"), True),
    "norm of several devices": (mx.sym.contrib.SyncBatchNorm(X, key="a", name="n"), True),
    "layer norm": (mx.sym.LayerNorm(X, name="n"), False),
    "instance norm": (mx.sym.InstanceNorm(X, name="n"), False),
    "dropout": (mx.sym.Dropout(X, p=0.5, name="n"), True),
    "dropout of the default": (mx.sym.Dropout(X, name="n"), True),
    "dropout of nothing": (mx.sym.Dropout(X, p=0, name="n"), False),
    "slopes": (mx.sym.LeakyReLU(X, act_type="leaky", name="n"), False),
}


def in_mode(symbol, train):
    mx.random.seed(1)
    shapes, _, states = symbol.infer_shape(x=(4, 3, 5, 5))
    rng = np.random.RandomState(1)
    args = {n: mx.nd.array(rng.randn(*s)) for n, s in zip(symbol.list_arguments(), shapes, strict=True)}
    aux = {n: mx.nd.array(1 + rng.rand(*s)) for n, s in zip(symbol.list_auxiliary_states(), states, strict=True)}
    return symbol.bind(mx.cpu(), args, aux_states=aux).forward(is_train=train)[0].asnumpy()


@pytest.mark.parametrize("name", CASES)
def test_it_is_as_mxnet_computes(name):
    symbol, differs = CASES[name]
    assert (differs_in_training((symbol[0] * 2).tojson()) is not None) == differs
    assert np.allclose(in_mode(symbol, True), in_mode(symbol, False), 1e-4, 1e-5) != differs


def test_it_looks_into_bodies():
    body = mx.sym.contrib.foreach(lambda x, s: (mx.sym.Dropout(x, p=0.5, name="inside"), s), X, mx.sym.var("s"))[0]
    assert differs_in_training(body.tojson()) == "Dropout 'inside'"


def test_random_slopes():  # MXNet ends the process where it trains them on the CPU
    symbol = mx.sym.LeakyReLU(X, act_type="rrelu", name="n")
    assert differs_in_training(symbol[0].tojson()) == "LeakyReLU 'n'"


def test_recurrent_layers():
    for p, differs in ((0, False), (0.3, True)):
        symbol = mx.sym.RNN(X, mode="lstm", state_size=3, num_layers=2, p=p, name="n")
        assert (differs_in_training(symbol.tojson()) is not None) == differs
