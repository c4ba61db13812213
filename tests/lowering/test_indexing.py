"""Operators that pick elements by position agree with MXNet, also where positions lie outside."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lowering.harness import check_op, refusal_of

X = np.arange(12, dtype=np.float32).reshape(3, 4)
CUBE = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def floats(*values):
    return np.array(values, np.float32)


def ints(*values):
    return np.array(values, np.int32)


@pytest.mark.parametrize("mode", ["clip", "wrap"])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_take(mode, axis):
    check_op("take", [CUBE, floats(0, 1.9, -0.5, -1, -7, 5)], {"mode": mode, "axis": axis})
    check_op("take", [CUBE, ints([0, 1], [2, -7])], {"mode": mode, "axis": axis})


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float64"])
def test_take_index_dtypes(dtype):
    check_op("take", [X, np.array([2, 0, 3], dtype)])
    check_op("Embedding", [np.array([2, 0], dtype), X], {"input_dim": 3, "output_dim": 4})


def test_take_raise_is_refused():
    assert "raise" in refusal_of("take", [X, ints(0)], {"mode": "raise"})[1]


def test_embedding():
    attrs = {"input_dim": 3, "output_dim": 4}
    check_op("Embedding", [floats(0, 2.9, -1, 7), X], attrs, params_are_weights=True)
    check_op("Embedding", [floats([0, 1], [2, 1]), X], attrs)
    check_op("Embedding", [ints([0]), X.astype(np.float16)], {**attrs, "dtype": "float16"})


@pytest.mark.parametrize(
    ("x", "index", "attrs"),
    [
        (X, floats(0, 3, 7), {}),
        (X, floats(0, 3, -1, 6), {"axis": 0, "mode": "wrap"}),
        (X, floats([0], [3], [-1]), {"axis": 1, "keepdims": True}),
        (X, floats(0, 3, -1), {"axis": 1, "keepdims": True}),
        (CUBE, ints([0, 1, 2, 3], [1, 1, 1, 9]), {"axis": 1}),
        (CUBE, ints([[0, 1, 2, 3]], [[1, 1, 1, 9]]), {"axis": -2}),
        (CUBE.astype(np.int32), ints([0, 1, 2], [1, 1, 9]), {"axis": 2, "mode": "wrap"}),
    ],
)
def test_pick(x, index, attrs):
    check_op("pick", [x, index], attrs)


def test_batch_take():
    check_op("batch_take", [X, ints(0, 3, -1)])
    check_op("batch_take", [X, ints([0], [3], [7])])
    assert "one row for each" in refusal_of("batch_take", [CUBE, ints(0, 1, 2, 0, 1, 2)], {})[1]


@pytest.mark.parametrize(
    ("x", "index"),
    [
        (X, ints([0, -1, 2], [1, 2, -4])),
        (X, floats([0, 1.7, 2])),
        (CUBE, ints([[0, 1], [1, 0]], [[0, 1], [2, -1]])),
        (CUBE, ints([1], [2], [-1])),
        (CUBE.astype(np.int32), ints(0, 1).reshape(1, 2)),
    ],
)
def test_gather_nd(x, index):
    check_op("gather_nd", [x, index])


@pytest.mark.parametrize(
    ("index", "attrs"),
    [
        (floats(0, 1.9, -1, -0.5, 3), {"depth": 3, "on_value": 5, "off_value": -1}),
        (ints([0, 2]), {"depth": 3, "dtype": "int32", "on_value": 2.7, "off_value": -0.7}),
        (np.array([1, 2], np.int64), {"depth": 3, "dtype": "float16"}),
        (np.array([1, 2], np.uint8), {"depth": 1}),
    ],
)
def test_one_hot(index, attrs):
    check_op("one_hot", [index], attrs)


@pytest.mark.parametrize(
    "condition",
    [floats(1, 0, 2), floats([1, 0, 2, -1], [0, 0, 0, 0], [0.5, 0, 0, 1]), ints(0, 0, -3)],
)
def test_where(condition):
    check_op("where", [condition, X, -X])
    check_op("where", [condition, X.astype(np.int32), -X.astype(np.int32)])


def test_where_keeps_large_integers():
    x = ints(2**24 + 1, -58783059, 2**31 - 1, -(2**31))
    for condition in (ints(1, 0, -2, 0), floats(0, 1, 0.5, 0)):
        check_op("where", [condition, x, x[::-1].copy()])
        check_op("_npi_where", [condition, x, x[1:2]])
        check_op("_npi_where_rscalar", [condition, x], {"scalar": 2**24 + 3})


@pytest.mark.parametrize("dtype", ["int32", "float32", "int64"])
def test_flat_positions(dtype):
    flat = np.array([0, 5, 7, 23], dtype)
    check_op("_unravel_index", [flat], {"shape": "(2, 3, 4)"})
    check_op("_unravel_index", [flat], {"shape": "(-1, 4)"})
    check_op("_unravel_index", [flat], {"shape": "(24,)"})
    check_op("_ravel_multi_index", [np.array([[0, 1], [1, 2], [3, 0]], dtype)], {"shape": "(2, 3, 4)"})
    assert "int32" in refusal_of("_unravel_index", [flat], {"shape": "(65536, 65536)"})[1]
    assert "2 axes" in refusal_of("_unravel_index", [flat.reshape(2, 2)], {"shape": "(2, 3, 4)"})[1]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.data())
def test_any_take(shape, data):
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    index = data.draw(st.lists(st.integers(-9, 9), min_size=1, max_size=6))
    places = np.array(index, data.draw(st.sampled_from(["float32", "int32"])))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    if len(index) % 2 == 0:
        places = places.reshape(2, -1)
    check_op("take", [x, places], {"axis": axis, "mode": data.draw(st.sampled_from(["clip", "wrap"]))})
