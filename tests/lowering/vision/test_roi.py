"""Pooling of regions agrees with MXNet, whatever the regions: outside, empty, rotated, in any image of the batch."""

from __future__ import annotations

import numpy as np
import pytest

from gluon_neuron.graph.spec import Spec
from tests.agreement import agree
from tests.lowering.harness import check_op, mxnet_result, node_of, random, refusal_of, run_rule

X = np.random.default_rng(3).standard_normal((2, 3, 6, 8)).astype(np.float32)
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


def test_roi_align_refusals():
    attrs = {"pooled_size": "(2, 2)", "spatial_scale": 1.0}
    assert "sample_ratio" in refusal_of("_contrib_ROIAlign", [X, ROIS], attrs)[1]
    assert "sampling_ratio" in refusal_of("_contrib_RROIAlign", [X, ROTATED], attrs)[1]


@pytest.mark.parametrize("namespace", ["numpy", "openvino", "jax"])
def test_roi_align_of_regions_of_no_image(namespace):
    attrs = {"spatial_scale": 1.0, "sample_ratio": 2, "pooled_size": "(2, 3)"}
    rois = ROIS.copy()
    rois[[1, 4], 0], rois[2, 0] = (-1, -2.5), -0.5
    # MXNet on a CPU does not write the rows of such a region; on a GPU it writes zeros.
    whole = ROIS.copy()
    whole[2, 0] = 0
    expected = mxnet_result("_contrib_ROIAlign", [X, whole], attrs)[0]
    expected[[1, 4]] = 0
    node = node_of("_contrib_ROIAlign", [Spec(v.shape, "float32") for v in (X, rois)], attrs)
    agree(run_rule(namespace, node, [X, rois])[0], expected, 1e-5, 1e-6)


@pytest.mark.parametrize("scale", [1.0, 0.5])
@pytest.mark.parametrize("size", ["(2, 3)", "(7, 7)"])
def test_roi_pooling(size, scale):
    check_op("ROIPooling", [X, ROIS], {"pooled_size": size, "spatial_scale": scale})
    check_op(
        "ROIPooling", [X, ROIS + np.float32([0, 0.5, 0.5, 0.5, 0.5])], {"pooled_size": size, "spatial_scale": scale}
    )


@pytest.mark.parametrize("attrs", [{"sample_ratio": 2}, {"sample_ratio": 3, "spatial_scale": 0.5, "aligned": True}])
@pytest.mark.parametrize("size", [(2, 3), (4, 4), (1, 1)])
def test_roi_align_position_sensitive(attrs, size):
    x = random(2, 2 * size[0] * size[1], 6, 8)
    attrs = {"spatial_scale": 1.0, **attrs, "pooled_size": size, "position_sensitive": True}
    check_op("_contrib_ROIAlign", [x, ROIS[:5]], attrs)


# Batch index, centre, size, angle: turned both ways, smaller than an element, by a right angle, outside.
ROTATED = np.array(
    [[0, 3, 3, 4, 2, 30], [1, 2, 2, 5, 3, -45], [0, 4.5, 3.3, 0.5, 0.2, 0], [1, 1, 1, 6, 4, 90], [0, 9, 7, 3, 3, 200]],
    np.float32,
)


@pytest.mark.parametrize(
    "attrs", [{"sampling_ratio": 2}, {"sampling_ratio": 1}, {"sampling_ratio": 3, "spatial_scale": 0.5}]
)
@pytest.mark.parametrize("size", ["(2, 3)", "(4, 1)"])
def test_rotated_roi_align(attrs, size):
    check_op("_contrib_RROIAlign", [X, ROTATED], {"spatial_scale": 1.0, **attrs, "pooled_size": size})


# spatial_scale, output_dim, pooled_size, group_size
SENSITIVE = [(1.0, 2, 2, 2), (0.5, 3, 3, 3), (0.7, 2, 4, 2), (1.0, 1, 3, 1), (0.0625, 2, 7, 3)]
# Corners that rounding moves, in both directions and at halves.
CORNERS = np.concatenate([ROIS, ROIS + np.float32([0, 0.5, 0.5, 0.5, 0.5]), ROIS * np.float32([1, -1, 1, 9, 1])])


@pytest.mark.parametrize(("scale", "channels", "size", "groups"), SENSITIVE)
def test_psroi_pooling(scale, channels, size, groups):
    x = random(2, channels * groups**2, 6, 8)
    attrs = {"spatial_scale": scale, "output_dim": channels, "pooled_size": size, "group_size": groups}
    check_op("_contrib_PSROIPooling", [x, CORNERS], attrs)


def test_psroi_pooling_groups_by_its_cells():
    attrs = {"spatial_scale": 1.0, "output_dim": 2, "pooled_size": 3}
    check_op("_contrib_PSROIPooling", [random(2, 18, 6, 8), CORNERS], attrs)
    check_op("_contrib_PSROIPooling", [random(2, 18, 6, 8, dtype="float64"), CORNERS.astype("float64")], attrs)


@pytest.mark.parametrize(("scale", "channels", "size", "groups"), SENSITIVE)
@pytest.mark.parametrize(("parts", "samples", "classes"), [(0, 2, 1), (2, 1, 1), (3, 4, 2)])
def test_deformable_psroi_pooling(scale, channels, size, groups, parts, samples, classes):
    channels *= classes
    x = random(2, channels * groups**2, 6, 8)
    trans = random(len(CORNERS), 2 * classes, parts or size, parts or size)
    attrs = {"spatial_scale": scale, "output_dim": channels, "pooled_size": size, "group_size": groups}
    attrs |= {"part_size": parts, "sample_per_part": samples, "trans_std": 0.2}
    check_op("_contrib_DeformablePSROIPooling", [x, CORNERS, trans], attrs)
    check_op("_contrib_DeformablePSROIPooling", [x, CORNERS, trans], {**attrs, "trans_std": 0})
    check_op("_contrib_DeformablePSROIPooling", [x, CORNERS], {**attrs, "no_trans": True})


def test_sensitive_pooling_of_doubles_has_a_scale_of_32_bits():
    """10 * 0.3 is beyond 3 in float32, so that the cell covers one element more."""
    x, rois = random(1, 1, 6, 8, dtype="float64"), np.array([[0, 0, 0, 9, 9]], "float64")
    attrs = {"spatial_scale": 0.3, "output_dim": 1, "pooled_size": 1, "group_size": 1}
    check_op("_contrib_PSROIPooling", [x, rois], attrs)
    trans = random(1, 2, 1, 1, dtype="float64")
    check_op("_contrib_DeformablePSROIPooling", [x, rois, trans], {**attrs, "trans_std": 0.1})
