"""FullyConnected, dot, batch_dot and khatri_rao against MXNet."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lowering.harness import check_op, random, refusal_of


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("shape", "flatten"),
    [
        ((3, 5), True),
        ((2, 3, 4), True),
        ((2, 3, 4), False),
        ((2, 3, 2, 2), True),
        ((1, 2, 3, 4), False),
        ((3, 5), False),
    ],
)
def test_fully_connected(shape: tuple[int, ...], flatten: bool, bias: bool) -> None:
    inner = random(*shape).reshape(shape[0], -1).shape[1] if flatten else shape[-1]
    inputs = [random(*shape), random(6, inner, seed=1)] + [random(6, seed=2)] * bias
    attrs = {"num_hidden": 6, "flatten": flatten, "no_bias": not bias}
    check_op("FullyConnected", inputs, attrs)
    check_op("FullyConnected", inputs, attrs, params_are_weights=True)


def test_fully_connected_of_a_vector() -> None:
    check_op("FullyConnected", [random(5), random(3, 1, seed=1), random(3, seed=2)], {"num_hidden": 3})
    check_op("FullyConnected", [random(5), random(3, 5, seed=1), random(3)], {"num_hidden": 3, "flatten": False})


@given(st.lists(st.integers(1, 4), min_size=2, max_size=4), st.integers(1, 5), st.booleans(), st.booleans())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_fully_connected_of_any_shape(shape: list[int], hidden: int, flatten: bool, bias: bool) -> None:
    data = random(*shape)
    inner = data.size // shape[0] if flatten else shape[-1]
    inputs = [data, random(hidden, inner, seed=1)] + [random(hidden, seed=2)] * bias
    check_op("FullyConnected", inputs, {"num_hidden": hidden, "flatten": flatten, "no_bias": not bias})


@pytest.mark.parametrize(
    ("a", "b", "transpose_a", "transpose_b"),
    [
        ((4,), (4,), False, False),
        ((4,), (4, 5), False, False),
        ((4,), (5, 4), False, True),
        ((3, 4), (4, 5), False, False),
        ((4, 3), (4, 5), True, False),
        ((3, 4), (5, 4), False, True),
        ((4, 3), (5, 4), True, True),
        ((3, 4), (4,), False, False),
        ((4, 3), (4,), True, False),
        ((2, 3, 4), (4, 5), False, False),
        ((2, 3, 4), (4, 2, 5), False, False),
        ((4, 3, 2), (4, 5), True, False),
        ((2, 3, 4), (5, 2, 4), False, True),
        ((4, 2, 3), (2, 5, 4), True, True),
    ],
)
def test_dot(a: tuple[int, ...], b: tuple[int, ...], transpose_a: bool, transpose_b: bool) -> None:
    attrs = {"transpose_a": transpose_a, "transpose_b": transpose_b}
    check_op("dot", [random(*a), random(*b, seed=1)], attrs)


@pytest.mark.parametrize("lead", [(2,), (2, 3), (1, 2, 2)])
@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("transpose_b", [False, True])
def test_batch_dot(lead: tuple[int, ...], transpose_a: bool, transpose_b: bool) -> None:
    a = random(*lead, *((4, 3) if transpose_a else (3, 4)))
    b = random(*lead, *((5, 4) if transpose_b else (4, 5)), seed=1)
    check_op("batch_dot", [a, b], {"transpose_a": transpose_a, "transpose_b": transpose_b})


@pytest.mark.parametrize("op", ["dot", "batch_dot"])
def test_float64(op: str) -> None:
    shape = (2, 3) if op == "dot" else (2, 3, 3)
    check_op(
        op,
        [
            random(*shape, dtype="float64"),
            random(3, 3, dtype="float64") if op == "dot" else random(*shape, dtype="float64"),
        ],
    )


def test_integers_are_refused() -> None:
    refused = refusal_of("dot", [random(2, 3, dtype="int32"), random(3, 2, dtype="int32")], {})
    assert refused and refused[0] == "dtype"


@pytest.mark.parametrize("rows", [(2,), (2, 3), (3, 1, 4)])
def test_khatri_rao(rows):
    for kind in ("float32", "float64"):
        matrices = [random(r, 5, dtype=kind, seed=k) for k, r in enumerate(rows)]
        check_op("khatri_rao", matrices, {"num_args": len(rows)})
