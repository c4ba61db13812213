"""Insertion of mx.np agrees with MXNet."""

from __future__ import annotations

import numpy as np
import pytest

from tests.lowering.harness import check_op, refusal_of


def ramp(*shape: int, dtype: str = "float32") -> np.ndarray:
    return np.arange(1, 1 + int(np.prod(shape))).reshape(shape).astype(dtype)


@pytest.mark.parametrize("place", [-1, 0, 1, 2])
@pytest.mark.parametrize(
    ("axis", "values"),
    [("0", (3,)), ("0", (2, 3)), ("1", (2,)), ("1", (2, 1)), ("-1", (2, 2)), ("None", (2,)), ("0", ())],
)
def test_insert_at_a_position(place: int, axis: str, values: tuple[int, ...]) -> None:
    check_op("_npi_insert_scalar", [ramp(2, 3), ramp(*values) * np.float32(10)], {"int_ind": place, "axis": axis})


@pytest.mark.parametrize("bounds", [(1, 3, 1), (0, 2, 1), (2, 0, -1), ("None", "None", 2), (1, 2, 1), (-2, "None", 1)])
@pytest.mark.parametrize(("axis", "values"), [("1", (2, 1)), ("1", ()), ("None", (1,))])
def test_insert_at_a_range(bounds: tuple, axis: str, values: tuple[int, ...]) -> None:
    attrs = dict(zip(("start", "stop", "step"), bounds))
    check_op("_npi_insert_slice", [ramp(2, 3), ramp(*values) * np.float32(10)], {**attrs, "axis": axis})


def test_insertions_that_are_refused() -> None:
    x = ramp(2, 3)
    assert refusal_of("_npi_insert_scalar", [x], {"val": 9, "int_ind": 1, "axis": 1})
    assert refusal_of("_npi_insert_scalar", [x.astype("int32"), ramp(3)], {"int_ind": 1, "axis": 0})
    refused = refusal_of("_npi_insert_scalar", [x, ramp(2)], {"int_ind": 1, "axis": 0})
    assert refused and "do not fit" in refused[1]
    check_op("_npi_insert_scalar", [x, ramp(3, dtype="int32")], {"int_ind": 1, "axis": 0})
