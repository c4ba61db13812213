"""Operators that move, repeat or relabel elements agree with MXNet."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lowering.harness import check_op, refusal_of

X = np.arange(2 * 3 * 4 * 6, dtype=np.float32).reshape(2, 3, 4, 6)
ROW = np.arange(5, dtype=np.float32)

CASES = [
    ("Reshape", X, {"shape": "(-1,)"}),
    ("Reshape", X, {"shape": "(0, 0, -3)"}),
    ("Reshape", X, {"shape": "(-2,)"}),
    ("Reshape", X, {"shape": "(0, -4, -1, 1, -2)"}),
    ("Reshape", X, {"shape": "(-1, 0)", "reverse": True}),
    ("Reshape", X, {"target_shape": "(0, 6)"}),
    ("Reshape", X, {"target_shape": "(1, 0)", "keep_highest": True}),
    ("Flatten", X, {}),
    ("Flatten", ROW, {}),
    ("expand_dims", X, {"axis": 0}),
    ("expand_dims", X, {"axis": -1}),
    ("squeeze", X[:1, :, :1], {}),
    ("squeeze", X[:1, :, :1], {"axis": "(0, -2)"}),
    ("squeeze", X[:1, :1, :1, :1], {}),
    ("transpose", X, {}),
    ("transpose", X, {"axes": "(0, 2, 3, 1)"}),
    ("transpose", ROW, {}),
    ("SwapAxis", X, {"dim1": -1, "dim2": 1}),
    ("SwapAxis", X, {}),
    ("broadcast_to", X[:1], {"shape": "(3, 0, 4, 6)"}),
    ("broadcast_axis", X[:, :1, :, :1], {"axis": "(1, 3)", "size": "(2, 5)"}),
    ("broadcast_axis", X[:, :1], {"axis": 1, "size": 2}),
    ("tile", X, {"reps": "(2,)"}),
    ("tile", X, {"reps": "(2, 1, 1, 1, 3)"}),
    ("tile", X[:1], {"reps": "(3, 1, 1, 2)"}),
    ("tile", ROW, {"reps": "()"}),
    ("repeat", X, {"repeats": 2}),
    ("repeat", X, {"repeats": 3, "axis": -2}),
    ("repeat", X, {"repeats": 1, "axis": 0}),
    ("reverse", X, {"axis": "(0, 3)"}),
    ("reverse", X, {"axis": 1}),
    ("reverse", X, {"axis": "()"}),
    ("depth_to_space", np.concatenate([X, X], 1)[:, :4], {"block_size": 2}),
    ("depth_to_space", X, {"block_size": 1}),
    ("space_to_depth", X, {"block_size": 2}),
    ("_np_transpose", X, {"axes": "(0, -1, 1, 2)"}),
    ("_np_transpose", X, {}),
    ("_np_moveaxis", X, {"source": "(0, 1)", "destination": "(-1, 0)"}),
    ("_np_moveaxis", X, {"source": "(2,)", "destination": "(0,)"}),
    ("_np_squeeze", X[:1], {"axis": "(0,)"}),
    ("_np_reshape", X, {"newshape": "(6, -1)"}),
    ("_npx_reshape", X, {"newshape": "(-2, -5, -1)"}),
    ("_npi_flip", X, {"axis": "(3, 1)"}),
    ("_npi_broadcast_to", ROW, {"shape": "(2, 5)"}),
]


@pytest.mark.parametrize(("op", "x", "attrs"), CASES, ids=lambda v: v if isinstance(v, str) else None)
def test_agrees(op, x, attrs):
    check_op(op, [np.ascontiguousarray(x)], attrs)


@pytest.mark.parametrize("dtype", ["float16", "int32", "int64", "uint8"])
def test_dtypes(dtype):
    check_op("transpose", [X.astype(dtype)], {"axes": "(3, 1, 2, 0)"})
    check_op("tile", [X.astype(dtype)], {"reps": "(2, 1)"})
    check_op("Reshape", [X.astype(dtype)], {"shape": "(3, -1)"})


def test_other_input_gives_the_shape():
    small = np.zeros((6, 24), np.float32)
    check_op("reshape_like", [X, small])
    check_op("reshape_like", [X, small], {"lhs_begin": 0, "lhs_end": 2, "rhs_begin": 0, "rhs_end": 1})
    check_op("broadcast_like", [X[:1], X])
    check_op("broadcast_like", [X[:, :, :1], ROW], {"lhs_axes": "(2,)", "rhs_axes": "(-1,)"})
    check_op("broadcast_like", [X[:1], X.astype(np.int32)])


def test_empty_arrays_are_refused():
    assert refusal_of("repeat", [X], {"repeats": 0, "axis": 0}) == (
        "attribute",
        "it has an array of shape (0,), which has no elements",
    )


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_reshape(data):
    # MXNet's own Reshape ends at six axes.
    shape = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    # Split each size into factors, keep some axes by 0, and leave one size to MXNet.
    codes: list[int] = []
    for size in shape:
        factor = data.draw(st.sampled_from([f for f in range(1, size + 1) if size % f == 0]))
        codes += data.draw(st.sampled_from([[0], [-4, factor, size // factor], [-4, -1, factor]]))
    check_op("Reshape", [x], {"shape": str(tuple(codes))}, namespaces=("numpy",))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 3), min_size=1, max_size=4), st.lists(st.integers(1, 3), min_size=1, max_size=5))
def test_any_tile(shape, reps):
    # MXNet's own tile fails beyond two repeated axes.
    reps = [r if sum(q > 1 for q in reps[:i]) < 2 else 1 for i, r in enumerate(reps)]
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    check_op("tile", [x], {"reps": str(tuple(reps))}, namespaces=("numpy",))
