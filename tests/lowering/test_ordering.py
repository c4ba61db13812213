"""topk, sort and argsort agree with MXNet where no two values are equal."""

from __future__ import annotations

import numpy as np
import pytest

from tests.lowering.harness import check_op

X = np.random.default_rng(1).permutation(120).astype(np.float32).reshape(4, 5, 6) - 50


@pytest.mark.parametrize("axis", [{}, {"axis": 0}, {"axis": 1}, {"axis": "None"}])
@pytest.mark.parametrize("kind", ["indices", "value", "mask", "both"])
@pytest.mark.parametrize("ascending", [False, True])
def test_topk(axis, kind, ascending):
    outputs = (0, 1) if kind == "both" else (0,)
    check_op("topk", [X], {"k": 3, "ret_typ": kind, "is_ascend": ascending, **axis}, outputs=outputs)


def test_topk_of_all():
    check_op("topk", [X], {"k": 0, "ret_typ": "value"})
    check_op("topk", [X], {"k": -1, "ret_typ": "both", "dtype": "int32"}, outputs=(0, 1))


@pytest.mark.parametrize("dtype", ["float64", "int32", "int64", "uint8"])
def test_dtypes(dtype):
    x = (X + 50).astype(dtype)
    check_op("topk", [x], {"k": 2, "ret_typ": "both", "dtype": "int32"}, outputs=(0, 1))
    check_op("topk", [x], {"k": 2, "ret_typ": "mask"})
    check_op("sort", [x], {"axis": 1})
    check_op("argsort", [x], {"dtype": "uint8"})


@pytest.mark.parametrize(
    "attrs", [{}, {"axis": 0, "is_ascend": False}, {"axis": "None"}, {"axis": -2, "is_ascend": True}]
)
def test_sort(attrs):
    check_op("sort", [X], attrs)
    check_op("argsort", [X], attrs)
    check_op("argsort", [X], {**attrs, "dtype": "int32"})
