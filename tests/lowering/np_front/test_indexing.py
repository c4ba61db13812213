"""Choice, borders and assignment of mx.np agree with MXNet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.lowering.harness import check_op, refusal_of

CHOICE = np.array([[1, 0], [0, 2]])


def ramp(*shape: int, dtype: str = "float32") -> np.ndarray:
    return np.arange(1, 1 + int(np.prod(shape))).reshape(shape).astype(dtype)


@pytest.mark.parametrize("kind", ["float32", "float16", "int32", "bool", "uint8"])
@pytest.mark.parametrize("condition", ["bool", "float32", "int32"])
def test_where(condition: str, kind: str) -> None:
    c = CHOICE.astype(condition)
    check_op("_npi_where", [c, ramp(2, 2, dtype=kind), (ramp(2, 2) * 3).astype(kind)])
    check_op("_npi_where", [c[0], ramp(2, 2, dtype=kind), ramp(2, dtype=kind)])
    check_op("_npi_where", [c[:, :1], ramp(1, 2, dtype=kind), np.array(7, kind)])
    check_op("_npi_where", [c[1, 1], ramp(2, 1, dtype=kind), ramp(3, 1, 2, dtype=kind)])


@pytest.mark.parametrize("kind", ["float32", "float16", "int32"])
@pytest.mark.parametrize("scalar", [-1.5, 300])
def test_where_with_numbers(scalar: float, kind: str) -> None:
    for op in ("lscalar", "rscalar"):
        check_op(f"_npi_where_{op}", [CHOICE.astype("float32"), ramp(2, 1, 2, dtype=kind)], {"scalar": scalar})
        check_op(f"_npi_where_{op}", [CHOICE[1, 1].astype(kind), np.array(3, kind)], {"scalar": scalar})
    check_op("_npi_where_scalar2", [CHOICE.astype(kind)], {"x": scalar, "y": 2})


def test_a_border_that_does_not_fit_is_refused() -> None:
    attrs = {"pad_width": "((1, 1), (0, 0))", "constant_value": -2}
    refused = refusal_of("_npi_pad", [ramp(2, 2, dtype="uint8")], attrs)
    assert refused and "constant_value" in refused[1]
    check_op("_npi_pad", [ramp(2, 2, dtype="int8")], attrs)


def test_a_number_that_does_not_fit_is_refused() -> None:
    for op in ("_npi_where_lscalar", "_npi_where_rscalar"):
        refused = refusal_of(op, [CHOICE.astype("float32"), ramp(2, 2, dtype="uint8")], {"scalar": 300})
        assert refused and "scalar" in refused[1]


PADS = [
    ((2, 3), "((1,1),(2,0))"),
    ((2, 3), "((0,0),(2,2))"),
    ((3, 4, 5), "((1,1),(0,3),(2,1))"),
    ((3, 4, 3, 2), "((1,1),(0,1),(2,1),(1,0))"),
    ((2, 2), "((0,0),(0,0))"),
]


@pytest.mark.parametrize("pads", PADS, ids=str)
@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric", "maximum", "minimum"])
def test_pad(mode: str, pads: tuple[tuple[int, ...], str]) -> None:
    shape, widths = pads
    for kind in ("float32", "int32"):
        x = (ramp(*shape) * 7 % 11).astype(kind)
        check_op("_npi_pad", [x], {"pad_width": widths, "mode": mode, "constant_value": 2.5, "reflect_type": "even"})


def test_a_mirror_wider_than_the_array_is_refused() -> None:
    for mode in ("reflect", "symmetric"):
        refused = refusal_of("_npi_pad", [ramp(2, 3)], {"pad_width": "((0,2),(0,0))", "mode": mode})
        assert refused and "mode" in refused[1]


ASSIGNMENTS = [
    ("(0,1)", "(1,3)", "()", (1, 2)),
    ("(0,None)", "(None,None)", "(2,None)", (2, 3)),
    ("(None,2)", "(None,0)", "(None,-1)", (3, 2)),
    ("(1,)", "(3,)", "()", (2, 3)),
    ("(-1,-2)", "(None,None)", "()", (1, 2)),
    ("(2,None)", "(None,None)", "(-1,-1)", (3, 3)),
]


@pytest.mark.parametrize(("begin", "end", "step", "shape"), ASSIGNMENTS)
def test_assignment(begin: str, end: str, step: str, shape: tuple[int, ...]) -> None:
    attrs: dict[str, Any] = {"begin": begin, "end": end, "step": step}
    for kind in ("float32", "int32"):
        check_op("_slice_assign", [ramp(3, 3, dtype=kind), ramp(*shape, dtype=kind) * 10], attrs)
        check_op("_npi_slice_assign_scalar", [ramp(3, 3, dtype=kind)], {**attrs, "scalar": 7.5})
