"""Operators of mx.np that move elements agree with MXNet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.lowering.harness import check_op, refusal_of

KINDS = ("float32", "float16", "int32", "uint8")


def ramp(*shape: int, dtype: str = "float32") -> np.ndarray:
    return np.arange(1, 1 + int(np.prod(shape))).reshape(shape).astype(dtype)


@pytest.mark.parametrize("k", [-1, 0, 2])
def test_diagonals(k: int) -> None:
    for kind in KINDS:
        check_op("_np_diag", [ramp(3, dtype=kind)], {"k": k})
        check_op("_np_diag", [ramp(3, 4, dtype=kind)], {"k": k})
    check_op("_np_diagflat", [ramp(2, 2)], {"k": k})
    for axes in ((0, 1), (-1, 0)):
        attrs = {"offset": k, "axis1": axes[0], "axis2": axes[1]}
        check_op("_np_diagonal", [ramp(3, 4, 5)], attrs)
        check_op("_np_trace", [ramp(3, 4, 5)], attrs)


def test_trace_of_an_empty_diagonal_is_refused() -> None:
    refused = refusal_of("_np_trace", [ramp(2, 3)], {"offset": 3})
    assert refused and "empty" in refused[1]


@pytest.mark.parametrize("k", [-2, -1, 0, 1, 5])
def test_tril(k: int) -> None:
    for x in (ramp(3), ramp(2, 4, 2), ramp(2, 3, dtype="int32")):
        check_op("_npi_tril", [x], {"k": k})


@pytest.mark.parametrize(
    "attrs",
    [
        {"shift": 1},
        {"shift": -9},
        {"shift": -1, "axis": 1},
        {"shift": "(1,2)", "axis": "(0,-1)"},
        {"shift": 2, "axis": "(0,1)"},
        {"shift": 0, "axis": 0},
    ],
)
def test_roll(attrs: dict[str, Any]) -> None:
    for kind in KINDS:
        check_op("_np_roll", [ramp(2, 3, dtype=kind)], attrs)
    check_op("_np_roll", [ramp(3, 2, 4)], attrs)


def test_roll_of_a_scalar() -> None:
    check_op("_np_roll", [np.array(1, "float32")], {"shift": 1})


@pytest.mark.parametrize("k", [-3, 0, 1, 2, 3, 5])
def test_rot90(k: int) -> None:
    for axes in ("(0,1)", "(1,0)", "(-1,0)"):
        check_op("_npi_rot90", [ramp(2, 3, 4)], {"k": k, "axes": axes})


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (2, 3, 2), (2, 1, 2, 2)])
def test_atleast(shape: tuple[int, ...]) -> None:
    for n in (1, 2, 3):
        check_op(f"_np_atleast_{n}d", [ramp(*shape)], {"num_args": 1})
        check_op(f"_np_atleast_{n}d", [ramp(*shape), ramp(2)], {"num_args": 2}, outputs=(0, 1))


@pytest.mark.parametrize("shapes", [((3,), (3,)), ((), ()), ((2, 3), (2, 3)), ((1, 2, 2), (3, 2, 2)), ((3,),)])
def test_stacks(shapes: tuple[tuple[int, ...], ...]) -> None:
    arrays = [ramp(*s) for s in shapes]
    check_op("_npi_vstack", arrays, {"num_args": len(arrays)})
    if shapes != ((1, 2, 2), (3, 2, 2)):
        check_op("_npi_column_stack", arrays, {"num_args": len(arrays)})


def test_vectors_are_stacked_with_matrices() -> None:
    check_op("_npi_vstack", [ramp(3), ramp(2, 3)], {"num_args": 2})
    check_op("_npi_column_stack", [ramp(3), ramp(3, 2)], {"num_args": 2})


@pytest.mark.parametrize(("attrs", "count"), [({"indices": "(0,1,3)"}, 3), ({"indices": "()", "sections": 2}, 2)])
def test_splits(attrs: dict[str, Any], count: int) -> None:
    outputs = tuple(range(count))
    for x in (ramp(6), ramp(2, 6)):
        check_op("_npi_hsplit", [x], {**attrs, "axis": 1}, outputs=outputs)
    check_op("_npi_dsplit", [ramp(2, 3, 6)], {**attrs, "axis": 2}, outputs=outputs)
    check_op("_npi_split", [ramp(6, 2)], {**attrs, "axis": 0}, outputs=(count - 1,))


@pytest.mark.parametrize(
    ("op", "attrs"),
    [
        ("_np_squeeze", {}),
        ("_np_reshape", {"newshape": "()"}),
        ("_npx_reshape", {"newshape": "(1,1)"}),
        ("_np_transpose", {}),
        ("_npi_expand_dims", {"axis": 0}),
        ("_npi_broadcast_to", {"shape": "(2,2)"}),
        ("_npi_tile", {"reps": "(2,)"}),
        ("_npi_stack", {"num_args": 1}),
        ("_npi_concatenate", {"num_args": 1, "axis": "None"}),
        ("_np_repeat", {"repeats": 2}),
        ("_npi_sort", {"axis": "None"}),
        ("_npx_one_hot", {"depth": 3}),
        ("_npx_arange_like", {}),
    ],
)
def test_arrays_without_axes(op: str, attrs: dict[str, Any]) -> None:
    check_op(op, [np.array(1, "float32")], attrs)


@pytest.mark.parametrize("shape", ["(-2,-1)", "(-5,)", "(-6,2,-1,-2)", "(-4,)", "(-2,-5)", "(-1,)"])
def test_npx_reshape_codes(shape: str) -> None:
    check_op("_npx_reshape", [ramp(2, 3, 4) if shape == "(-2,-5)" else ramp(2, 3)], {"newshape": shape})
