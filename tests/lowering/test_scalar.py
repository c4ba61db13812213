"""Elementwise operators with a scalar, clip and smooth_l1 against MXNet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.lowering.harness import check_op, random, refusal_of

ARITHMETIC = ["_plus", "_minus", "_rminus", "_mul", "_div", "_mod", "_maximum", "_minimum"]
COMPARISONS = ["_equal", "_not_equal", "_greater", "_greater_equal", "_lesser", "_lesser_equal"]
LOGIC = ["_logical_and", "_logical_or", "_logical_xor"]
FLOATS = np.array([-7.0, -2.5, -1.0, -0.0, 0.0, 0.5, 2.5, 7.0], "float32")
INTEGERS = np.array([-7, -3, -1, 0, 1, 2, 5, 7], "int32")


@pytest.mark.parametrize("scalar", [2.5, -2.5, 3, 0.0])
@pytest.mark.parametrize("op", [*ARITHMETIC, *COMPARISONS, *LOGIC, "_hypot"])
def test_floats(op: str, scalar: float) -> None:
    # 0 / 0 is not promised.
    scalar = scalar or (0.0 if op != "_div" else 1e-3)
    check_op(f"{op}_scalar", [FLOATS], {"scalar": scalar, "is_int": 0})


@pytest.mark.parametrize("op", [*ARITHMETIC, *COMPARISONS, *LOGIC])
def test_float16(op: str) -> None:
    check_op(f"{op}_scalar", [FLOATS.astype("float16")], {"scalar": 2.5, "is_int": 0})


@pytest.mark.parametrize("scalar", [2.5, -2.5, 3])
@pytest.mark.parametrize("op", ["_rdiv", "_rmod"])
def test_reversed(op: str, scalar: float) -> None:
    check_op(f"{op}_scalar", [FLOATS[FLOATS != 0]], {"scalar": scalar})
    check_op(f"{op}_scalar", [INTEGERS[INTEGERS != 0]], {"scalar": scalar})


def test_rmod_of_zero_is_zero() -> None:
    check_op("_rmod_scalar", [np.array([0.0, 3.0], "float32")], {"scalar": 2.0})


@pytest.mark.parametrize("scalar", [0, 1, 2, 3, 0.5, -0.5, -1, -2])
def test_power(scalar: float) -> None:
    positive = np.array([0.1, 0.5, 1.0, 3.0], "float32")
    check_op("_power_scalar", [positive], {"scalar": scalar})
    check_op("_rpower_scalar", [FLOATS], {"scalar": abs(scalar) + 0.5})


@pytest.mark.parametrize("scalar", [2, 3])
def test_power_of_negative_bases(scalar: int) -> None:
    check_op("_power_scalar", [FLOATS], {"scalar": scalar})
    check_op("_power_scalar", [INTEGERS], {"scalar": scalar})


@pytest.mark.parametrize("scalar", [2.7, -2.7, 3])
@pytest.mark.parametrize("op", [*ARITHMETIC, *COMPARISONS, *LOGIC])
def test_integers_truncate_the_scalar(op: str, scalar: float) -> None:
    check_op(f"{op}_scalar", [INTEGERS], {"scalar": scalar})
    check_op(f"{op}_scalar", [INTEGERS.astype("int64")], {"scalar": scalar})


@pytest.mark.parametrize("op", [*ARITHMETIC, *COMPARISONS, *LOGIC])
def test_integers_and_a_float_give_float64(op: str) -> None:
    got = check_op(f"{op}_scalar", [INTEGERS], {"scalar": 2.5, "is_int": 0})[0]
    assert got.dtype == "float64"


@pytest.mark.parametrize("op", ["_plus", "_mul", "_equal", "_greater", "_logical_and"])
def test_bool(op: str) -> None:
    check_op(f"{op}_scalar", [np.array([True, False, True])], {"scalar": 1})


@pytest.mark.parametrize(
    ("op", "dtype", "scalar"),
    [
        ("_plus", "uint8", 300),
        ("_mul", "uint8", -1),
        ("_plus", "int32", "inf"),
        ("_plus", "float32", "nan"),
        ("_div", "int32", 0.5),
        ("_power", "int32", -1),
        ("_mod", "float32", "inf"),
    ],
)
def test_refusals(op: str, dtype: str, scalar: Any) -> None:
    refused = refusal_of(f"{op}_scalar", [np.ones(3, dtype)], {"scalar": scalar})
    assert refused and refused[0] == "attribute"


@pytest.mark.parametrize("scalar", ["inf", "-inf"])
@pytest.mark.parametrize("op", ["_plus", "_maximum", "_minimum", "_greater", "_lesser_equal"])
def test_infinite_scalars(op: str, scalar: str) -> None:
    check_op(f"{op}_scalar", [FLOATS], {"scalar": scalar})


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        ("float32", 0, 6),
        ("float32", -1.5, 1.5),
        ("float32", "-inf", 2.5),
        ("float32", 1, "inf"),
        ("float32", 2, 2),
        ("float16", -1.5, 1.5),
        ("int32", 0, 6),
        ("int32", 0.5, 3.7),
        ("int32", -2.5, 3.7),
        ("int32", -1e12, 1e12),
        ("float32", 1, -1),
        ("float32", "inf", "-inf"),
        ("float16", 1.5, 0.5),
        ("int32", 1.7, -1.2),
        ("int32", -1.2, -1.7),
        ("int8", 3, -2.5),
        ("uint8", -1, 300),
        ("int8", -200, 2),
    ],
)
def test_clip(dtype: str, low: Any, high: Any) -> None:
    values = np.abs(INTEGERS) if dtype == "uint8" else INTEGERS if dtype.startswith("int") else FLOATS
    check_op("clip", [values.astype(dtype)], {"a_min": low, "a_max": high})


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [("uint8", 300, 2), ("int8", 2, -200), ("uint8", -5, -1), ("int32", "inf", "inf"), ("float32", "nan", 1)],
)
def test_clip_to_nothing_is_refused(dtype: str, low: Any, high: Any) -> None:
    refused = refusal_of("clip", [np.ones(3, dtype)], {"a_min": low, "a_max": high})
    assert refused and refused[0] == "attribute"


@pytest.mark.parametrize("scalar", [1.0, 0.5, 3.0, 0.0])
def test_smooth_l1(scalar: float) -> None:
    check_op("smooth_l1", [random(3, 4)], {"scalar": scalar})
