"""Runs one expression of the array language in every namespace and compares it with a value computed otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import openvino as ov

from gluon_neuron.dialect import Array, NumpyNamespace, OpenVINONamespace
from tests.agreement import agree

from .jax_runs import leaves_of, run_in_jax

MODES = ("numpy", "composed", "openvino", "weights", "folded", "jax")
"""NumPy; NumPy by compositions; OpenVINO with all inputs as parameters; with all but the first turned into constants,
as weights are; OpenVINO with known inputs, where nothing may be built; and jax."""

TOLERANCE = {"float16": 2e-3, "bfloat16": 1e-2, "float32": 2e-6}


class Case(NamedTuple):
    """An expression, its inputs, and what must come out: values, or a function of the inputs (floats as float64)."""

    name: str
    build: Callable[..., Any]
    inputs: Sequence[np.ndarray]
    want: Any
    skip: tuple[str, ...] = ()
    scale: float = 1.0


def infer(model: ov.Model, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The outputs of a model, in float32 precision on one thread."""
    config = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    request = ov.Core().compile_model(model, "CPU", config).create_infer_request()
    request.infer(list(inputs))
    return [np.array(t.data) for t in request.output_tensors]


def run(mode: str, build: Callable[..., Any], inputs: Sequence[np.ndarray]) -> list[tuple[np.ndarray, str]]:
    """The values and dtypes of the expression's results."""
    names = [f"p{i}" for i in range(len(inputs))]
    if mode == "folded":
        xp: Any = OpenVINONamespace()
        with mock.patch.object(OpenVINONamespace, "_emit", side_effect=AssertionError("known values were not folded")):
            results = _tuple(build(xp, *map(xp.constant, inputs)))
        return [(xp.known(r), r.dtype) for r in results]
    if mode == "jax":
        built: list[Array] = []
        given = dict(zip(names, inputs))

        def build_all(xp: Any) -> list[Array]:
            built[:] = _tuple(build(xp, *leaves_of(xp, given)))
            return built

        return list(zip(run_in_jax(build_all, given), (r.dtype for r in built)))
    if mode in ("numpy", "composed"):
        xp = NumpyNamespace(dict(zip(names, inputs)), native=mode == "numpy")
    else:
        xp = OpenVINONamespace()
    leaves = [xp.parameter(n, v.shape, v.dtype.name) for n, v in zip(names, inputs)]
    results = _tuple(build(xp, *leaves))
    if not isinstance(xp, OpenVINONamespace):
        assert not any(r.known for r in results)
        return [(r.v, r.dtype) for r in results]
    model = xp.model(results)
    count = len(inputs)
    if mode == "weights":
        count = 1
        for node, value in list(zip(xp.parameters.values(), inputs))[1:]:
            node.output(0).replace(ov.opset15.constant(np.array(value, order="C")).output(0))
            model.remove_parameter(node)
    values = infer(model, inputs[:count])
    for value, result in zip(values, results):
        assert value.shape == result.shape, f"built as {result!r}, computed as {value.shape}"
    return [(v, r.dtype) for v, r in zip(values, results)]


def _tuple(results: Any) -> tuple[Array, ...]:
    return results if isinstance(results, tuple) else (results,)


def check(mode: str, case: Case) -> None:
    """Compare the case in one mode: dtype, shape, and values within the dtype's tolerance of the largest value."""
    found = run(mode, case.build, case.inputs)
    want = case.want
    if callable(want):
        wide = [v.astype(np.float64) if v.dtype.kind == "f" else v for v in case.inputs]
        with np.errstate(all="ignore"):
            want = want(*wide)
    wants = want if isinstance(want, tuple) else (want,)
    assert len(found) == len(wants)
    for (value, dtype), expected in zip(found, wants):
        expected = np.asarray(expected)
        assert value.shape == expected.shape, f"{mode}: {value.shape} instead of {expected.shape}"
        if expected.dtype.kind in "biu":
            assert dtype == expected.dtype.name and value.dtype == expected.dtype
            agree(value, expected, where=mode)
            continue
        assert dtype in TOLERANCE and (dtype == "bfloat16" or value.dtype.name == dtype), dtype
        allowed = TOLERANCE[dtype] * case.scale * max(1e-30, np.abs(expected).max(initial=0.0))
        agree(value.astype(np.float64), expected, atol=allowed, dtype=False, where=mode)


def random(*shape: int, dtype: str = "float32", low: float = -2.0, high: float = 2.0, seed: int = 0) -> np.ndarray:
    """Repeatable values between `low` and `high`."""
    return np.random.RandomState(seed + 7 * sum(shape)).uniform(low, high, shape).astype(dtype)


def ints(*shape: int, low: int = -9, high: int = 10, dtype: str = "int32", seed: int = 0) -> np.ndarray:
    """Repeatable integers from `low` to below `high`."""
    return np.random.RandomState(seed + 7 * sum(shape)).randint(low, high, shape).astype(dtype)


def parameters(cases: Sequence[Case]) -> list[Any]:
    """Every case in every mode it is meant for, for pytest.mark.parametrize("mode, case", ...)."""
    import pytest

    names = [c.name for c in cases]
    assert len(set(names)) == len(names), "two cases have one name"
    return [
        pytest.param(mode, case, id=f"{case.name}-{mode}")
        for case in cases
        for mode in MODES
        if mode not in case.skip and (mode != "weights" or len(case.inputs) > 1)
    ]
