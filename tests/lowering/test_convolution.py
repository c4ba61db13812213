"""Convolution and Deconvolution against MXNet."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lowering.harness import check_op, random, refusal_of

CONVOLUTIONS: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 9), {"kernel": "(3,)", "num_filter": 4}),
    ((2, 3, 10), {"kernel": "(4,)", "num_filter": 4, "stride": "(3,)", "pad": "(2,)", "layout": "NCW"}),
    ((1, 4, 12), {"kernel": "(3,)", "num_filter": 6, "num_group": 2, "dilate": "(2,)", "no_bias": True}),
    ((2, 3, 8, 9), {"kernel": "(3, 3)", "num_filter": 4}),
    ((2, 3, 8, 9), {"kernel": "(1, 1)", "num_filter": 5, "stride": "(2, 2)", "no_bias": True, "layout": "NCHW"}),
    ((1, 3, 11, 8), {"kernel": "(2, 5)", "num_filter": 4, "stride": "(2, 1)", "pad": "(1, 3)", "dilate": "(3, 1)"}),
    ((1, 6, 7, 7), {"kernel": "(3, 3)", "num_filter": 6, "num_group": 6, "pad": "(1, 1)", "no_bias": True}),
    ((1, 4, 7, 7), {"kernel": "(3, 3)", "num_filter": 8, "num_group": 4, "pad": "(1, 1)"}),
    ((1, 4, 7, 7), {"kernel": "(3, 3)", "num_filter": 4, "stride": "()", "pad": "[1, 1]", "layout": "None"}),
    ((1, 2, 3, 3), {"kernel": "(3, 3)", "num_filter": 2, "pad": "(5, 4)"}),
    ((1, 2, 5, 6, 7), {"kernel": "(3, 2, 3)", "num_filter": 3, "pad": "(1, 0, 2)", "stride": "(1, 2, 2)"}),
    ((1, 4, 5, 5, 5), {"kernel": "(2, 2, 2)", "num_filter": 4, "num_group": 2, "layout": "NCDHW"}),
]


def _arrays(shape: tuple[int, ...], attrs: dict[str, Any], kernel: tuple[int, ...], transposed: bool) -> list[Any]:
    """Data, weight and, if there is one, bias."""
    filters, groups = attrs["num_filter"], attrs.get("num_group", 1)
    wide = (shape[1], filters // groups) if transposed else (filters, shape[1] // groups)
    arrays = [random(*shape), random(*wide, *kernel, seed=1)]
    return arrays if attrs.get("no_bias", transposed) else [*arrays, random(filters, seed=2)]


def _kernel(attrs: dict[str, Any]) -> tuple[int, ...]:
    return tuple(int(k) for k in attrs["kernel"].strip("(),").split(","))


@pytest.mark.parametrize(("shape", "attrs"), CONVOLUTIONS)
def test_convolution(shape: tuple[int, ...], attrs: dict[str, Any]) -> None:
    check_op("Convolution", _arrays(shape, attrs, _kernel(attrs), False), attrs)


@pytest.mark.parametrize(("shape", "attrs"), [case for case in CONVOLUTIONS if len(case[0]) == 4][:4])
def test_convolution_v1(shape: tuple[int, ...], attrs: dict[str, Any]) -> None:
    check_op("Convolution_v1", _arrays(shape, attrs, _kernel(attrs), False), attrs)


@pytest.mark.parametrize(("shape", "attrs"), CONVOLUTIONS[::3])
def test_convolution_with_bound_weights(shape: tuple[int, ...], attrs: dict[str, Any]) -> None:
    check_op("Convolution", _arrays(shape, attrs, _kernel(attrs), False), attrs, params_are_weights=True)


@given(st.data())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_convolution_of_any_geometry(data: st.DataObject) -> None:
    axes, groups = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))

    def ints(low: int, high: int) -> tuple[int, ...]:
        return tuple(data.draw(st.lists(st.integers(low, high), min_size=axes, max_size=axes)))

    kernel, stride, pad, dilate = ints(1, 3), ints(1, 3), ints(0, 3), ints(1, 2)
    extra = ints(0, 4)
    sizes = (max(1, d * (k - 1) + 1 - 2 * p) + e for k, d, p, e in zip(kernel, dilate, pad, extra))
    shape = (data.draw(st.integers(1, 2)), groups * data.draw(st.integers(1, 2)), *sizes)
    attrs = {"kernel": kernel, "stride": stride, "pad": pad, "dilate": dilate, "num_group": groups}
    attrs |= {"num_filter": groups * data.draw(st.integers(1, 2)), "no_bias": data.draw(st.booleans())}
    check_op("Convolution", _arrays(shape, attrs, kernel, False), attrs)


DECONVOLUTIONS: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((1, 3, 6), {"kernel": "(3,)", "num_filter": 2, "stride": "(2,)"}),
    ((2, 3, 5, 6), {"kernel": "(3, 3)", "num_filter": 4}),
    ((1, 3, 5, 6), {"kernel": "(4, 4)", "num_filter": 4, "stride": "(2, 2)", "pad": "(1, 1)", "no_bias": False}),
    ((1, 3, 5, 6), {"kernel": "(3, 4)", "num_filter": 4, "stride": "(2, 3)", "pad": "(1, 0)", "adj": "(1, 2)"}),
    ((1, 4, 5, 6), {"kernel": "(3, 3)", "num_filter": 4, "num_group": 4, "stride": "(2, 2)", "dilate": "(2, 1)"}),
    ((1, 4, 5, 6), {"kernel": "(2, 3)", "num_filter": 6, "num_group": 2, "no_bias": False}),
    # oneDNN insists that pad is what target_shape implies.
    (
        (1, 2, 5, 5),
        {"kernel": "(4, 4)", "num_filter": 2, "stride": "(2, 2)", "pad": "(1, 1)", "target_shape": "(10, 10)"},
    ),
    (
        (1, 2, 5, 5),
        {"kernel": "(3, 3)", "num_filter": 2, "stride": "(2, 2)", "pad": "(1, 1)", "target_shape": "(10, 10)"},
    ),
    ((1, 2, 5, 5), {"kernel": "(3, 3)", "num_filter": 2, "stride": "(2, 2)", "target_shape": "(0, 0)"}),
    ((1, 2, 3, 4, 3), {"kernel": "(2, 2, 3)", "num_filter": 2, "stride": "(2, 1, 2)", "pad": "(0, 1, 1)"}),
]


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize(("shape", "attrs"), DECONVOLUTIONS)
def test_deconvolution(shape: tuple[int, ...], attrs: dict[str, Any], weights: bool) -> None:
    check_op("Deconvolution", _arrays(shape, attrs, _kernel(attrs), True), attrs, params_are_weights=weights)


def test_channels_last_are_refused() -> None:
    attrs = {"kernel": "(3, 3)", "num_filter": 4, "layout": "NHWC", "no_bias": True}
    refused = refusal_of("Convolution", [random(1, 8, 8, 3), random(4, 3, 3, 3)], attrs)
    assert refused and refused[0] == "attribute" and "NHWC" in refused[1]


def test_dilated_deconvolution_of_float64_is_refused() -> None:
    attrs = {"kernel": "(2, 1)", "num_filter": 1, "dilate": "(2, 1)"}
    arrays = [random(1, 2, 2, 2, dtype="float64"), random(2, 1, 2, 1, dtype="float64")]
    refused = refusal_of("Deconvolution", arrays, attrs)
    assert refused and "float64" in refused[1]
    check_op("Deconvolution", [a.astype("float32") for a in arrays], attrs)
    check_op("Deconvolution", arrays, {**attrs, "dilate": "(1, 1)"})


def test_open_target_shape_is_refused() -> None:
    attrs = {"kernel": "(4, 4)", "num_filter": 2, "stride": "(2, 2)", "target_shape": "(10, 0)"}
    refused = refusal_of("Deconvolution", [random(1, 2, 5, 5), random(2, 2, 4, 4)], attrs)
    assert refused and "target_shape" in refused[1]
