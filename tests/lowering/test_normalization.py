"""BatchNorm and its variants, LayerNorm, InstanceNorm, GroupNorm, L2Normalization and LRN against MXNet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.lowering.harness import check_op, random, refusal_of


def _statistics(channels: int, dtype: str = "float32") -> list[np.ndarray]:
    """gamma, beta, moving mean, moving variance."""
    drawn = [random(channels, seed=s, dtype=dtype) for s in (1, 2, 3)]
    return [*drawn, random(channels, seed=4, dtype=dtype, low=0.2, high=3.0)]


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize(
    ("shape", "attrs"),
    [
        ((2, 3, 4, 5), {}),
        ((2, 3, 4, 5), {"fix_gamma": False}),
        ((2, 3, 4, 5), {"fix_gamma": False, "eps": 0.1, "use_global_stats": True}),
        ((2, 3, 4, 5), {"fix_gamma": False, "axis": -1}),
        ((2, 3, 4, 5), {"fix_gamma": False, "axis": 2}),
        ((2, 3), {"fix_gamma": False}),
        ((2, 3, 4), {"fix_gamma": False, "axis": 1}),
        ((2, 3, 2, 3, 2), {"fix_gamma": False, "momentum": 0.5}),
    ],
)
def test_batch_norm(shape: tuple[int, ...], attrs: dict[str, Any], weights: bool) -> None:
    channels = shape[attrs.get("axis", 1)]
    check_op("BatchNorm", [random(*shape), *_statistics(channels)], attrs, params_are_weights=weights)


def test_batch_norm_of_float16_has_float32_statistics() -> None:
    check_op("BatchNorm", [random(2, 3, 4, 5, dtype="float16"), *_statistics(3)], {"fix_gamma": False})


def test_epsilon_of_float64() -> None:
    inputs = [random(2, 3, 4, dtype="float64"), *(s.astype("float64") for s in _statistics(3))]
    inputs[-1] *= 1e-3
    for attrs in ({}, {"eps": 1e-4}):
        check_op("BatchNorm", inputs, attrs)


@pytest.mark.parametrize("fix_gamma", [False, True])
def test_other_batch_norms(fix_gamma: bool) -> None:
    inputs = [random(2, 3, 4, 5), *_statistics(3)]
    check_op("_contrib_SyncBatchNorm", inputs, {"fix_gamma": fix_gamma, "key": "k", "eps": 0.01})
    check_op("BatchNorm_v1", inputs, {"fix_gamma": fix_gamma, "eps": 0.01})


def test_batch_norm_with_relu() -> None:
    check_op("_contrib_BatchNormWithReLU", [random(2, 3, 4, 5), *_statistics(3)], {"fix_gamma": False})


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4, 5)])
def test_means_and_variances_of_batch_norms(shape: tuple[int, ...], dtype: str) -> None:
    inputs, attrs = [random(*shape).astype(dtype), *_statistics(3)], {"output_mean_var": True, "eps": 0.01}
    # The statistics of halves are float32, but MXNet rounds them to halves on their way.
    rtol = 1e-3 if dtype == "float16" else 0.0
    # Without the first output MXNet has no statistics of halves.
    for outputs in ((0, 1, 2), (0,), (1, 2) if dtype == "float32" else (0, 2)):
        check_op("BatchNorm", inputs, attrs, outputs=outputs, rtol=rtol)
    check_op("BatchNorm", [random(2, 4, 3), *_statistics(3)], {**attrs, "axis": 2}, outputs=(0, 1, 2))
    if dtype == "float32":
        check_op("BatchNorm_v1", inputs, attrs, outputs=(0, 1, 2))
    if (dtype, len(shape)) == ("float32", 4):
        check_op("_contrib_BatchNormWithReLU", inputs, attrs, outputs=(0, 1, 2))


@pytest.mark.parametrize("outputs", [(0, 1, 2), (0,), (0, 2)])
def test_means_and_deviations(outputs: tuple[int, ...]) -> None:
    vectors = [random(4, seed=1), random(4, seed=2)]
    for shape, axis in (((3, 5, 4), -1), ((4, 3), 0), ((2, 4, 3), 1)):
        check_op("LayerNorm", [random(*shape), *vectors], {"axis": axis, "output_mean_var": True}, outputs=outputs)
    groups = [random(2, 6, 3, 4), random(3, seed=1), random(3, seed=2)]
    check_op("GroupNorm", groups, {"num_groups": 3, "output_mean_var": True, "eps": 0.1}, outputs=outputs)


@pytest.mark.parametrize(
    ("op", "attrs"), [("BatchNorm", {}), ("_contrib_SyncBatchNorm", {"output_mean_var": True, "key": "k"})]
)
def test_outputs_that_mxnet_does_not_give_are_refused(op: str, attrs: dict[str, Any]) -> None:
    refused = refusal_of(op, [random(2, 3, 4), *_statistics(3)], attrs, (0, 1))
    assert refused and refused[0] == "attribute"


@pytest.mark.parametrize("axis", [-1, 1, 0, 2])
@pytest.mark.parametrize("eps", [1e-5, 0.1])
def test_layer_norm(axis: int, eps: float) -> None:
    x = random(3, 4, 5)
    size = x.shape[axis]
    check_op("LayerNorm", [x, random(size, seed=1), random(size, seed=2)], {"axis": axis, "eps": eps})


@pytest.mark.parametrize("shape", [(4, 8), (2, 3, 4, 8)])
def test_layer_norm_of_the_last_axis(shape: tuple[int, ...]) -> None:
    check_op("LayerNorm", [random(*shape), random(8, seed=1), random(8, seed=2)], {}, params_are_weights=True)


@pytest.mark.parametrize("shape", [(2, 3, 7), (2, 3, 4, 5), (2, 3, 2, 3, 2)])
def test_instance_norm(shape: tuple[int, ...]) -> None:
    check_op("InstanceNorm", [random(*shape), random(3, seed=1), random(3, seed=2)], {"eps": 0.01})
    check_op("InstanceNorm", [random(*shape), random(3, seed=1), random(3, seed=2)], {})


@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize("shape", [(2, 6, 5), (2, 6, 4, 5)])
def test_group_norm(shape: tuple[int, ...], groups: int) -> None:
    vectors = [random(groups, seed=1), random(groups, seed=2)]
    check_op("GroupNorm", [random(*shape), *vectors], {"num_groups": groups, "eps": 1e-3})


@pytest.mark.parametrize("mode", ["instance", "channel", "spatial"])
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (2, 3, 4)])
def test_l2_normalization(shape: tuple[int, ...], mode: str) -> None:
    check_op("L2Normalization", [random(*shape)], {"mode": mode})
    check_op("L2Normalization", [random(*shape)], {"mode": mode, "eps": 0.5})


def test_l2_normalization_of_a_matrix() -> None:
    check_op("L2Normalization", [random(3, 7)], {})


@pytest.mark.parametrize(
    "attrs",
    [{"nsize": 5}, {"nsize": 3, "alpha": 0.5, "beta": 0.6, "knorm": 1.5}, {"nsize": 1}, {"nsize": 3, "knorm": 0}],
)
@pytest.mark.parametrize("channels", [2, 9])
def test_lrn(channels: int, attrs: dict[str, Any]) -> None:
    check_op("LRN", [random(2, channels, 3, 4)], attrs)


def test_lrn_of_an_even_size() -> None:
    check_op("LRN", [random(2, 9, 3, 4)], {"nsize": 4, "alpha": 0.5})


@pytest.mark.parametrize(("shape", "size"), [((2, 3, 4, 5), 0), ((2, 3, 4), 3)])
def test_lrn_refusals(shape: tuple[int, ...], size: int) -> None:
    refused = refusal_of("LRN", [random(*shape)], {"nsize": size})
    assert refused and refused[0] == "attribute"
