"""Nets that measure likeness or score tables compile whole and agree with MXNet."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest

from tests.models.embedders import DeepFM, Face, Twins
from tests.models.whole import compiles
from tests.nets import initialized

pytestmark = pytest.mark.models


def pictures(batch):
    return mx.nd.random.uniform(0, 255, (batch, 3, 28, 28))


@pytest.mark.parametrize("mode", ["instance", "channel", "spatial"])
def test_face(mode):
    net = initialized(Face(mode=mode), pictures(2))
    compiles(net, (pictures(1),), (pictures(5),))


def test_twins():
    tower = Face().features
    net = initialized(Twins(tower), pictures(1), pictures(1))
    compiles(net, (pictures(1) / 100, pictures(1) / 100), (pictures(4) / 100, pictures(4) / 100))


def test_factorization_machine():
    def table(batch):
        codes = np.random.default_rng(batch).integers(0, 30, (batch, 4))
        return mx.nd.array(codes), mx.nd.random.normal(shape=(batch, 3))

    net = DeepFM()
    net.initialize(mx.init.Normal(0.3))
    compiles(net, table(6), table(1), table(33))
