"""Operators of object detectors agree with MXNet; those that suppress boxes have no rule."""

from __future__ import annotations

import numpy as np
import pytest

from gluon_neuron.lowering.registry import rules
from tests.lowering.harness import check_op, refusal_of

RNG = np.random.default_rng(3)
X = RNG.standard_normal((2, 3, 6, 8)).astype(np.float32)
LOW = RNG.uniform(0, 4, (5, 2))
BOXES = np.concatenate([LOW, LOW + RNG.uniform(0.5, 4, (5, 2))], 1).astype(np.float32)


@pytest.mark.parametrize(
    "attrs",
    [
        {},
        {"sizes": "(0.5, 0.25)", "ratios": "(1, 2, 0.5)"},
        {"sizes": "(0.4,)", "ratios": "(2, 3)"},
        {"sizes": "(0.5,)", "clip": True, "steps": "(0.2, 0.1)", "offsets": "(0.3, 0.9)"},
    ],
)
def test_multibox_prior(attrs):
    check_op("_contrib_MultiBoxPrior", [X], attrs)


@pytest.mark.parametrize("layout", ["center", "corner"])
@pytest.mark.parametrize("clip", [-1, 0.3])
def test_box_decode(layout, clip):
    offsets = RNG.standard_normal((2, 5, 4)).astype(np.float32)
    stds = {"std0": 0.1, "std1": 0.1, "std2": 0.2, "std3": 0.2}
    check_op("_contrib_box_decode", [offsets, BOXES[None]], {"format": layout, "clip": clip, **stds})


def test_box_decode_wants_shared_anchors():
    offsets = np.zeros((2, 5, 4), np.float32)
    anchors = np.stack([BOXES, BOXES])
    assert "one box for each" in refusal_of("_contrib_box_decode", [offsets, anchors], {})[1]


@pytest.mark.parametrize("layout", ["center", "corner"])
def test_box_iou(layout):
    check_op("_contrib_box_iou", [BOXES, BOXES[:3]], {"format": layout})
    apart = BOXES + 100
    check_op("_contrib_box_iou", [np.stack([BOXES, apart]), BOXES[:, None]], {"format": layout})


def test_suppression_stays_in_mxnet():
    names = {"_contrib_box_nms", "_contrib_MultiBoxDetection", "_contrib_Proposal", "_contrib_MultiProposal"}
    assert not names & set(rules())
