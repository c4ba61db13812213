"""Elementwise operators of two arrays, and sums of many, against MXNet."""

from __future__ import annotations

import numpy as np
import pytest

from gluon_neuron.lowering.binary import FUNCTIONS
from gluon_neuron.lowering.registry import rules
from tests.lowering.harness import check_op, random, refusal_of

BROADCAST = [names[0] if names[0].startswith("broadcast") else names[1] for _, _, names in FUNCTIONS.values()]
ELEMENTWISE = ["elemwise_add", "elemwise_sub", "elemwise_mul", "elemwise_div", "_grad_add"]
SAME_SHAPE = [*ELEMENTWISE, *(f"_{key}" for key in FUNCTIONS if key not in ("add", "sub", "mul", "div"))]
FLOAT_ONLY = ("power", "hypot")


def _operands(op: str, a: tuple[int, ...], b: tuple[int, ...], dtype: str = "float32") -> list[np.ndarray]:
    """Values with equal pairs and zeros for comparisons, positive ones for powers, no zero divisors."""
    x, y = random(*a, low=-5.0, high=5.0), random(*b, seed=1, low=-5.0, high=5.0)
    if op.endswith("power"):
        x = np.abs(x) + 0.1
    if not op.endswith(FLOAT_ONLY):
        x, y = np.round(x), np.round(y)
    if op.endswith(("div", "mod")):
        y = np.where(y == 0, 3, y)
    if dtype == "uint8":
        x, y = np.abs(x), np.abs(y)
    return [x.astype(dtype), y.astype(dtype)]


@pytest.mark.parametrize("op", BROADCAST)
@pytest.mark.parametrize(("a", "b"), [((3, 4), (3, 4)), ((3, 1), (1, 4)), ((2, 3, 4), (1, 3, 1)), ((1,), (5,))])
def test_broadcast(op: str, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    check_op(op, _operands(op, a, b))


@pytest.mark.parametrize("op", SAME_SHAPE)
@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
def test_same_shape(op: str, dtype: str) -> None:
    check_op(op, _operands(op, (4, 5), (4, 5), dtype))


@pytest.mark.parametrize("op", [op for op in SAME_SHAPE if not op.endswith(FLOAT_ONLY)])
@pytest.mark.parametrize("dtype", ["int32", "int64", "int8", "uint8"])
def test_integers(op: str, dtype: str) -> None:
    check_op(op, _operands(op, (6, 7), (6, 7), dtype))


@pytest.mark.parametrize("op", [op for op in SAME_SHAPE if op.endswith(FLOAT_ONLY)])
def test_integers_are_refused(op: str) -> None:
    refused = refusal_of(op, _operands(op, (2, 3), (2, 3), "int32"), {})
    assert refused and refused[0] == "dtype"


def test_every_alias_has_a_rule() -> None:
    missing = {name for _, _, names in FUNCTIONS.values() for name in names} - set(rules())
    assert not missing


def test_mod_by_zero_is_zero() -> None:
    x = np.array([-2.5, 0.0, 3.5, 7.0], "float32")
    assert check_op("broadcast_mod", [x, np.zeros(1, "float32")])[0].tolist() == [0, 0, 0, 0]


def test_mod_has_the_sign_of_the_divisor() -> None:
    x, y = np.array([5.5, -5.5, 5.5, -5.5], "float32"), np.array([3.0, 3.0, -3.0, -3.0], "float32")
    check_op("_mod", [x, y])


def test_division_by_zero_is_infinite() -> None:
    assert np.isinf(check_op("elemwise_div", [np.array([1.0, -1.0], "float32"), np.zeros(2, "float32")])[0]).all()


def test_power_of_negative_bases() -> None:
    check_op("_power", [np.array([-2.0, -2.0, 0.0, 4.0], "float32"), np.array([2.0, 3.0, 0.0, -0.5], "float32")])


def test_hypot_does_not_overflow() -> None:
    got = check_op("_hypot", [np.array([3e30, 0.0, 1e-30], "float32"), np.array([4e30, 0.0, 1e-30], "float32")])[0]
    assert np.isfinite(got).all()


@pytest.mark.parametrize("dtype", ["float32", "int32"])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_add_n(count: int, dtype: str) -> None:
    xs = [random(3, 4, seed=s, dtype=dtype, low=-9.0, high=9.0) for s in range(count)]
    check_op("add_n", xs, {"num_args": count})


@pytest.mark.parametrize("count", [3, 4, 5, 6])
def test_add_n_of_halves_adds_in_the_order_of_mxnet(count: int) -> None:
    xs = [random(50, 40, dtype="float16", seed=s, low=-900.0, high=900.0) for s in range(count)]
    check_op("add_n", xs, {"num_args": count}, namespaces=("numpy",), atol=0.0)
