"""The gamma function, its logarithm and the inverse error function agree with MXNet."""

from __future__ import annotations

import numpy as np
import pytest

from tests.lowering.harness import check_op, random, refusal_of

POSITIVE = np.concatenate([random(60, low=0.01, high=9), np.float32([0.5, 1, 2, 6.9, 7, 7.5, 20.5, 33.9, 34.9])])
NEGATIVE = np.float32([-0.1, -0.5, -0.9, -1.5, -2.25, -3.3, -4.75, -10.5])


@pytest.mark.parametrize("x", [POSITIVE, NEGATIVE], ids=["positive", "negative"])
def test_gamma(x: np.ndarray) -> None:
    check_op("gamma", [x], rtol=3e-5, atol=1e-12)
    check_op("_npx_gamma", [x[:7].astype("float16")])


@pytest.mark.parametrize("x", [POSITIVE, NEGATIVE, np.float32([1.001, 1.999])], ids=["positive", "negative", "zeros"])
def test_gammaln(x: np.ndarray) -> None:
    check_op("gammaln", [x], rtol=3e-5, atol=3e-6)
    check_op("_npx_gammaln", [x.astype("float16")])


def test_gammaln_of_large_numbers() -> None:
    check_op("gammaln", [np.float32([100, 1e3, 1e5, 1e10])], rtol=1e-5, atol=0)


def test_erfinv() -> None:
    check_op("erfinv", [random(100, low=-1, high=1)], rtol=3e-5, atol=1e-7)
    check_op("erfinv", [np.float32([-0.9999, 0, 1e-6, -1e-6, 0.99999, 1, -1])], rtol=1e-4, atol=1e-9)
    check_op("_npx_erfinv", [np.float16([-0.5, 0.25, 0.875])])


@pytest.mark.parametrize("op", ["gamma", "gammaln", "erfinv"])
def test_float64_is_refused(op: str) -> None:
    refused = refusal_of(op, [np.ones(3)], {})
    assert refused and refused[0] == "dtype"


def test_gammaln_next_to_its_zeros() -> None:
    around = np.float32([1e-6, 1e-4, 1e-3, 0.01, 0.1, 0.3, 0.499])
    for zero in (1, 2):
        check_op("gammaln", [np.concatenate([zero - around, zero + around])], rtol=5e-6, atol=0)
    check_op("gammaln", [np.linspace(0.5, 2.499, 500).astype("float32")], rtol=5e-6, atol=0)
