"""agree: passes for what is the same, and fails, with the place and both values, for whatever is not."""

import mxnet as mx
import numpy as np
import pytest

from tests.agreement import agree

NAN, INF = float("nan"), float("inf")
X = np.arange(6, dtype="float32").reshape(2, 3)


def test_equal():
    agree(X, X.copy())
    agree(mx.nd.array(X), X)
    agree([X, (X, None)], (X, [X, None]))
    agree({"a": X, "b": [1, 2.5, True]}, {"b": [1, 2.5, True], "a": X})
    agree(np.zeros((0, 3)), np.zeros((0, 3)))
    agree(np.array([-0.0]), np.array([0.0]))
    agree(np.array([NAN, INF, -INF]), np.array([NAN, INF, -INF]))
    agree(np.array([NAN, INF, 1.0]), np.array([NAN, INF, 1.05]), rtol=0.1)


@pytest.mark.parametrize(
    ("found", "expected", "rtol", "atol"),
    [(1.1, 1.0, 0, 0.11), (1.1, 1.0, 0.11, 0), (-1.1, -1.0, 0.06, 0.06), (0.09, 0.0, 9, 0.1), (10, 11, 0.1, 0)],
)
def test_within_the_tolerance(found, expected, rtol, atol):
    agree(found, expected, rtol, atol)
    agree(np.array([found]), np.array([expected]), rtol=rtol, atol=atol)


@pytest.mark.parametrize(
    ("found", "expected", "tolerances", "message"),
    [
        (np.nextafter(X, 9), X, {}, "they have to be equal; 6 of 6 values differ"),
        (
            X + [[0, 0, 0], [0, 2, 1]],
            X,
            {"dtype": False},
            "found 6.0 at [1, 1], expected 4.0; they have to be equal; 2 of 6",
        ),
        (1.11, 1.0, {"rtol": 0.1}, "found 1.11, expected 1.0; allowed are rtol=0.1 and atol=0"),
        (1.0, 1.11, {"atol": 0.1}, "found 1.0, expected 1.11; allowed are rtol=0 and atol=0.1"),
        # Relative to what is expected, not to what was found.
        (1.0, 0.9, {"rtol": 0.1}, "found 1.0, expected 0.9"),
        (np.array([1.0, NAN]), np.array([1.0, 1.0]), {"atol": 9}, "found nan at [1], expected 1.0"),
        (np.array([1.0, 1.0]), np.array([1.0, NAN]), {"atol": 9}, "found 1.0 at [1], expected nan"),
        (np.array([1.0]), np.array([INF]), {"rtol": 0.1}, "found 1.0 at [0], expected inf"),
        (np.array([INF]), np.array([1.0]), {"atol": 9}, "found inf at [0], expected 1.0"),
        (np.array([-INF]), np.array([INF]), {"rtol": 1}, "found -inf at [0], expected inf"),
        (np.array([2**53 + 1]), np.array([2**53]), {}, "found 9007199254740993 at [0]"),
        (np.array([True]), np.array([False]), {}, "found True at [0], expected False"),
        (np.array([1, 2], "uint8"), np.array([2, 2], "uint8"), {}, "found 1 at [0], expected 2"),
        (np.array([0], "uint8"), np.array([255], "uint8"), {"atol": 1}, "found 0 at [0], expected 255"),
        (X, X[:1], {"atol": 99}, "found the shape (2, 3), expected (1, 3)"),
        (X, X[0, 0], {"atol": 99}, "found the shape (2, 3), expected ()"),
        (X.astype("float64"), X, {}, "found the dtype float64, expected float32"),
        (X.astype("int32"), X, {}, "found the dtype int32, expected float32"),
        (X, None, {}, "found ndarray(2, 3), expected None"),
        (None, X, {}, "found None, expected ndarray(2, 3)"),
        ([X], X, {}, "found list(ndarray(2, 3)), expected ndarray(2, 3)"),
        (X, [X], {}, "found ndarray(2, 3), expected list(ndarray(2, 3))"),
        ([X], [X, X], {}, "found list(ndarray(2, 3)), expected list(ndarray(2, 3), ndarray(2, 3))"),
        ([X, [X]], [X, [X, X]], {}, "at [1]: found list(ndarray(2, 3))"),
        ({"a": 1}, {"b": 1}, {}, "found {'a': 1}, expected {'b': 1}"),
        ({"a": [1, 2]}, {"a": [1, 3]}, {}, "at ['a'][1]: found 2, expected 3"),
        ("text", "text", {}, "cannot be compared"),
        (object(), object(), {}, "cannot be compared"),
    ],
)
def test_differences(found, expected, tolerances, message):
    with pytest.raises(AssertionError) as raised:
        agree(found, expected, **tolerances, where="here")
    said = str(raised.value)
    assert said.startswith("here: ")
    assert message in said


def test_dtypes_may_be_let_differ():
    agree(X.astype("float64"), X, dtype=False)
    agree(X.astype("int32"), X, dtype=False)
    with pytest.raises(AssertionError, match="found 0 at"):
        agree(X.astype("int32"), X + np.float32(0.25), dtype=False)


def test_kinds_of_array():
    agree(mx.nd.array(X), mx.nd.array(X), kind=True)
    agree(mx.np.array(X), mx.nd.array(X))
    with pytest.raises(AssertionError, match="found a <class 'mxnet.numpy.ndarray'>"):
        agree(mx.np.array(X), mx.nd.array(X), kind=True)


def test_the_worst_place_is_named():
    with pytest.raises(AssertionError, match=r"found 3\.0 at \[2\], expected 1\.0; .*3 of 4 values differ"):
        agree(np.array([1.5, 1.0, 3.0, 0.5]), np.ones(4), rtol=0.1)


def test_nothing_is_changed():
    found, expected = X.copy(), X + np.float32(1e-3)
    before = expected.copy()
    agree(found, expected, atol=1e-2)
    assert np.array_equal(found, X) and np.array_equal(expected, before)
