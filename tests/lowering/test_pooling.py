"""Pooling and adaptive average pooling against MXNet."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lowering.harness import check_op, random, refusal_of

KINDS: list[dict[str, Any]] = [
    {"pool_type": "max"},
    {"pool_type": "avg"},
    {"pool_type": "avg", "count_include_pad": False},
    {"pool_type": "sum"},
    {"pool_type": "lp", "p_value": 1},
    {"pool_type": "lp", "p_value": 2},
    {"pool_type": "lp", "p_value": 3},
]
WINDOWS: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 9), {"kernel": "(3,)"}),
    ((1, 2, 10), {"kernel": "(4,)", "stride": "(3,)", "pad": "(2,)"}),
    ((2, 3, 8, 9), {"kernel": "(2, 2)", "stride": "(2, 2)"}),
    ((2, 3, 8, 9), {"kernel": "(3, 2)", "stride": "(2, 3)", "pad": "(1, 1)"}),
    ((1, 2, 7, 7), {"kernel": "(3, 3)", "stride": "(1, 1)", "pad": "(2, 2)"}),
    ((1, 2, 5, 6, 7), {"kernel": "(3, 2, 3)", "stride": "(2, 1, 2)", "pad": "(1, 0, 1)"}),
]


@pytest.mark.parametrize("convention", ["valid", "full"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("shape", "window"), WINDOWS)
def test_pooling(shape: tuple[int, ...], window: dict[str, Any], kind: dict[str, Any], convention: str) -> None:
    # Negative window sums have no square root: with p=2 the squares are summed, so any values will do.
    check_op("Pooling", [random(*shape)], {**window, **kind, "pooling_convention": convention})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(2, 3, 9), (2, 3, 8, 7), (1, 2, 3, 4, 5)])
def test_global_pooling(shape: tuple[int, ...], kind: dict[str, Any]) -> None:
    attrs = {**kind, "global_pool": True, "kernel": (2,) * (len(shape) - 2), "pad": (1,) * (len(shape) - 2)}
    check_op("Pooling", [random(*shape)], attrs)


def test_global_pooling_without_kernel() -> None:
    check_op("Pooling", [random(1, 2, 5, 6)], {"global_pool": True, "pool_type": "avg"})


@pytest.mark.parametrize("kind", KINDS[:2])
def test_full_window_that_holds_nothing(kind: dict[str, Any]) -> None:
    attrs = {"kernel": "(1, 1)", "stride": "(3, 3)", "pooling_convention": "full", **kind}
    check_op("Pooling", [random(1, 2, 6, 6)], attrs)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sizes", [(6, 5, 5), (5, 6, 5), (6, 6, 6)])
def test_full_window_that_holds_nothing_of_three_axes(kind: dict[str, Any], sizes: tuple[int, ...]) -> None:
    attrs = {"kernel": (2, 2, 2), "stride": (3, 3, 3), "pooling_convention": "full", **kind}
    if kind["pool_type"] == "avg":  # MXNet gives NaN there
        refusal = refusal_of("Pooling", [random(1, 2, *sizes)], attrs)
        assert refusal is not None and "holds nothing" in refusal.sentence
    else:
        check_op("Pooling", [random(1, 2, *sizes)], attrs)


@pytest.mark.parametrize("kind", [{"pool_type": "max"}, {"pool_type": "avg"}, {"pool_type": "sum"}])
@pytest.mark.parametrize("convention", ["valid", "full"])
def test_pooling_v1(kind: dict[str, Any], convention: str) -> None:
    attrs = {"kernel": "(3, 3)", "stride": "(2, 2)", "pad": "(1, 1)", "pooling_convention": convention, **kind}
    for low in (-2.0, -9.0):
        check_op("Pooling_v1", [random(1, 2, 7, 8, low=low, high=low + 4)], attrs)
    check_op("Pooling_v1", [random(1, 2, 7, 8)], {"global_pool": True, "kernel": "(2, 2)", **kind})


def test_pooling_v1_refuses_a_window_that_holds_nothing() -> None:
    attrs = {"kernel": "(1, 1)", "stride": "(3, 3)", "pooling_convention": "full"}
    refused = refusal_of("Pooling_v1", [random(1, 2, 6, 6)], attrs)
    assert refused and "outside" in refused[1]
    check_op("Pooling_v1", [random(1, 2, 7, 7)], attrs)
    check_op("Pooling_v1", [random(1, 2, 6, 6)], {**attrs, "pool_type": "sum"})


@given(st.data())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_pooling_of_any_geometry(data: st.DataObject) -> None:
    axes = data.draw(st.integers(1, 3))

    def ints(low: int, high: int) -> tuple[int, ...]:
        return tuple(data.draw(st.lists(st.integers(low, high), min_size=axes, max_size=axes)))

    kernel, stride = ints(1, 4), ints(1, 4)
    pad = tuple(data.draw(st.integers(0, k - 1)) for k in kernel)
    shape = (1, 2, *(max(1, k - 2 * p) + e for k, p, e in zip(kernel, pad, ints(0, 5))))
    attrs = {"kernel": kernel, "stride": stride, "pad": pad, **data.draw(st.sampled_from(KINDS))}
    attrs["pooling_convention"] = data.draw(st.sampled_from(["valid", "full"]))
    check_op("Pooling", [random(*shape)], attrs)


@pytest.mark.parametrize("size", [None, "1", "3", "(2, 5)", "(7, 4)", "(10, 9)"])
def test_adaptive_avg_pooling(size: str | None) -> None:
    check_op("_contrib_AdaptiveAvgPooling2D", [random(2, 3, 7, 9)], {} if size is None else {"output_size": size})


@pytest.mark.parametrize(
    ("attrs", "word"),
    [
        ({"kernel": "(2, 2)", "pool_type": "lp", "p_value": 4}, "p_value"),
        ({"kernel": "(2, 2)", "pad": "(2, 2)"}, "pad"),
    ],
)
def test_refusals(attrs: dict[str, Any], word: str) -> None:
    refused = refusal_of("Pooling", [random(1, 4, 6, 6)], attrs)
    assert refused and refused[0] == "attribute" and word in refused[1]


@pytest.mark.parametrize(("layout", "shape"), [("NWC", (2, 9, 3)), ("NHWC", (2, 7, 6, 3)), ("NDHWC", (1, 4, 5, 6, 2))])
@pytest.mark.parametrize("convention", ["valid", "full"])
def test_channels_last(layout: str, shape: tuple[int, ...], convention: str) -> None:
    axes = len(shape) - 2
    window = {"kernel": (3, 2, 2)[:axes], "stride": (2, 1, 3)[:axes], "pad": (1,) * axes, "layout": layout}
    for kind in KINDS:
        check_op("Pooling", [random(*shape)], {**window, **kind, "pooling_convention": convention})
        check_op("Pooling", [random(*shape)], {"global_pool": True, "layout": layout, **kind})
