"""Reductions, running sums and differences of mx.np agree with MXNet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.lowering.harness import check_op, random, refusal_of

X = random(2, 3, 4, low=-3, high=3)
AXES = [{}, {"axis": 1}, {"axis": "(0,-1)", "keepdims": True}, {"axis": "()"}, {"axis": "None", "keepdims": 1}]


@pytest.mark.parametrize("attrs", AXES)
@pytest.mark.parametrize("op", ["sum", "prod", "max", "min", "all", "any", "product", "amax", "amin", "sometrue"])
def test_reductions(op: str, attrs: dict[str, Any]) -> None:
    check_op(f"_np_{op}", [X], attrs)
    check_op(f"_np_{op}", [X.astype("int32")], attrs)


@pytest.mark.parametrize("attrs", AXES)
@pytest.mark.parametrize("op", ["mean", "std", "var"])
def test_moments(op: str, attrs: dict[str, Any]) -> None:
    for kind in ("float16", "float32", "float64"):
        check_op(f"_npi_{op}", [X.astype(kind)], attrs)


@pytest.mark.parametrize("op", ["_np_sum", "_np_max", "_npi_mean", "_np_all", "_npi_std", "_np_cumsum", "_np_prod"])
def test_arrays_without_axes(op: str) -> None:
    check_op(op, [np.array(2.5, "float32")])
    if op in ("_np_all", "_np_prod", "_np_sum"):
        for axis in (0, -1):
            check_op(op, [np.array(2.5, "float32")], {"axis": axis})


@pytest.mark.parametrize("kind", ["int8", "uint8", "int32", "int64", "bool"])
def test_other_dtypes(kind: str) -> None:
    x = X.astype(kind)
    check_op("_np_sum", [x], {"axis": 1})
    check_op("_np_sum", [x], {"axis": 1, "dtype": "float32"})
    check_op("_np_all", [x], {"axis": 1})
    check_op("_np_any", [x], {"axis": "(0,2)"})
    assert check_op("_npi_mean", [x], {"axis": 0})[0].dtype == "float32"


@pytest.mark.parametrize("op", ["_np_sum", "_npi_mean"])
def test_a_wider_result(op: str) -> None:
    assert check_op(op, [X.astype("float16")], {"dtype": "float32"})[0].dtype == "float32"
    assert check_op(op, [X], {"dtype": "float64", "axis": 0})[0].dtype == "float64"


@pytest.mark.parametrize(
    ("op", "kind", "attrs"),
    [
        ("_np_sum", "float32", {"dtype": "int32"}),
        ("_np_sum", "float32", {"dtype": "float16"}),
        ("_np_sum", "float32", {"initial": 1}),
        ("_np_max", "bool", {}),
        ("_npi_mean", "int8", {"dtype": "int32"}),
        ("_npi_var", "float32", {"ddof": 24}),
        ("_npi_var", "float32", {"dtype": "float64"}),
        ("_npi_norm", "float32", {"flag": 0, "ord": 2, "axis": "(0,1)"}),
        ("_npi_norm", "float32", {"flag": 2, "ord": 2, "axis": "(0,1)"}),
        ("_npi_norm", "float32", {"flag": 1, "ord": 2}),
        ("_npi_norm", "float32", {"flag": -1, "ord": 0, "axis": 1}),
    ],
)
def test_what_is_refused(op: str, kind: str, attrs: dict[str, Any]) -> None:
    refused = refusal_of(op, [X.astype(kind)], attrs)
    assert refused and refused[0] == "attribute"


def test_the_second_output_is_refused() -> None:
    for op, attrs in (("_npi_var", {}), ("_npi_average", {"weighted": False, "returned": True})):
        refused = refusal_of(op, [X], attrs, outputs=(0, 1))
        assert refused and "output 1" in refused[1]


@pytest.mark.parametrize("ddof", [1, 2])
def test_degrees_of_freedom(ddof: int) -> None:
    check_op("_npi_std", [X], {"ddof": ddof, "axis": 1})
    check_op("_npi_var", [X], {"ddof": ddof, "axis": "(0,1)"})


def test_average() -> None:
    weights = random(2, 3, 4, low=0.1, high=3)
    for axis in ("None", "1", "(0,2)"):
        check_op("_npi_average", [X], {"weighted": False, "axis": axis})
        check_op("_npi_average", [X, weights], {"axis": axis})
    check_op("_npi_average", [X, weights[0, :, 0]], {"axis": 1})
    check_op("_npi_average", [X, weights[0, 0]], {"axis": -1})


@pytest.mark.parametrize(
    "attrs",
    [
        {"flag": -2},
        {"flag": -2, "keepdims": True},
        {"flag": 1, "ord": 2, "axis": 1},
        {"flag": 1, "ord": 2, "axis": "(0,-1)", "keepdims": True},
        {"flag": -1, "ord": 1, "axis": "(0,)"},
        {"flag": -1, "ord": 3, "axis": "(-1,)"},
        {"flag": -1, "ord": 2.5, "axis": "(1,)"},
    ],
)
def test_norm(attrs: dict[str, Any]) -> None:
    check_op("_npi_norm", [X], attrs)


def test_norm_does_not_overflow() -> None:
    check_op("_npi_norm", [X * np.float32(1e20)], {"flag": -2})


@pytest.mark.parametrize("axis", ["None", 0, 1, 2])
@pytest.mark.parametrize("kind", ["float16", "float32", "int8", "int32", "int64"])
def test_cumsum(kind: str, axis: Any) -> None:
    check_op("_np_cumsum", [X.astype(kind)], {"axis": axis})


@pytest.mark.parametrize("op", ["cumsum", "_np_cumsum"])
@pytest.mark.parametrize("kind", ["float32", "float16", "float64", "int8", "uint8", "int32", "int64", "bool"])
@pytest.mark.parametrize("result", [None, "float32", "float64", "int32", "int64", "int8"])
def test_cumsum_in_another_dtype(op: str, kind: str, result: str | None) -> None:
    x = (X * 3).astype(kind)
    check_op(op, [x], {"axis": 1} if result is None else {"axis": 1, "dtype": result})


def test_cumsum_of_large_integers_is_exact() -> None:
    check_op("_np_cumsum", [np.array([2**24 + 1, 1, 1, 2**30], "int32")], {"axis": 0})


@pytest.mark.parametrize("kind", ["float32", "uint8", "int32"])
@pytest.mark.parametrize("attrs", [{}, {"n": 2}, {"axis": 0}, {"n": 0}, {"n": 3, "axis": -1}])
def test_diff(kind: str, attrs: dict[str, Any]) -> None:
    check_op("_npi_diff", [X.astype(kind)], attrs)


def test_ediff1d() -> None:
    check_op("_npi_ediff1d", [X])
    check_op("_npi_ediff1d", [X], {"to_begin_scalar": 7, "to_end_scalar": 8})
    check_op("_npi_ediff1d", [X, X[0], X[0, 0]], {"to_begin_arr_given": 1, "to_end_arr_given": 1})
    check_op("_npi_ediff1d", [X, X[0, 0]], {"to_end_arr_given": 1, "to_begin_scalar": 5})
    check_op("_npi_ediff1d", [X[0, 0, :1]], {"to_begin_scalar": 2})


@pytest.mark.parametrize("kind", ["linear", "lower", "higher", "midpoint", "nearest"])
@pytest.mark.parametrize("q", [0, 37.5, 50, 100])
def test_percentile(kind: str, q: float) -> None:
    for axis in ("None", "1", "(0,2)"):
        check_op("_npi_percentile", [X], {"q_scalar": q, "interpolation": kind, "axis": axis, "keepdims": q == 50})


def test_the_nearest_of_two_percentiles_equally_near_is_the_higher() -> None:
    for size in (2, 4, 6):
        check_op("_npi_percentile", [random(size)], {"q_scalar": 50, "interpolation": "nearest", "axis": "None"})


def test_percentile_of_float16_is_float32() -> None:
    found = check_op("_npi_percentile", [X.astype("float16")], {"q_scalar": 30}, atol=2e-3)[0]
    assert found.dtype == "float32"


def test_percentiles_at_run_time_are_refused() -> None:
    assert refusal_of("_npi_percentile", [X, np.float32([10, 20])], {"interpolation": "linear", "axis": "None"})
