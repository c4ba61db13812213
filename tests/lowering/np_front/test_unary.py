"""Elementwise operators of mx.np with one array agree with MXNet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.lowering.harness import check_op, random, refusal_of

X = np.array([[-2.5, 0.5, 3, -1.5], [0.25, 1, 1.5, 2.5]])
POSITIVE = ("sqrt", "log", "log1p", "log2", "log10", "arccosh", "reciprocal")
UNIT = ("arcsin", "arccos", "arctanh")
FLOAT_ONLY = (
    *("cbrt", "exp", "expm1", "sin", "cos", "tan", "arctan", "sinh", "cosh", "tanh", "arcsinh", "degrees", "radians"),
    *POSITIVE,
    *UNIT,
)
NUMBERS = ("abs", "absolute", "negative", "sign", "square", "floor", "ceil", "trunc", "fix", "rint", "around")
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0, 1, -5])


def values(op: str) -> np.ndarray:
    return np.abs(X) + 1 if op in POSITIVE else X / 4 if op in UNIT else X


@pytest.mark.parametrize("op", FLOAT_ONLY)
def test_float_functions(op: str) -> None:
    for kind in ("float16", "float32", "float64"):
        check_op(f"_npi_{op}", [values(op).astype(kind)])
    check_op(f"_npi_{op}", [np.array(1.0 if op == "arccosh" else 0.75, "float32")])
    refused = refusal_of(f"_npi_{op}", [np.ones(3, "int32")], {})
    assert refused and refused[0] == "dtype"


@pytest.mark.parametrize("op", NUMBERS)
def test_functions_of_integers_too(op: str) -> None:
    kinds = ("float32", "float64", "int8", "uint8", "int32", "int64")
    for kind in kinds if op == "around" else ("float16", *kinds):
        check_op(f"_npi_{op}", [X.astype(kind)])
    check_op(f"_npi_{op}", [np.array(-1.5, "float32")])


@pytest.mark.parametrize("op", ["_npx_relu", "_npx_sigmoid", "_npx_erf", "_np_copy"])
def test_extensions(op: str) -> None:
    check_op(op, [X.astype("float32")])
    check_op(op, [np.array(-0.5, "float32")])


@pytest.mark.parametrize("decimals", [-2, -1, 0, 1, 2, 3])
def test_around(decimals: int) -> None:
    ties = np.array([-25.25, 15.05, 0.35, 0.45, 2.5, 3.5, -2.5, 151.2, -149.9, 1234.5678], "float32")
    check_op("_npi_around", [ties], {"decimals": decimals})
    check_op("_npi_around", [random(100, low=-300, high=300)], {"decimals": decimals})
    if decimals < 0:
        refused = refusal_of("_npi_around", [np.ones(3, "int32")], {"decimals": decimals})
        assert refused and "decimals" in refused[1]
    else:
        check_op("_npi_around", [ties.astype("int32")], {"decimals": decimals})


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "int8", "uint8", "int32", "int64", "bool"])
def test_logical_not(kind: str) -> None:
    assert check_op("_npi_logical_not", [np.array([-1, 0, 3]).astype(kind)])[0].dtype == "bool"


@pytest.mark.parametrize("op", ["isnan", "isinf", "isfinite", "isposinf", "isneginf"])
def test_predicates(op: str) -> None:
    for kind in ("float16", "float32", "float64"):
        check_op(f"_npi_{op}", [SPECIAL.astype(kind)])
    check_op(f"_npi_{op}", [np.array(np.nan, "float32")])
    assert refusal_of(f"_npi_{op}", [np.ones(3, "bool")], {})


@pytest.mark.parametrize("attrs", [{}, {"nan": 1.5}, {"posinf": 7, "neginf": -8}, {"posinf": "None", "copy": False}])
def test_nan_to_num(attrs: dict[str, Any]) -> None:
    for kind in ("float16", "float32", "float64"):
        check_op("_npi_nan_to_num", [SPECIAL.astype(kind)], attrs)
    check_op("_npi_nan_to_num", [np.array([1, -2], "int32")], attrs)
