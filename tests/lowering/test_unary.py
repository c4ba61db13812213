"""Elementwise mathematics, identities and casts against MXNet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gluon_neuron.dialect.in_numpy.namespace import NumpyNamespace
from gluon_neuron.graph.spec import Spec
from gluon_neuron.lowering.registry import rules
from gluon_neuron.lowering.unary import FLOAT_FUNCTIONS, NUMBER_FUNCTIONS, ROUNDING_FUNCTIONS
from tests.lowering.harness import check_op, node_of, random, refusal_of

ALL = [-7.5, -2.5, -1.0, -0.5, -1e-3, -0.0, 0.0, 1e-3, 0.5, 1.0, 1.5, 2.5, 9.0]
POSITIVE = [1e-6, 1e-3, 0.25, 0.5, 1.0, 1.5, 2.0, 7.0, 900.0]
UNIT = [-1.0, -0.99, -0.5, -1e-3, 0.0, 1e-3, 0.5, 0.99, 1.0]
DOMAINS = {
    **dict.fromkeys(["sqrt", "rsqrt", "log", "log2", "log10"], POSITIVE),
    **dict.fromkeys(["arcsin", "arccos"], UNIT),
    "arctanh": UNIT[1:-1],
    "arccosh": [1.0, 1.001, 1.5, 30.0],
    "log1p": [-0.9, -0.5, -1e-4, 0.0, 1e-7, 0.5, 3.0, 1e4],
    "expm1": [-20.0, -0.5, -1e-4, 1e-7, 0.0, 0.5, 3.0],
    "reciprocal": [-8.0, -0.1, 0.3, 5.0],
}
EXTRA = ["cbrt", "degrees", "radians", "round", "rint"]


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
@pytest.mark.parametrize("op", [*FLOAT_FUNCTIONS, *NUMBER_FUNCTIONS, *ROUNDING_FUNCTIONS, *EXTRA])
def test_floats(op: str, dtype: str) -> None:
    # MXNet's pi is a float32.
    rtol = 1e-7 if op in ("degrees", "radians") else 0.0
    check_op(op, [np.array(DOMAINS.get(op, ALL), dtype)], rtol=rtol)


@pytest.mark.parametrize(
    ("op", "values"),
    [
        ("exp", [-np.inf, np.inf]),
        ("log", [0.0, np.inf]),
        ("sqrt", [0.0, np.inf]),
        ("rsqrt", [0.0, np.inf]),
        ("reciprocal", [0.0, np.inf, -np.inf]),
        ("tanh", [np.inf, -np.inf]),
        ("sigmoid", [np.inf, -np.inf]),
        ("abs", [np.inf, -np.inf]),
        ("floor", [np.inf, -np.inf]),
        ("square", [np.inf, 1e30]),
        ("relu", [np.inf, -np.inf]),
        ("sign", [np.inf, -np.inf]),
        ("arctan", [np.inf, -np.inf]),
        ("erf", [np.inf, -np.inf]),
    ],
)
def test_infinities(op: str, values: list[float]) -> None:
    check_op(op, [np.array(values, "float32")])


def test_expm1_and_log1p_are_exact_near_zero() -> None:
    near = np.array([1e-7, -1e-6, 3e-5, -2e-4], "float32")
    check_op("expm1", [near], rtol=1e-5, atol=0.0)
    check_op("log1p", [near], rtol=1e-5, atol=0.0)


def test_rcbrt() -> None:
    check_op("rcbrt", [np.array([-27.0, -0.1, 0.3, 8.0], "float32")])


@pytest.mark.parametrize("op", [*NUMBER_FUNCTIONS, *ROUNDING_FUNCTIONS, "round", "rint", "logical_not"])
@pytest.mark.parametrize("dtype", ["int32", "int64", "int8", "uint8"])
def test_integers(op: str, dtype: str) -> None:
    values = [3, 0, 1, 11] if dtype == "uint8" else [-3, 0, 7, -11]
    check_op(op, [np.array(values, dtype)])


def test_halves() -> None:
    halves = np.array([-3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5, 0.49999997, -0.49999997, 8388609.0], "float32")
    assert check_op("round", [halves])[0].tolist()[:8] == [-4, -3, -2, -1, 1, 2, 3, 4]
    assert check_op("rint", [halves])[0].tolist()[:8] == [-4, -3, -2, -1, 0, 1, 2, 3]


@pytest.mark.parametrize("op", ["_contrib_round_ste", "_contrib_sign_ste", "logical_not"])
def test_other_functions(op: str) -> None:
    check_op(op, [np.array(ALL, "float32")])


def test_quadratic() -> None:
    check_op("_contrib_quadratic", [random(3, 4)], {"a": 0.5, "b": -2.0, "c": 3.0})
    check_op("_contrib_quadratic", [random(3, 4)], {"c": 3.0})


@pytest.mark.parametrize("op", ["_copy", "identity", "BlockGrad", "stop_gradient", "make_loss"])
@pytest.mark.parametrize("dtype", ["float32", "int32", "bool"])
def test_identities(op: str, dtype: str) -> None:
    check_op(op, [np.array([[1, 0, 2], [5, 0, 1]], dtype)])


@pytest.mark.parametrize("attrs", [{}, {"p": 0.9}, {"mode": "training", "axes": "(1,)"}])
def test_dropout_is_the_identity(attrs: dict[str, Any]) -> None:
    x = random(3, 4)
    assert np.array_equal(check_op("Dropout", [x], attrs)[0], x)


@pytest.mark.parametrize(
    ("op", "inputs", "attrs"),
    [
        ("MakeLoss", [random(2, 3)], {"grad_scale": 2.0}),
        ("_contrib_gradientmultiplier", [random(2, 3)], {"scalar": 0.5}),
        ("_identity_with_attr_like_rhs", [random(2, 3), random(2, 3, seed=1)], {}),
    ],
)
def test_other_identities(op: str, inputs: list[np.ndarray], attrs: dict[str, Any]) -> None:
    check_op(op, inputs, attrs)


@pytest.mark.parametrize(("attrs", "outputs"), [({"mode": "always"}, (0,)), ({}, (0, 1))])
def test_random_dropout_is_refused(attrs: dict[str, Any], outputs: tuple[int, ...]) -> None:
    refused = refusal_of("Dropout", [random(2, 3)], attrs, outputs)
    assert refused and refused[0] == "attribute"


DTYPES = ["bool", "int8", "uint8", "int32", "int64", "float16", "float32", "float64"]


@pytest.mark.parametrize("source", DTYPES)
@pytest.mark.parametrize("target", DTYPES)
def test_cast(source: str, target: str) -> None:
    unsigned = "uint8" in (source, target) or "bool" in (source, target)
    values = np.array([0, 1, 2, 100, 127] if unsigned else [-128, -1, 0, 1, 100], source)
    check_op("Cast", [values], {"dtype": target})


@pytest.mark.parametrize("target", ["int8", "uint8", "int32"])
def test_cast_truncates_and_wraps(target: str) -> None:
    check_op("Cast", [np.array([-1.5, -0.5, 0.9, 1.5, 200.7, 300.0, -129.0], "float32")], {"dtype": target})
    check_op("Cast", [np.array([-1, 300, 255, 128, -129], "int32")], {"dtype": target})
    check_op("Cast", [np.array([-1, 300, 255, 128, -129], "int64")], {"dtype": target})


class _PromisedCasts(NumpyNamespace):
    """Casts only what fits: libraries differ on the rest."""

    def astype(self, x: Any, dtype: str) -> Any:
        if dtype in ("int8", "uint8"):
            limits = np.iinfo(dtype)
            assert limits.min <= x.v.min() and x.v.max() <= limits.max
        return super().astype(x, dtype)


@pytest.mark.parametrize("source", ["float32", "int32", "int64", "int8", "uint8"])
@pytest.mark.parametrize("target", ["int8", "uint8"])
def test_cast_relies_on_promised_casts_only(source: str, target: str) -> None:
    values = {"float32": [-1.5, 300.0, 200.7], "int8": [-128, 127, -1], "uint8": [255, 0, 128]}
    x = np.array(values.get(source, [-1, 300, -129]), source)
    node = node_of("Cast", [Spec(x.shape, source)], {"dtype": target})
    xp = _PromisedCasts({"x": x})
    got = rules()["Cast"].build(xp, node, xp.parameter("x", x.shape, source))
    assert got.v.tolist() == x.astype("int64").astype(target).tolist()


@pytest.mark.parametrize("target", ["int32", "bool", "float16"])
def test_cast_on_openvino(target: str) -> None:
    check_op("Cast", [np.array([-2.5, 0.0, 0.3, 7.9], "float32")], {"dtype": target})


@pytest.mark.parametrize(("source", "target"), [("float32", "float16"), ("float16", "float32"), ("int32", "float16")])
def test_amp_cast(source: str, target: str) -> None:
    check_op("amp_cast", [random(3, 4, dtype=source)], {"dtype": target})


def test_amp_cast_to_integers_is_refused() -> None:
    refused = refusal_of("amp_cast", [random(3, 4)], {"dtype": "int32"})
    assert refused and refused[0] == "attribute"


def test_amp_multicast_of_one_dtype() -> None:
    # Of several dtypes MXNet's CPU computes none: oneDNN has no float16 and no float64.
    check_op("amp_multicast", [random(3, 4), random(2, seed=1)], {"num_outputs": 2}, outputs=(0, 1))
