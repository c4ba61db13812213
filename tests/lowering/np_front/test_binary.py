"""Elementwise operators of mx.np with two arrays, or an array and a number, agree with MXNet."""

from __future__ import annotations

import numpy as np
import pytest

from tests.lowering.harness import check_op, random, refusal_of

ARITHMETIC = ("add", "subtract", "multiply", "true_divide", "mod", "power")
A = np.array([-7, 3, 2, 0, 5, -1])
B = np.array([2, -2, 5, 3, -3, 4])
ZEROS = np.array([0.0, -0.0, 1, -1, 2, -3], "float32")


def positive(op: str) -> np.ndarray:
    return np.abs(A) if op == "power" else A


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("op", ARITHMETIC)
def test_floats_broadcast(op: str, dtype: str) -> None:
    a, b = positive(op).astype(dtype), B.astype(dtype)
    check_op(f"_npi_{op}", [a, b])
    check_op(f"_npi_{op}", [a.reshape(2, 3, 1), b.reshape(1, 6)])
    check_op(f"_npi_{op}", [a[1], b])
    check_op(f"_npi_{op}", [a[1], b[0]])


@pytest.mark.parametrize("kinds", [("float16", "float32"), ("float32", "float64"), ("int32", "float16")])
@pytest.mark.parametrize("op", ["add", "subtract", "multiply", "mod", "power"])
def test_mixed_dtypes_meet_in_the_wider_float(op: str, kinds: tuple[str, str]) -> None:
    a, b = (v.astype(kind) for v, kind in zip((positive(op), B), kinds))
    assert check_op(f"_npi_{op}", [a, b])[0].dtype == kinds[1]
    a, b = (v.astype(kind) for v, kind in zip((positive(op), B), reversed(kinds)))
    assert check_op(f"_npi_{op}", [a, b])[0].dtype == kinds[1]


@pytest.mark.parametrize("kind", ["int8", "uint8", "int32", "int64", "bool"])
@pytest.mark.parametrize("op", ARITHMETIC)
def test_an_integer_and_a_float_give_the_float(op: str, kind: str) -> None:
    assert check_op(f"_npi_{op}", [np.abs(A).astype(kind), B.astype("float32")])[0].dtype == "float32"


@pytest.mark.parametrize("kind", ["int8", "uint8", "int32", "int64"])
@pytest.mark.parametrize("op", ["add", "subtract", "multiply", "mod"])
def test_integers_wrap(op: str, kind: str) -> None:
    check_op(f"_npi_{op}", [(A * 20).astype(kind), (B * 20).astype(kind)])


@pytest.mark.parametrize("kinds", [("bool", "int32"), ("int8", "int32"), ("int32", "int64"), ("uint8", "int32")])
@pytest.mark.parametrize("op", ["add", "multiply"])
def test_integers_widen(op: str, kinds: tuple[str, str]) -> None:
    check_op(f"_npi_{op}", [A.astype(kinds[0]), B.astype(kinds[1])])


@pytest.mark.parametrize("kind", ["int32", "uint8", "int64", "bool"])
def test_integers_divide_to_float32(kind: str) -> None:
    b = np.array([2, 2, 5, 3, 3, 1]).astype(kind)
    assert check_op("_npi_true_divide", [A.astype(kind), b])[0].dtype == "float32"


def test_bools_are_joined_and_met() -> None:
    a, b = np.array([True, True, False, False]), np.array([True, False, True, False])
    assert check_op("_npi_add", [a, b])[0].dtype == "bool"
    assert check_op("_npi_multiply", [a, b])[0].dtype == "bool"


def test_mod_of_zero_is_zero() -> None:
    check_op("_npi_mod", [np.array([3, -2.5, 0], "float32"), np.zeros(3, "float32")])


