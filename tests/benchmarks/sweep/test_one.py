"""What the walk says of a model that does not agree at first sight."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest

from benchmarks.sweep import one
from benchmarks.sweep.inputs import build


class Detector(mx.gluon.HybridBlock):
    """Boxes as GluonCV's detectors give them; `nms_thresh` outside 0 to 1 keeps all."""

    def __init__(self, nms_thresh):
        super().__init__()
        self.nms_thresh = nms_thresh
        self.scores = mx.gluon.nn.Dense(1, in_units=16, flatten=False)

    def hybrid_forward(self, F, x):
        ids, corners = (F.slice_axis(x, axis=2, begin=b, end=e) for b, e in ((0, 1), (0, 4)))
        kept = F.concat(F.zeros_like(ids), self.scores(x), corners, dim=2)
        if 0 < self.nms_thresh < 1:
            kept = F.contrib.box_nms(kept, overlap_thresh=self.nms_thresh, id_index=0, score_index=1, coord_start=2)
        return [F.slice_axis(kept, axis=2, begin=b, end=e) for b, e in ((0, 1), (1, 2), (2, 6))]


def test_detectors_are_compared_before_boxes_are_dropped():
    net = Detector(0.5)
    net.initialize(mx.init.Normal(1))
    x = mx.nd.array(np.random.default_rng(0).uniform(0, 9, (1, 30, 16)))
    assert one._before_suppression(net, [x]) == {"agrees": True, "candidates": 30}
    assert net.nms_thresh == 0.5
    assert one._before_suppression(Detector(0), [x]) == {}


@pytest.mark.parametrize(("factor", "agrees"), [(1, True), (1.01, False)])
def test_precision_is_judged_on_several_inputs(factor, agrees):
    net = mx.gluon.nn.Dense(5, in_units=64)
    net.initialize(mx.init.Normal(1))
    samples = [[mx.nd.array(np.random.default_rng(seed).normal(size=(3, 64)))] for seed in range(4)]
    compiled, exact = one._rounding(net, lambda x: net(x) * factor, samples)
    assert 0 < exact < 1e-5 and (compiled < 1e-5) is agrees


def test_models_that_ask_for_weights_get_random_ones():
    net = build("gluoncv", "resnet18_v1b_kinetics400")
    assert net(mx.nd.ones((1, 3, 64, 64))).shape == (1, 400)
