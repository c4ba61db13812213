"""Activations, softmax and its variants, and output layers against MXNet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lowering.harness import check_op, random, refusal_of

EDGES = np.array([-100.0, -20.0, -3.5, -1.0, -1e-6, -0.0, 0.0, 1e-6, 0.5, 1.0, 3.5, 20.0, 80.0], "float32")


@pytest.mark.parametrize("kind", ["relu", "sigmoid", "softrelu", "softsign", "tanh"])
def test_activation(kind: str) -> None:
    check_op("Activation", [EDGES.reshape(1, -1)], {"act_type": kind})
    check_op("Activation", [random(2, 3, 4, 5)], {"act_type": kind})


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "int32", "int8", "uint8"])
def test_relu(dtype: str) -> None:
    check_op("relu", [random(3, 4, dtype=dtype, low=0.0 if dtype == "uint8" else -9.0, high=9.0)])


@pytest.mark.parametrize(
    "attrs", [{}, {"alpha": 0.5, "beta": 0.1}, {"alpha": -0.3, "beta": 0.7}, {"beta": 0}, {"alpha": 0}]
)
def test_hard_sigmoid(attrs: dict[str, Any]) -> None:
    check_op("hard_sigmoid", [EDGES], attrs)


def test_numbers_held_in_32_bits() -> None:
    """In float64 it shows that MXNet holds some attributes as float32, and that softrelu is x itself from 20 on."""
    x = random(3, 4, dtype="float64", high=40.0)
    check_op("hard_sigmoid", [x], {"alpha": 0.3, "beta": 0.1})
    check_op("Activation", [x], {"act_type": "softrelu"})
    check_op("_contrib_quadratic", [x], {"a": 0.1, "b": 0.3, "c": -0.7})


@pytest.mark.parametrize(
    "attrs",
    [
        {},
        {"act_type": "leaky", "slope": 0.01},
        {"act_type": "leaky", "slope": 0.0},
        {"act_type": "leaky", "slope": 1.5},
        {"act_type": "elu"},
        {"act_type": "elu", "slope": 1.3},
        {"act_type": "selu"},
        {"act_type": "gelu"},
        {"act_type": "rrelu"},
        {"act_type": "rrelu", "lower_bound": 0.2, "upper_bound": 0.5},
    ],
)
def test_leaky_relu(attrs: dict[str, Any]) -> None:
    check_op("LeakyReLU", [EDGES.reshape(1, -1)], attrs)
    check_op("LeakyReLU", [random(2, 3, 4, 5)], attrs)


@pytest.mark.parametrize(
    ("shape", "slope"),
    [
        ((2, 3), (3,)),
        ((2, 3, 4), (3,)),
        ((2, 3, 4, 5), (3,)),
        ((2, 3, 4, 5), (1,)),
        ((2, 3), (1,)),
        ((3,), (3,)),
        ((3,), (1,)),
    ],
)
def test_prelu(shape: tuple[int, ...], slope: tuple[int, ...]) -> None:
    check_op("LeakyReLU", [random(*shape), random(*slope, seed=1)], {"act_type": "prelu"})


def test_prelu_of_a_number_is_refused() -> None:
    refused = refusal_of("_npx_leaky_relu", [random(), random(1)], {"act_type": "prelu"})
    assert refused and "axes" in refused[1]


@pytest.mark.parametrize("slope", [(4,), (1, 3), (2, 3, 4)])
def test_other_slopes_are_refused(slope: tuple[int, ...]) -> None:
    refused = refusal_of("LeakyReLU", [random(2, 3, 4), random(*slope)], {"act_type": "prelu"})
    assert refused and "slope" in refused[1]


@pytest.mark.parametrize("op", ["softmax", "log_softmax", "softmin"])
@pytest.mark.parametrize("axis", [-1, 0, 1, 2, -3])
def test_softmax(op: str, axis: int) -> None:
    check_op(op, [random(3, 4, 5, low=-9.0, high=9.0)], {"axis": axis})


@pytest.mark.parametrize("op", ["softmax", "log_softmax", "softmin"])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 7.0, None])
def test_softmax_with_temperature(op: str, temperature: float | None) -> None:
    check_op(op, [random(3, 5)], {"temperature": temperature})


@pytest.mark.parametrize("op", ["softmax", "log_softmax", "softmin"])
@pytest.mark.parametrize(
    ("dtype", "result"),
    [("float32", "float16"), ("float16", "float16"), ("float32", "float64"), ("float64", "float32")],
)
def test_softmax_with_dtype(op: str, dtype: str, result: str) -> None:
    # MXNet computes float32 data in float32 and casts the result.
    check_op(op, [random(3, 5, dtype=dtype)], {"dtype": result}, atol=2e-6 if result == "float64" else None)


@pytest.mark.parametrize("op", ["softmax", "log_softmax", "softmin"])
def test_softmax_of_float16_as_float32(op: str) -> None:
    # MXNet takes the exponentials in float16.
    check_op(op, [random(3, 5, dtype="float16")], {"dtype": "float32"}, atol=4e-3)


@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.parametrize("axis", [-1, 1])
def test_softmax_with_length(axis: int, dtype: str) -> None:
    x = random(2, 4, 5)
    lengths = np.array([[0, 1, 5, 3], [2, 4, 1, 5]]) if axis == -1 else np.array([[0, 1, 4, 3, 2], [4, 4, 1, 2, 3]])
    got = check_op("softmax", [x, lengths.astype(dtype)], {"use_length": True, "axis": axis})[0]
    assert got[0, 0, 0] == 0


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.data())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_softmax_of_any_shape(shape: list[int], data: st.DataObject) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    scale = data.draw(st.sampled_from([0.0, 1.0, 80.0]))
    op = data.draw(st.sampled_from(["softmax", "log_softmax", "softmin"]))
    # oneDNN's log_softmax of a single value is 1.4e-6.
    check_op(op, [random(*shape) * np.float32(scale)], {"axis": axis}, atol=1e-5 * (1 + 2 * scale))


@pytest.mark.parametrize("op", ["softmax", "log_softmax", "softmin"])
def test_temperature_zero_is_refused(op: str) -> None:
    refused = refusal_of(op, [random(2, 3)], {"temperature": 0})
    assert refused and "temperature" in refused[1]


@pytest.mark.parametrize("mode", ["instance", "channel"])
@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 3, 4, 5), (2, 3, 2, 2, 2)])
def test_softmax_activation(shape: tuple[int, ...], mode: str) -> None:
    check_op("SoftmaxActivation", [random(*shape)], {"mode": mode})


def test_softmax_activation_of_a_matrix() -> None:
    check_op("SoftmaxActivation", [random(3, 5)])
    refused = refusal_of("SoftmaxActivation", [random(3, 5)], {"mode": "channel"})
    assert refused and "channel" in refused[1]


@pytest.mark.parametrize(
    ("shape", "label", "attrs"),
    [
        ((3, 5), (3,), {}),
        ((3, 5), (3,), {"grad_scale": 2.0, "normalization": "batch"}),
        ((2, 3, 4), (2, 4), {"multi_output": True}),
        ((2, 3, 4, 5), (2, 4, 5), {"multi_output": True}),
        ((2, 3, 4), (2, 3), {"preserve_shape": True}),
        ((2, 3, 4), (2, 3), {}),
        ((2, 3, 2, 2, 2), (2, 3, 2, 2), {}),
        ((2, 3, 4, 2), (2, 3, 4), {"preserve_shape": True}),
    ],
)
def test_softmax_output(shape: tuple[int, ...], label: tuple[int, ...], attrs: dict[str, Any]) -> None:
    check_op("SoftmaxOutput", [random(*shape), np.zeros(label, "float32")], attrs)
    check_op("Softmax", [random(*shape), np.zeros(label, "float32")], attrs)


@pytest.mark.parametrize("shape", [(6,), (2, 3, 4, 5)])
def test_softmax_output_that_depends_on_onednn_is_refused(shape: tuple[int, ...]) -> None:
    refused = refusal_of("SoftmaxOutput", [random(*shape), np.zeros(shape[:-1] or (6,), "float32")], {})
    assert refused and refused[0] == "attribute"


@pytest.mark.parametrize("op", ["LogisticRegressionOutput", "LinearRegressionOutput", "MAERegressionOutput"])
@pytest.mark.parametrize("shape", [(3, 5), (4, 1)])
def test_regression_output(op: str, shape: tuple[int, ...]) -> None:
    check_op(op, [random(*shape), random(*shape, seed=1)])


def test_svm_output() -> None:
    check_op("SVMOutput", [random(3, 5), np.zeros(3, "float32")], {"margin": 0.5, "use_linear": True})
