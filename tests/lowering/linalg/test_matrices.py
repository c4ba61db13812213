"""linalg_* operators against MXNet."""

from __future__ import annotations

import numpy as np
import pytest

from tests.lowering.harness import check_op, random, refusal_of

BOOLS = (False, True)


@pytest.mark.parametrize("lead", [(), (3,), (2, 1)])
@pytest.mark.parametrize("a", BOOLS)
@pytest.mark.parametrize("b", BOOLS)
def test_gemm(lead: tuple[int, ...], a: bool, b: bool) -> None:
    first = random(*lead, *((4, 2) if a else (2, 4)))
    second = random(*lead, *((5, 4) if b else (4, 5)), seed=1)
    third = random(*lead, 2, 5, seed=2)
    attrs = {"transpose_a": a, "transpose_b": b}
    check_op("_linalg_gemm2", [first, second], attrs)
    check_op("_linalg_gemm2", [first, second], {**attrs, "alpha": -0.7})
    check_op("_linalg_gemm", [first, second, third], attrs)
    check_op("_linalg_gemm", [first, second, third], {**attrs, "alpha": 2.5, "beta": -0.3})


@pytest.mark.parametrize("axis", [0, 1, -3, -2])
@pytest.mark.parametrize("a", BOOLS)
@pytest.mark.parametrize("b", BOOLS)
def test_gemm_with_rows_elsewhere(axis: int, a: bool, b: bool) -> None:
    # MXNet swaps the axis of the rows with the last but one; with others of unequal sizes they move too.
    def swapped(rows: int, columns: int, seed: int) -> np.ndarray:
        shape = [3, 3, 3, columns]
        shape[axis] = rows
        return random(*shape, seed=seed)

    first = swapped(*((4, 2) if a else (2, 4)), seed=0)
    second = swapped(*((5, 4) if b else (4, 5)), seed=1)
    attrs = {"transpose_a": a, "transpose_b": b, "axis": axis}
    check_op("_linalg_gemm2", [first, second], attrs)
    check_op("_linalg_gemm", [first, second, swapped(2, 5, seed=2)], {**attrs, "beta": 2})


def test_aliases() -> None:
    check_op("linalg_gemm2", [random(2, 3), random(3, 4)])
    check_op("linalg_gemm", [random(2, 3), random(3, 4), random(2, 4)])


@pytest.mark.parametrize("shape", [(3, 5), (2, 5, 3), (2, 1, 1, 4)])
@pytest.mark.parametrize("transpose", BOOLS)
def test_syrk(shape: tuple[int, ...], transpose: bool) -> None:
    check_op("_linalg_syrk", [random(*shape)], {"transpose": transpose})
    check_op("_linalg_syrk", [random(*shape, dtype="float64")], {"transpose": transpose, "alpha": 0.4})


@pytest.mark.parametrize("lead", [(), (2, 3)])
@pytest.mark.parametrize("transpose", BOOLS)
@pytest.mark.parametrize("right", BOOLS)
@pytest.mark.parametrize("lower", BOOLS)
def test_trmm(lead: tuple[int, ...], transpose: bool, right: bool, lower: bool) -> None:
    # The other triangle is not zero: it has to be ignored.
    a, b = random(*lead, 4, 4), random(*lead, *((3, 4) if right else (4, 3)), seed=1)
    check_op("_linalg_trmm", [a, b], {"transpose": transpose, "rightside": right, "lower": lower, "alpha": 1.5})


@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (2, 3, 3), (1, 2, 5, 5)])
def test_sumlogdiag(shape: tuple[int, ...]) -> None:
    check_op("_linalg_sumlogdiag", [random(*shape, low=0.5, high=3)])


@pytest.mark.parametrize("shape", [(4, 4), (2, 3, 3), (1, 2, 5, 5)])
@pytest.mark.parametrize("offset", [0, 1, -1, 2, -2])
def test_diagonals(shape: tuple[int, ...], offset: int) -> None:
    check_op("_linalg_extractdiag", [random(*shape)], {"offset": offset})
    check_op("_linalg_makediag", [random(*shape[:-1])], {"offset": offset})


@pytest.mark.parametrize("lead", [(), (2,), (1, 3)])
@pytest.mark.parametrize("offset", [0, 1, -1, 2, -2])
@pytest.mark.parametrize("lower", BOOLS)
def test_triangles(lead: tuple[int, ...], offset: int, lower: bool) -> None:
    attrs = {"offset": offset, "lower": lower}
    check_op("_linalg_extracttrian", [random(*lead, 4, 4)], attrs)
    check_op("_linalg_maketrian", [random(*lead, 6)], attrs)


def test_integers_are_refused() -> None:
    whole = random(3, 3, dtype="int32")
    assert refusal_of("_linalg_syrk", [whole], {})[0] == "dtype"
