"""Constants of mx.np agree with MXNet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.lowering.harness import check_op, refusal_of

KINDS = ("float32", "float64", "float16", "int32", "int64", "uint8", "bool")


@pytest.mark.parametrize("kind", KINDS)
def test_grids(kind: str) -> None:
    check_op("_npi_identity", [], {"shape": "(3,3)", "dtype": kind})
    if kind != "bool":
        check_op("_npi_indices", [], {"dimensions": "(2,3)", "dtype": kind})
        check_op("_npi_indices", [], {"dimensions": "(4,)", "dtype": kind})
        check_op("_npi_eye", [], {"N": 3, "M": 2, "k": -1, "dtype": kind})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [2.5, 0, 0.5, 100])
def test_full_like(kind: str, value: float) -> None:
    check_op("_npi_full_like", [np.ones((2, 3), "float32")], {"fill_value": value, "dtype": kind})
    check_op("_npi_full_like", [np.array(1, kind)], {"fill_value": value})


def test_diag_indices_from() -> None:
    check_op("_npi_diag_indices_from", [np.ones((3, 3), "float32")])
    check_op("_npi_diag_indices_from", [np.ones((2, 2, 2), "int32")])


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
@pytest.mark.parametrize("size", [1, 2, 5, 16])
@pytest.mark.parametrize("name", ["hanning", "hamming", "blackman"])
def test_windows(name: str, size: int, kind: str) -> None:
    check_op(f"_npi_{name}", [], {"M": size, "dtype": kind}, atol=1e-3 if kind == "float16" else 1e-6)


def test_windows_of_integers_are_refused() -> None:
    refused = refusal_of("_npi_hanning", [], {"M": 5, "dtype": "int32"})
    assert refused and refused[0] == "dtype"


@pytest.mark.parametrize(
    "attrs",
    [
        {"start": 0, "stop": 2, "num": 3},
        {"start": 0, "stop": 2, "num": 4, "endpoint": 0, "base": 2},
        {"start": 1, "stop": 2, "num": 1},
        {"start": -1, "stop": 2.5, "num": 7, "dtype": "float64"},
    ],
)
def test_logspace(attrs: dict[str, Any]) -> None:
    check_op("_npi_logspace", [], attrs)
