"""Operators whose result depends on shapes and attributes only agree with MXNet."""

from __future__ import annotations

import numpy as np
import pytest

from tests.lowering.harness import check_op

X = np.arange(12, dtype=np.float32).reshape(3, 4)

NO_INPUTS = [
    ("_zeros", {"shape": "(2, 3)", "dtype": "float16"}),
    ("_zeros", {"shape": "(2,)", "dtype": "bool"}),
    ("_ones", {"shape": "2"}),
    ("_ones", {"shape": "(1, 2)", "dtype": "int32"}),
    ("_full", {"shape": "(2, 3)", "value": 2.5}),
    ("_full", {"shape": "(2, 3)", "value": 2.6, "dtype": "float16"}),
    ("_full", {"shape": "(2,)", "value": 2.7, "dtype": "int32"}),
    ("_full", {"shape": "(2,)", "value": -2.7, "dtype": "uint8"}),
    ("_full", {"shape": "(2,)", "value": 2, "dtype": "bool"}),
    ("_arange", {"start": 80, "stop": "None", "step": 1.0}),
    ("_arange", {"start": 0, "stop": 5}),
    ("_arange", {"start": 5, "stop": 1, "step": -1.5}),
    ("_arange", {"start": 0.1, "stop": 2, "step": 0.3, "dtype": "float16"}),
    ("_arange", {"start": 0.5, "stop": 3, "step": 0.5, "repeat": 2, "dtype": "int32"}),
    ("_arange", {"start": 2, "stop": 9, "step": 3, "repeat": 2, "dtype": "int64"}),
    ("_linspace", {"start": 0, "stop": 1, "num": 5, "endpoint": True}),
    ("_linspace", {"start": 0, "stop": 10, "num": 4, "endpoint": False, "dtype": "int32"}),
    ("_linspace", {"start": 3, "stop": 10, "num": 1}),
    ("_linspace", {"start": 0.5, "stop": 2, "num": 4, "dtype": "float16"}),
    ("_eye", {"N": 3}),
    ("_eye", {"N": 3, "M": 5, "k": 1, "dtype": "int32"}),
    ("_eye", {"N": 4, "M": 2, "k": -2}),
    ("_npi_zeros", {"shape": "(2, 3)", "dtype": "int32"}),
    ("_npi_ones", {"shape": "()"}),
    ("_npi_arange", {"start": 1, "stop": 4, "step": 0.5}),
    ("_npi_eye", {"N": 3, "M": 4, "k": 1}),
]


@pytest.mark.parametrize(("op", "attrs"), NO_INPUTS)
def test_without_inputs(op, attrs):
    check_op(op, [], attrs)


@pytest.mark.parametrize("dtype", ["float32", "float16", "int32", "int64", "uint8"])
@pytest.mark.parametrize("op", ["zeros_like", "ones_like", "shape_array", "size_array"])
def test_like(op, dtype):
    check_op(op, [X.astype(dtype)])


@pytest.mark.parametrize(
    "attrs",
    [
        {},
        {"start": 1.5, "step": 0.5, "repeat": 2},
        {"axis": 0, "repeat": 3},
        {"axis": -1, "start": 1.7, "step": 1.5, "repeat": 2},
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float16", "int32"])
def test_arange_like(dtype, attrs):
    check_op("_contrib_arange_like", [X.astype(dtype)], attrs)


@pytest.mark.parametrize("k", [-2, 0, 1])
def test_diag(k):
    check_op("diag", [X], {"k": k})
    check_op("diag", [X[0]], {"k": k})
    check_op("diag", [X.reshape(2, 3, 2).astype(np.int32)], {"k": min(k, 0), "axis1": -2, "axis2": 0})


@pytest.mark.parametrize("attrs", [{}, {"axes": "(0,)"}, {"axes": "(-1, 0)"}, {"axes": "(2, 1, 0)"}])
@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_index_array(attrs, dtype):
    check_op("_contrib_index_array", [X.reshape(2, 3, -1).astype(dtype)], attrs)
