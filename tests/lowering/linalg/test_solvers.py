"""Determinants, inverses, solutions and Cholesky factors agree with MXNet, also where rows must be exchanged."""

from __future__ import annotations

import numpy as np
import pytest

from gluon_neuron.graph.spec import Spec
from tests.lowering.harness import check_op, node_of, random, refusal_of, run_rule

SHAPES = [(1, 1), (2, 2), (5, 5), (3, 4, 4), (2, 1, 3, 3)]


def square(*shape: int, dtype: str = "float32") -> np.ndarray:
    """Matrices that are far from singular, and whose largest elements are not on the diagonal."""
    x = random(*shape, dtype=dtype) + 5 * np.roll(np.eye(shape[-1]), 1, 0)
    return x.astype(dtype)


def positive(*shape: int, dtype: str = "float32") -> np.ndarray:
    """Symmetric positive definite matrices."""
    x = random(*shape, dtype="float64")
    return (x @ np.swapaxes(x, -1, -2) + np.eye(shape[-1])).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [*SHAPES, (32, 32)])
def test_determinants_and_inverses(shape, dtype):
    a = square(*shape, dtype=dtype)
    for op in ("_linalg_inverse", "_npi_inv"):
        check_op(op, [a])
    for op in ("_linalg_slogdet", "_npi_slogdet"):
        check_op(op, [a], outputs=(0, 1), rtol=1e-5)
    if shape[-1] < 32:
        for op in ("_linalg_det", "_npi_det"):
            check_op(op, [a])


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (1, 0, 2, 3), (1, 2, 0, 3), (3, 2, 1, 0), (1, 2, 3, 0)])
def test_the_sign_of_permutations(order):
    a = np.eye(4, dtype="float32")[list(order)] * np.float32([1, -2, 3, 4])
    check_op("_linalg_det", [a])
    check_op("_linalg_slogdet", [a], outputs=(0, 1))
    check_op("_linalg_inverse", [a])


@pytest.mark.parametrize("a", [np.zeros((3, 3)), [[1, 2], [2, 4]], [[0, 0, 1], [0, 0, 2], [0, 3, 1]]])
def test_singular_matrices_have_the_determinant_zero(a):
    a = np.array(a, "float32")
    check_op("_linalg_det", [a])
    check_op("_linalg_slogdet", [a], outputs=(0, 1))


@pytest.mark.parametrize("op", ["_linalg_inverse", "_linalg_potrf"])
def test_what_mxnet_raises_for_is_no_number(op):
    a = np.float32([[1, 2], [2, 4]] if op == "_linalg_inverse" else [[1, 2], [2, 1]])
    node = node_of(op, [Spec(a.shape, "float32")], {})
    for namespace in ("numpy", "openvino", "jax"):
        assert not np.isfinite(run_rule(namespace, node, [a])[0]).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("a", "b"), [((3, 3), (3,)), ((4, 4), (4, 2)), ((2, 3, 3), (2, 3, 5)), ((1, 1), (1,))])
def test_solve(a, b, dtype):
    check_op("_npi_solve", [square(*a, dtype=dtype), random(*b, dtype=dtype)])


def test_tensors_as_matrices():
    check_op("_npi_tensorinv", [square(6, 6).reshape(2, 3, 3, 2)], {"ind": 2})
    check_op("_npi_tensorinv", [square(6, 6).reshape(6, 3, 2)], {"ind": 1})
    check_op("_npi_tensorsolve", [square(6, 6).reshape(2, 3, 6), random(2, 3)])
    check_op("_npi_tensorsolve", [square(6, 6).reshape(6, 2, 3).copy(), random(2, 3)], {"a_axes": "(0,)"})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [*SHAPES, (32, 32)])
def test_cholesky(shape, dtype):
    a = positive(*shape, dtype=dtype)
    for op in ("_linalg_potrf", "_npi_cholesky"):
        check_op(op, [a])
        check_op(op, [a], {"lower": False})
        # The other triangle is not read.
        check_op(op, [np.where(np.tri(shape[-1]) > 0, a, 77).astype(dtype)])
        check_op(op, [np.where(np.tri(shape[-1]).T > 0, a, 77).astype(dtype)], {"lower": False})


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_potri(shape, lower):
    a = square(*shape) + np.float32(4) * np.eye(shape[-1], dtype="float32")
    check_op("_linalg_potri", [a], {"lower": lower})


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("transpose", [True, False])
@pytest.mark.parametrize("rightside", [True, False])
def test_trsm(rightside, transpose, lower):
    attrs = {"rightside": rightside, "transpose": transpose, "lower": lower}
    for shape, other in (((4, 4), (2, 4)), ((2, 3, 3), (2, 5, 3)), ((1, 1), (1, 1))):
        a = square(*shape) + np.float32(4) * np.eye(shape[-1], dtype="float32")
        b = random(*other) if rightside else random(*other[:-2], other[-1], other[-2])
        check_op("_linalg_trsm", [a, b], attrs)
        check_op("_linalg_trsm", [a, b], {**attrs, "alpha": -1.5})


@pytest.mark.parametrize(
    ("op", "shapes", "attrs"),
    [
        ("_linalg_det", [(33, 33)], {}),
        ("_npi_inv", [(2, 40, 40)], {}),
        ("_linalg_potrf", [(33, 33)], {}),
        ("_linalg_trsm", [(33, 33), (33, 2)], {}),
        ("_npi_solve", [(33, 33), (33, 2)], {}),
        ("_npi_tensorinv", [(6, 6, 36)], {"ind": 2}),
        ("_npi_tensorsolve", [(6, 6, 36), (6, 6)], {}),
    ],
)
def test_wide_matrices_are_refused(op, shapes, attrs):
    assert "unrolled" in refusal_of(op, [Spec(s, "float32") for s in shapes], attrs)[1]
