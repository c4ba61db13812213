"""im2col and col2im agree with MXNet: kernels, strides, dilations and pads."""

from __future__ import annotations

import numpy as np
import pytest

from tests.lowering.harness import check_op, random, refusal_of

# spatial axes, attributes
GEOMETRIES = [
    ((5, 6), {"kernel": "(3,2)"}),
    ((5, 6), {"kernel": "(3,2)", "stride": "(2,1)", "pad": "(2,1)", "dilate": "(1,2)"}),
    ((4, 4), {"kernel": "(1,1)", "stride": "(3,2)"}),
    ((2, 3), {"kernel": "(2,3)", "pad": "(3,4)"}),
]


@pytest.mark.parametrize(("size", "attrs"), GEOMETRIES)
def test_both_ways(size, attrs):
    columns = check_op("im2col", [random(2, 3, *size)], attrs)[0]
    check_op("col2im", [random(*columns.shape, seed=1)], {**attrs, "output_size": size})


@pytest.mark.parametrize("kind", ["float16", "float64"])
def test_dtypes(kind):
    columns = check_op("im2col", [random(1, 2, 4, 5, dtype=kind)], {"kernel": "(2,2)", "pad": "(1,1)"})[0]
    check_op("col2im", [columns], {"kernel": "(2,2)", "pad": "(1,1)", "output_size": "(4,5)"}, atol=2e-2)


def test_infinity_stays_in_its_place():
    x = random(1, 1, 4, 4)
    x[0, 0, 1, 1] = np.inf
    columns = check_op("im2col", [x], {"kernel": "(2,2)"})[0]
    check_op("col2im", [columns], {"kernel": "(2,2)", "output_size": "(4,4)"})


@pytest.mark.parametrize(("op", "shape"), [("im2col", (1, 2, 5)), ("col2im", (1, 4, 3))])
def test_refusals(op, shape):
    attrs = {"kernel": "(2,)"} if op == "im2col" else {"kernel": "(2,)", "output_size": "(4,)"}
    assert "two only" in refusal_of(op, [np.zeros(shape, "float32")], attrs)[1]
