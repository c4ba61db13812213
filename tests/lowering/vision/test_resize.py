"""Resizing agrees with MXNet in every mode, and so does sampling at the points of a grid."""

from __future__ import annotations

import numpy as np
import pytest

from tests.lowering.harness import check_op, refusal_of

RNG = np.random.default_rng(2)
X = RNG.standard_normal((2, 3, 4, 5)).astype(np.float32)
DOUBLE = RNG.standard_normal((2, 2, 8, 10)).astype(np.float32)


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_nearest(scale):
    check_op("UpSampling", [X], {"scale": scale, "sample_type": "nearest", "num_args": 1})


def test_nearest_of_several():
    attrs = {"scale": 2, "sample_type": "nearest", "num_args": 2}
    check_op("UpSampling", [X, DOUBLE], attrs)
    check_op("UpSampling", [DOUBLE, X], attrs)
    check_op("UpSampling", [X, DOUBLE[:, :1].repeat(3, 1)], {**attrs, "multi_input_mode": "sum"})
    check_op("UpSampling", [X.astype(np.float16)], {**attrs, "num_args": 1})


def test_upsampling_refusals():
    attrs = {"scale": 2, "sample_type": "nearest", "num_args": 2}
    assert "whole factor" in refusal_of("UpSampling", [X, X[:, :, :2].copy()], attrs)[1]


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_bilinear_upsampling(scale):
    side = 2 * scale - scale % 2
    weight = RNG.standard_normal((3, 1, side, side)).astype(np.float32)
    attrs = {"scale": scale, "sample_type": "bilinear", "num_args": 2, "num_filter": 3}
    check_op("UpSampling", [X, weight], attrs, params_are_weights=True)


@pytest.mark.parametrize("align", [True, False])
@pytest.mark.parametrize(
    "attrs",
    [
        {"height": 7, "width": 9},
        {"height": 2, "width": 3},
        {"height": 1, "width": 8},
        {"height": 4, "width": 5},
        {"height": 8, "width": 5},
        {"scale_height": 2, "scale_width": 1.5},
        {"scale_height": 2, "scale_width": 1.5, "mode": "odd_scale"},
        {"mode": "to_even_down"},
        {"mode": "to_even_up"},
        {"mode": "to_odd_down"},
        {"mode": "to_odd_up"},
    ],
)
def test_bilinear_resize(attrs, align):
    check_op("_contrib_BilinearResize2D", [X], {**attrs, "align_corners": align})


def test_bilinear_resize_of_halves():
    check_op("_contrib_BilinearResize2D", [X.astype(np.float16)], {"height": 7, "width": 9})


def test_bilinear_resize_to_the_shape_of_another():
    check_op("_contrib_BilinearResize2D", [X, DOUBLE], {"mode": "like"})


def test_affine_grid_and_sampling():
    theta = np.array([[1.2, 0.3, 0.1, -0.2, 0.9, 0.4], [1, 0, 0, 0, 1, 0]], np.float32)
    check_op("GridGenerator", [theta], {"transform_type": "affine", "target_shape": "(3, 6)"})
    attrs = {"target_shape": "(3, 6)", "transform_type": "affine", "sampler_type": "bilinear"}
    check_op("SpatialTransformer", [X, theta], attrs)
    assert "size 1" in refusal_of("GridGenerator", [theta], {"transform_type": "affine", "target_shape": "(1, 6)"})[1]


def test_flow_grid_and_sampling():
    flow = RNG.standard_normal((2, 2, 4, 5)).astype(np.float32)
    check_op("GridGenerator", [flow], {"transform_type": "warp"})
    check_op("BilinearSampler", [X, flow])