@pytest.mark.parametrize(
    ("op", "a", "b"),
    [
        ("add", "int8", "uint8"),
        ("subtract", "int8", "int32"),
        ("mod", "bool", "bool"),
        ("subtract", "bool", "bool"),
        ("true_divide", "float16", "float32"),
        ("true_divide", "int32", "int64"),
        ("power", "int32", "int32"),
    ],
)
def test_what_is_refused(op: str, a: str, b: str) -> None:
    refused = refusal_of(f"_npi_{op}", [np.ones(3, a), np.ones(3, b)], {})
    assert refused and refused[0] == "attribute"


@pytest.mark.parametrize(("scalar", "is_int"), [(2, 1), (2, 0), (2.5, 0), (2.5, 1), (-3, 1)])
@pytest.mark.parametrize("op", ["add", "subtract", "rsubtract", "multiply", "mod", "rmod", "maximum", "minimum"])
def test_arithmetic_with_a_number(op: str, scalar: float, is_int: int) -> None:
    for kind in ("float32", "int32", "bool"):
        values = np.array([1, 2, 5]) if op == "rmod" else A
        check_op(f"_npi_{op}_scalar", [values.astype(kind)], {"scalar": scalar, "is_int": is_int})


def test_an_integer_and_a_fraction_give_float64() -> None:
    assert check_op("_npi_add_scalar", [A.astype("int32")], {"scalar": 0.5, "is_int": 0})[0].dtype == "float64"


@pytest.mark.parametrize("kind", ["float16", "float32", "int32", "uint8", "bool"])
@pytest.mark.parametrize(("scalar", "is_int"), [(2, 1), (2.5, 0), (2.5, 1), (-3, 1)])
def test_division_by_a_number(kind: str, scalar: float, is_int: int) -> None:
    attrs = {"scalar": scalar, "is_int": is_int}
    check_op("_npi_true_divide_scalar", [A.astype(kind)], attrs)
    check_op("_npi_rtrue_divide_scalar", [np.array([1, 2, 4]).astype(kind)], attrs)


def test_power_with_a_number() -> None:
    x = random(3, 4, low=0.1, high=3)
    for scalar in (2, 0.5, -1, 0):
        check_op("_npi_power_scalar", [x], {"scalar": scalar, "is_int": 0})
        check_op("_npi_rpower_scalar", [x], {"scalar": scalar + 1.5, "is_int": 0})
    check_op("_npi_power_scalar", [A.astype("int32")], {"scalar": 2})
    check_op("_npi_hypot_scalar", [x], {"scalar": 2.5})


@pytest.mark.parametrize("op", ["arctan2", "copysign", "hypot", "maximum", "minimum", "ldexp"])
def test_float_functions(op: str) -> None:
    for kind in ("float16", "float32", "float64"):
        check_op(f"_npi_{op}", [ZEROS[:, None].astype(kind), ZEROS[None].astype(kind)])


def test_signs_of_zero() -> None:
    angle = check_op("_npi_arctan2", [ZEROS[:2, None], ZEROS[None, :4]])[0]
    assert np.signbit(angle[1]).all() and not np.signbit(angle[0]).any()
    # C would look at the sign of -0, which MXNet takes for positive.
    assert check_op("_npi_copysign", [np.float32([2]), np.float32([-0.0])])[0][0] == 2


@pytest.mark.parametrize("scalar", [0.0, 1, -2, 2.5])
@pytest.mark.parametrize("op", ["arctan2", "rarctan2", "copysign", "rcopysign", "ldexp", "rldexp"])
def test_float_functions_with_a_number(op: str, scalar: float) -> None:
    check_op(f"_npi_{op}_scalar", [ZEROS], {"scalar": scalar})


def test_a_power_of_two_that_is_infinite_is_refused() -> None:
    assert refusal_of("_npi_ldexp_scalar", [np.ones(3, "float16")], {"scalar": 16})
    assert refusal_of("_npi_ldexp_scalar", [np.ones(3, "float32")], {"scalar": 1e9})
    assert refusal_of("_npi_mod_scalar", [np.ones(3, "float16")], {"scalar": 1e6})
