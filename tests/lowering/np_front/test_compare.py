"""Comparisons of mx.np and its operators on bits agree with MXNet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.lowering.harness import check_op, refusal_of

COMPARISONS = ("equal", "not_equal", "greater", "greater_equal", "less", "less_equal")
A = np.array([-7, 3, 2, 0, 5, -1])


@pytest.mark.parametrize("kind", ["float16", "float32", "int8", "uint8", "int32", "int64", "bool"])
@pytest.mark.parametrize("op", COMPARISONS)
def test_comparisons_give_bool(op: str, kind: str) -> None:
    a, b = A.astype(kind), np.array([-7, 4, 1, 0, 0, 1]).astype(kind)
    assert check_op(f"_npi_{op}", [a, b])[0].dtype == "bool"
    check_op(f"_npi_{op}", [a.reshape(6, 1), b])


@pytest.mark.parametrize(("scalar", "is_int"), [(2, 1), (2.5, 0), (2.5, 1), (-2.5, 0), (0, 1), (0.5, 0)])
@pytest.mark.parametrize("op", COMPARISONS)
def test_comparisons_with_a_number(op: str, scalar: float, is_int: int) -> None:
    for kind in ("float16", "float32", "int32", "int64", "bool"):
        check_op(f"_npi_{op}_scalar", [A.astype(kind)], {"scalar": scalar, "is_int": is_int})


@pytest.mark.parametrize("scalar", [0.5, -0.5, 0.0, 2.5, -1])
@pytest.mark.parametrize("op", COMPARISONS)
def test_bools_compare_with_whether_the_number_is_0(op: str, scalar: float) -> None:
    for is_int in (0, 1):
        check_op(f"_npi_{op}_scalar", [np.array([False, True])], {"scalar": scalar, "is_int": is_int})


def test_large_integers_are_compared_exactly() -> None:
    x = np.array([2**24, 2**24 + 1, 2**24 + 2], "int32")
    check_op("_npi_equal_scalar", [x], {"scalar": 2**24 + 1})
    check_op("_npi_less_scalar", [x], {"scalar": 2**24 + 1.5, "is_int": 0})


@pytest.mark.parametrize(("kind", "scalar"), [("uint8", 256), ("int32", 1e10), ("float32", "nan"), ("bool", "inf")])
def test_numbers_that_do_not_fit_are_refused(kind: str, scalar: Any) -> None:
    refused = refusal_of("_npi_less_scalar", [np.ones(3, kind)], {"scalar": scalar})
    assert refused and "scalar" in refused[1]


@pytest.mark.parametrize("op", ["and", "or", "xor"])
def test_bits(op: str) -> None:
    a, b = np.array([2**30 + 5, 7 - 2**31, 123456789, -1]), np.array([2**30 + 4, -1, 987654321, 2**31 - 1])
    for kind in ("int8", "uint8", "int32", "int64", "bool"):
        x, y = (a % 3 == 0, b % 2 == 0) if kind == "bool" else (a.astype(kind), b.astype(kind))
        check_op(f"_npi_bitwise_{op}", [x, y])
        if kind != "bool":
            check_op(f"_npi_bitwise_{op}", [x[:, None], y])
        check_op(f"_npi_bitwise_{op}_scalar", [x], {"scalar": 5})


def test_bits_turned_over() -> None:
    for kind in ("int8", "uint8", "int32", "int64", "bool"):
        check_op("_npi_bitwise_not", [A.astype(kind)])
