"""Correlation agrees with MXNet: displacements, strides of both maps, windows, pads, products and distances."""

from __future__ import annotations

import pytest

from tests.lowering.harness import check_op, random

A, B = random(2, 3, 9, 8), random(2, 3, 9, 8, seed=1)


@pytest.mark.parametrize("multiply", [True, False])
@pytest.mark.parametrize(
    "attrs",
    [
        {},
        {"max_displacement": 2, "pad_size": 2},
        {"max_displacement": 0},
        {"max_displacement": 3, "stride2": 2, "pad_size": 3},
        {"max_displacement": 1, "stride1": 2, "pad_size": 1},
        {"kernel_size": 3, "max_displacement": 1, "pad_size": 2},
        {"kernel_size": 3, "max_displacement": 2, "stride1": 2, "stride2": 2, "pad_size": 3},
        {"kernel_size": 5, "max_displacement": 2, "stride1": 3, "pad_size": 4},
        {"max_displacement": 2, "stride2": 5, "pad_size": 1},
        {"max_displacement": 4, "stride1": 9, "pad_size": 4},
    ],
)
def test_attributes(attrs, multiply):
    check_op("Correlation", [A, B], {**attrs, "is_multiply": multiply})
