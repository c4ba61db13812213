"""Operators of object detectors agree with MXNet; those that suppress boxes have no rule."""

from __future__ import annotations

import numpy as np
import pytest
from harness import check_op, mxnet_result, refusal_of, rule_results

from gluon_neuron.lowering.registry import rules

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


# Inside, across the border, outside, of no size, and in each image of the batch.
ROIS = np.array(
    [[0, 0, 0, 3, 2], [1, 1, 1, 5, 6], [0, 2.3, 1.7, 7.9, 5.9], [1, -3, -2, 4, 4], [0, 5, 3, 20, 20], [1, 3, 3, 3, 3]],
    np.float32,
)


@pytest.mark.parametrize("attrs", [{"sample_ratio": 2}, {"sample_ratio": 1}, {"sample_ratio": 3, "spatial_scale": 0.5}])
@pytest.mark.parametrize("size", ["(2, 3)", "(4, 4)", "(1, 1)"])
def test_roi_align(attrs, size):
    check_op("_contrib_ROIAlign", [X, ROIS], {"spatial_scale": 1.0, **attrs, "pooled_size": size})


def test_roi_align_aligned():
    # MXNet refuses regions of no size then.
    attrs = {"pooled_size": "(2, 3)", "spatial_scale": 0.5, "sample_ratio": 2, "aligned": True}
    check_op("_contrib_ROIAlign", [X, ROIS[:5]], attrs)


def test_roi_align_of_regions_of_no_image():
    attrs = {"spatial_scale": 1.0, "sample_ratio": 2, "pooled_size": "(2, 3)"}
    rois = ROIS.copy()
    rois[[1, 4], 0] = -1, -2
    # MXNet on a CPU does not write row i of such a region, but element i of the whole; on a GPU it writes zeros.
    expected = mxnet_result("_contrib_ROIAlign", [X, ROIS], attrs)[0]
    expected[[1, 4]] = 0
    for namespace, found in rule_results("_contrib_ROIAlign", [X, rois], attrs).items():
        np.testing.assert_allclose(found, expected, 1e-5, 1e-6, err_msg=namespace)


def test_roi_align_refusals():
    attrs = {"pooled_size": "(2, 2)", "spatial_scale": 1.0}
    assert "sample_ratio" in refusal_of("_contrib_ROIAlign", [X, ROIS], attrs)[1]
    square = np.zeros((1, 4, 6, 8), np.float32)
    found = refusal_of("_contrib_ROIAlign", [square, ROIS], {**attrs, "sample_ratio": 2, "position_sensitive": True})
    assert "position_sensitive" in found[1]


@pytest.mark.parametrize("scale", [1.0, 0.5])
@pytest.mark.parametrize("size", ["(2, 3)", "(7, 7)"])
def test_roi_pooling(size, scale):
    check_op("ROIPooling", [X, ROIS], {"pooled_size": size, "spatial_scale": scale})
    check_op(
        "ROIPooling", [X, ROIS + np.float32([0, 0.5, 0.5, 0.5, 0.5])], {"pooled_size": size, "spatial_scale": scale}
    )


def test_suppression_stays_in_mxnet():
    names = {"_contrib_box_nms", "_contrib_MultiBoxDetection", "_contrib_Proposal", "_contrib_MultiProposal"}
    assert not names & set(rules())
