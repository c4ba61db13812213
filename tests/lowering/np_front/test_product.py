"""Matrix products of mx.np agree with MXNet."""

from __future__ import annotations

import numpy as np
import pytest

from tests.lowering.harness import check_op, random, refusal_of

Shape = tuple[int, ...]
BOTH: list[tuple[Shape, Shape]] = [
    ((2, 3), (3, 2)),
    ((3,), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3,)),
    ((2, 2, 3), (3, 2)),
    ((3,), (2, 3, 2)),
    ((2, 2, 3), (3,)),
    ((1, 1), (1, 1)),
]


@pytest.mark.parametrize("shapes", [*BOTH, ((2, 1, 2, 3), (2, 3, 2)), ((2, 3), (2, 3, 2)), ((5, 1, 2, 3), (4, 3, 1))])
def test_matmul(shapes: tuple[Shape, Shape]) -> None:
    check_op("_npi_matmul", [random(*s) for s in shapes])
    check_op("_npi_matmul", [random(*s, dtype="float64") for s in shapes])


@pytest.mark.parametrize("shapes", [*BOTH, ((), (3,)), ((2, 2), ()), ((), ()), ((2, 2, 3), (2, 3, 2))])
def test_dot(shapes: tuple[Shape, Shape]) -> None:
    check_op("_np_dot", [np.asarray(random(*s)) for s in shapes])


@pytest.mark.parametrize(
    ("a", "b", "over_a", "over_b"),
    [
        ((2, 3, 4), (4, 3, 2), "(1,2)", "(1,0)"),
        ((2, 3, 4), (4, 3, 2), "(-1,)", "(0,)"),
        ((2,), (3,), "()", "()"),
        ((2, 3), (2, 3), "(0,1)", "(0,1)"),
        ((2, 3), (3, 2), "(1,0)", "(0,1)"),
        ((2, 3, 4), (3,), "(1,)", "(0,)"),
    ],
)
def test_tensordot(a: Shape, b: Shape, over_a: str, over_b: str) -> None:
    attrs = {"a_axes_summed": over_a, "b_axes_summed": over_b}
    check_op("_npi_tensordot", [random(*a), random(*b)], attrs)


@pytest.mark.parametrize(
    ("axes", "a", "b"),
    [(0, (2, 3), (4,)), (1, (2, 3, 4), (4, 2)), (2, (2, 3, 4), (3, 4, 2)), (1, (3,), (3,)), (0, (), (3,))],
)
def test_tensordot_of_neighbouring_axes(axes: int, a: Shape, b: Shape) -> None:
    check_op("_npi_tensordot_int_axes", [np.asarray(random(*s)) for s in (a, b)], {"axes": axes})


@pytest.mark.parametrize("count", [1, 3, 5])
@pytest.mark.parametrize("shape", [(4,), (2, 2), ()])
def test_polyval(count: int, shape: Shape) -> None:
    x = np.asarray(random(*shape))
    check_op("_npi_polyval", [random(count), x])
    check_op("_npi_polyval", [np.arange(count, dtype="int32"), (3 * x).astype("int32")])


def test_integers_are_refused() -> None:
    for op in ("_npi_matmul", "_np_dot"):
        refused = refusal_of(op, [np.ones((2, 2), "int32")] * 2, {})
        assert refused and refused[0] == "dtype"
