"""Forecasters of time series compile whole and agree with MXNet, also step by step."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon
from mxnet.gluon import rnn

from tests.agreement import agree
from tests.models.forecasters import TFT, DeepAR, DeepARStep
from tests.models.whole import compiles
from tests.nets import initialized

pytestmark = pytest.mark.models

HISTORY, CONTEXT, HORIZON, COVARIATES = 15, 6, 4, 2


def normal(*shape):
    return mx.nd.random.normal(shape=shape)


def series(batch):
    """Categories, a target of which some values are missing, covariates, and what comes."""
    rng = np.random.default_rng(batch)
    observed = mx.nd.array(rng.integers(0, 4, (batch, HISTORY)) > 0)
    categories = mx.nd.array(rng.integers(0, 4, (batch, 2)))
    target = mx.nd.array(rng.gamma(2, 50, (batch, HISTORY))) * observed
    covariates = normal(batch, CONTEXT + HORIZON, COVARIATES)
    return categories, target, observed, covariates, mx.nd.array(rng.gamma(2, 50, (batch, HORIZON)))


@pytest.mark.parametrize("cell", [rnn.LSTMCell, pytest.param(rnn.GRUCell, marks=pytest.mark.slow)])
def test_deepar_that_is_told_the_target(cell):
    net = initialized(DeepAR(context=CONTEXT, horizon=HORIZON, cell=cell), *series(1))
    compiles(net, series(1), series(3))


def test_deepar_of_a_series_without_observations():
    # Its scale is 1, and not 0.
    net = initialized(DeepAR(context=CONTEXT, horizon=HORIZON), *series(2))
    categories, target, observed, covariates, future = series(2)
    target[1], observed[1] = 0, 0
    compiles(net, (categories, target, observed, covariates, future))


def decoding(batch, model):
    """The arguments of one step of decoding."""
    scale = mx.nd.random.uniform(1, 50, (batch, 1))
    states = [normal(*s.shape) for s in model.rnn.begin_state(batch_size=batch, func=mx.nd.zeros)]
    return normal(batch, 3) * scale, normal(batch, COVARIATES), normal(batch, 7), scale, states


@pytest.fixture
def deepar():
    return initialized(DeepAR(context=CONTEXT, horizon=HORIZON), *series(1))


def test_step_of_deepar(deepar):
    step = DeepARStep(deepar)
    compiled = compiles(step, decoding(1, deepar), decoding(5, deepar))
    arguments = decoding(5, deepar)
    ours = theirs = arguments[-1]
    for _ in range(3):
        *found, ours = compiled(*arguments[:-1], ours)
        *expected, theirs = step(*arguments[:-1], theirs)
        for one, other in zip(found, expected, strict=True):
            agree(one, other, 1e-3, 1e-4)


def test_step_of_deepar_that_draws(deepar):
    # MXNet draws the sample by its own generator: nothing else is left to it.
    compiles(DeepARStep(deepar, draw=True), decoding(4, deepar), stays={"_sample_normal": 1})


def values(batch, history=7, horizon=3):
    observed = mx.nd.array(np.random.default_rng(batch).integers(0, 3, (batch, history)) > 0)
    return normal(batch, 2), normal(batch, history, 3), normal(batch, horizon, 2), observed


def test_temporal_fusion_transformer():
    net = initialized(TFT(), *values(1))
    compiles(net, values(1), values(4))


def test_temporal_fusion_transformer_of_another_length():
    net = initialized(TFT(), *values(2))
    compiles(net, values(2), values(2, 9, 5), values(1, 4, 1))


class Beats(gluon.HybridBlock):
    """N-BEATS (Oreshkin et al., 2019): each layer explains a part of the past, and what is left goes on."""

    def __init__(self, layers=3, history=10, horizon=4, **options):
        super().__init__(**options)
        self.sizes = history, history + horizon
        with self.name_scope():
            self.layers = gluon.nn.HybridSequential()
            for _ in range(layers):
                self.layers.add(gluon.nn.HybridSequential())
                self.layers[-1].add(gluon.nn.Dense(12, activation="relu"), gluon.nn.Dense(history + horizon))

    def hybrid_forward(self, F, past):
        history, whole = self.sizes
        forecast = 0
        for layer in self.layers:
            explained = layer(past)
            past = past - F.slice_axis(explained, axis=1, begin=0, end=history)
            forecast = forecast + F.slice_axis(explained, axis=1, begin=history, end=whole)
        return forecast, past


def test_nbeats():
    compiles(initialized(Beats(), normal(1, 10)), (normal(1, 10),), (normal(6, 10),))
