"""The reference that models are compared with: ROIAlign of no image, and MXNet in float64."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest

from benchmarks.sweep.reference import defined_regions, expected, rounding
from tests.agreement import agree


@pytest.mark.parametrize("front", ["nd", "sym"])
def test_regions_of_no_image_are_zero(front):
    x = mx.nd.ones((1, 2, 8, 8))
    rois = mx.nd.array([[0, 0, 0, 4, 4], [-1, -1, -1, -1, -1]])
    options = {"pooled_size": (2, 2), "spatial_scale": 1.0, "sample_ratio": 2}
    with defined_regions():
        if front == "nd":
            pooled = mx.nd.contrib.ROIAlign(x, rois, **options)
        else:
            symbol = mx.sym.contrib.ROIAlign(mx.sym.var("x"), mx.sym.var("rois"), **options)
            pooled = symbol.bind(mx.cpu(), {"x": x, "rois": rois}).forward()[0]
    agree(pooled[0], np.ones(pooled[0].shape, "float32"))
    agree(pooled[1], np.zeros(pooled[1].shape, "float32"))


def test_rounding_is_measured_and_leaves_the_net_as_it_was():
    net = mx.gluon.nn.HybridSequential()
    net.add(mx.gluon.nn.Dense(5, in_units=64), mx.gluon.nn.BatchNorm())
    net.initialize(mx.init.Normal(1))
    given = [mx.nd.array(np.random.default_rng(0).normal(size=(3, 64)))]
    before = expected(net, given)
    own, off = rounding(net, given, [before, [before[0] * 1.01]])
    assert 0 < own < 1e-5 and off == pytest.approx(0.01, rel=1e-3)
    agree(expected(net, given)[0], before[0])
