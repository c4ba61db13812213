"""Reductions agree with MXNet, over axes, dtypes and edge cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lowering.harness import check_op, refusal_of

RNG = np.random.default_rng(0)
X = RNG.permutation(np.linspace(-2, 2.5, 120)).astype(np.float32).reshape(2, 3, 4, 5)
AXES = [
    {},
    {"axis": "()"},
    {"axis": 1},
    {"axis": -1, "keepdims": True},
    {"axis": "(3, 0)"},
    {"axis": "(1, 2)", "exclude": True},
    {"axis": "(0, 1, 2, 3)", "exclude": True},
    {"axis": "()", "exclude": True},
    {"keepdims": True},
]


@pytest.mark.parametrize("attrs", AXES)
@pytest.mark.parametrize("op", ["sum", "mean", "prod", "max", "min", "nansum", "nanprod"])
def test_axes(op, attrs):
    check_op(op, [X], attrs)


@pytest.mark.parametrize("dtype", ["float16", "float64", "int32", "int64", "int8", "uint8"])
@pytest.mark.parametrize("op", ["sum", "mean", "prod", "max", "min", "nansum"])
def test_dtypes(op, dtype):
    x = (np.arange(24).reshape(4, 6) % 7 + (0 if dtype == "uint8" else -3)).astype(dtype)
    check_op(op, [x], {"axis": 1})


def test_integers_wrap_and_means_truncate():
    x = np.array([[100, 100, 3], [-5, -2, 0]], np.int8)
    assert check_op("mean", [x], {"axis": 1})[0].tolist() == [-17, -2]
    check_op("sum", [x], {"axis": 1})
    check_op("mean", [np.array([[-7, 0], [7, 0]], np.int32)], {"axis": 1})


def test_nan_is_left_out():
    x = np.array([[np.nan, 2, 3], [np.nan, np.nan, np.nan]], np.float32)
    check_op("nansum", [x], {"axis": 1})
    check_op("nanprod", [x], {"axis": 1})


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("attrs", [{}, {"axis": 1}, {"axis": "(1, 3)", "keepdims": True}, {"axis": "(0, 1, 2)"}])
def test_norm(order, attrs):
    check_op("norm", [X], {"ord": order, **attrs})


@pytest.mark.parametrize("scale", [0.0, 1e-30, 1e19])
def test_norm_neither_overflows_nor_vanishes(scale):
    check_op("norm", [X * np.float32(scale)], {"axis": -1})


def test_norm_of_halves():
    check_op("norm", [(X * 200).astype(np.float16)], {"axis": 1})


@pytest.mark.parametrize("dtype", ["float32", "float16", "int32", "int64", "uint8"])
@pytest.mark.parametrize("attrs", [{}, {"axis": 1}, {"axis": -1, "keepdims": True}, {"keepdims": True}])
@pytest.mark.parametrize("op", ["argmax", "argmin"])
def test_positions(op, attrs, dtype):
    x = RNG.permutation(120).astype(dtype).reshape(2, 3, 4, 5)
    check_op(op, [x], attrs)


def test_first_of_equals():
    x = np.zeros((3, 4), np.float32)
    check_op("argmax", [x], {"axis": 1})
    check_op("argmin", [x], {"axis": 0})
    check_op("argmax_channel", [X])
    check_op("argmax_channel", [X[0, 0]])
    # OpenVINO's TopK takes any of equals in longer axes.
    x = np.random.RandomState(1).randint(-3, 4, (40, 36)).astype(np.float32)
    for op in ("argmax", "argmin"):
        check_op(op, [x], {})
        check_op(op, [x], {"axis": 0})
        check_op(op, [x.astype(np.float16)], {"axis": 1})


def test_first_of_equals_in_axes_longer_than_float32_counts(monkeypatch):
    monkeypatch.setattr("gluon_neuron.dialect.in_openvino.shape._EXACT", 16)
    x = np.random.RandomState(1).randint(-3, 4, (40, 36)).astype(np.float32)
    for op in ("argmax", "argmin"):
        check_op(op, [x], {"axis": 1})
        check_op(op, [x], {"axis": 0})


@pytest.mark.parametrize("attrs", [{}, {"axis": "()"}, {"axis": "(1, -1)"}, {"axis": "(0,)", "keepdims": True}])
@pytest.mark.parametrize("op", ["_np_sum", "_np_max", "_np_min", "_np_prod", "_npi_mean"])
def test_numpy_names(op, attrs):
    check_op(op, [X], attrs)


def test_numpy_positions():
    check_op("_npi_argmax", [X], {"axis": -1})
    check_op("_npi_argmin", [X], {})
    for attrs in ({}, {"axis": 0}, {"axis": -1}, {"axis": 0, "keepdims": True}):
        check_op("_npi_argmax", [X[0, 0, 0, 0]], attrs)


def test_refusals():
    assert "ord=3" in refusal_of("norm", [X], {"ord": 3})[1]
    assert refusal_of("norm", [X.astype(np.int32)], {})[0] == "dtype"
    assert "float64" in refusal_of("norm", [X], {"axis": 1, "out_dtype": "float64"})[1]
    assert "uint8" in refusal_of("argmax", [np.zeros((2, 300), np.uint8)], {"axis": 1})[1]
    assert refusal_of("argmax", [np.zeros((2, 300), np.uint8)], {"axis": 0}) is None
    assert "float16" in refusal_of("_np_sum", [X], {"dtype": "float16"})[1]


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["sum", "mean", "max", "min", "prod"]),
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
    st.data(),
)
def test_any_axes(op, shape, data):
    x = np.linspace(0.5, 1.5, np.prod(shape), dtype=np.float32).reshape(shape)
    axes = data.draw(st.lists(st.integers(0, len(shape) - 1), unique=True))
    signs = data.draw(st.lists(st.booleans(), min_size=len(axes), max_size=len(axes)))
    named = tuple(a - len(shape) if s else a for a, s in zip(axes, signs))
    flags = {"keepdims": data.draw(st.booleans()), "exclude": data.draw(st.booleans())}
    check_op(op, [x], {"axis": str(named), **flags})


@pytest.mark.parametrize("keepdims", [True, False])
@pytest.mark.parametrize("axes", ["(0,)", "(-1,)", "(1, 2)", "(0, 1, 2, 3)", "(3, 0)"])
def test_moments(axes, keepdims):
    # MXNet's variance without the mean beside it is made of memory that nobody has written.
    for kind in ("float32", "float64", "float16"):
        check_op("moments", [X.astype(kind)], {"axes": axes, "keepdims": keepdims}, outputs=(0, 1))
    check_op("moments", [X], {"axes": axes, "keepdims": keepdims})
