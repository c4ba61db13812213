"""The OpenVINO namespace: leaves, models, names, laziness."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import openvino as ov
import pytest

from gluon_neuron.dialect import OpenVINONamespace
from gluon_neuron.dialect.in_numpy import kernels
from gluon_neuron.dialect.in_openvino import namespace, recurrent
from gluon_neuron.errors import DialectError
from tests.agreement import agree

from .conformance import infer, random


def _names(model: ov.Model, kind: str = "") -> list[str]:
    return [op.get_friendly_name() for op in model.get_ordered_ops() if kind in ("", op.get_type_name())]


def test_openvino_is_imported_only_for_a_namespace() -> None:
    code = (
        "import sys; from gluon_neuron.dialect import OpenVINONamespace as N; "
        "assert 'openvino' not in sys.modules; N(); assert 'openvino' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_known_values_fold_through_numpy_for_every_native_function() -> None:
    # What NumPy has no function for folds by its composition.
    composed = {*recurrent.KERNELS, "deform_conv", "local_response_norm"}
    assert set(namespace.KERNELS) - composed <= set(kernels.KERNELS)


def test_parameters_keep_their_order_and_names() -> None:
    xp = OpenVINONamespace()
    x, w = xp.parameter("x", (2, 3), "float32"), xp.parameter("fc0 weight", (4, 3), "float32")
    xp.parameter("unused", (), "int32")
    assert list(xp.parameters) == ["x", "fc0 weight", "unused"]
    model = xp.model([xp.linear(x, w)], ["fc0 weight", "unused", "x"])
    assert [p.get_friendly_name() for p in model.get_parameters()] == ["fc0 weight", "unused", "x"]
    assert [p.get_any_name() for p in model.inputs] == ["fc0 weight", "unused", "x"]
    assert [i.get_any_name() for i in xp.model([x]).inputs] == ["x", "fc0 weight", "unused"]


def test_a_parameter_is_made_once() -> None:
    xp = OpenVINONamespace()
    xp.parameter("x", (2,), "float32")
    with pytest.raises(DialectError, match="'x' already"):
        xp.parameter("x", (2,), "float32")


@pytest.mark.parametrize("names", [["y"], ["x", "x", "w"], ["x"]])
def test_a_model_needs_its_parameters_once_each(names: list[str]) -> None:
    xp = OpenVINONamespace()
    x, w = xp.parameter("x", (2,), "float32"), xp.parameter("w", (2,), "float32")
    with pytest.raises(DialectError, match="model"):
        xp.model([x + w], names)


def test_each_output_is_a_result_of_its_own() -> None:
    xp = OpenVINONamespace()
    x = xp.parameter("x", (2, 3), "float32")
    y = xp.exp(x)
    known = xp.constant([[1, 2]])
    value = random(2, 3)
    model = xp.model([y, x, y, known, x])
    assert len(model.outputs) == 5
    found = infer(model, [value])
    for got, want in zip(found, [np.exp(value), value, np.exp(value), np.int32([[1, 2]]), value]):
        assert got.dtype == want.dtype
        agree(got, want, rtol=1e-6)


def test_one_namespace_makes_several_models() -> None:
    xp = OpenVINONamespace()
    x = xp.parameter("x", (2,), "float32")
    value = random(2)
    for scale in (2.0, 3.0):
        agree(infer(xp.model([x * scale]), [value])[0], value * scale, rtol=1e-6)


def test_nodes_carry_the_name_of_their_scope() -> None:
    xp = OpenVINONamespace()
    x = xp.parameter("data", (1, 4, 4, 4), "float32")
    with xp.scope("block0_conv"):
        w = xp.parameter("weight", (4, 2, 1, 1), "float32")
        y = xp.conv(x, w, (1, 1), ((0, 0), (0, 0)), (1, 1), 2)
        with xp.scope("inner"):
            y = xp.relu(y)
        y = y + 1.0
    with xp.scope("block0_conv"):
        y = y * 2.0
    with xp.scope("data"):
        y = xp.tanh(y)
    model = xp.model([y])
    assert sorted(_names(model, "Parameter")) == ["data", "weight"]
    assert _names(model, "Reshape") + _names(model, "GroupConvolution") == ["block0_conv", "block0_conv/1"]
    assert _names(model, "Relu") == ["inner"]
    assert _names(model, "Add") + _names(model, "Multiply") == ["block0_conv/2", "block0_conv/3"]
    assert _names(model, "Tanh") == ["data/1"], "names are unique, and a parameter's comes first"
    assert len(set(_names(model))) == len(_names(model))


def test_two_builds_are_the_same_to_the_byte(tmp_path: Path) -> None:
    def build(name: str) -> bytes:
        xp = OpenVINONamespace()
        x = xp.parameter("x", (1, 4, 6, 6), "float32")
        with xp.scope("a"):
            y = xp.layer_norm(xp.max_pool(x, (2, 2), (2, 2), ((0, 0), (0, 0))), (2, 3), 1e-5)
        with xp.scope("b"):
            y = xp.resize_nearest(xp.take(y, xp.argmax(xp.mean(y, (2, 3)), 1), 1)[..., ::-1], 2)
            y = xp.resize_linear(y, (3, 3), (np.arange(3.0), np.arange(3.0)))
        with xp.scope("c"):
            y = xp.softmax(xp.pad(xp.clip(xp.permute_dims(y, (0, 2, 3, 1)), 0.0, 1.0), ((1, 0),) * 4), 1)
        ov.serialize(xp.model([y, xp.sum(y)]), str(tmp_path / name))
        return (tmp_path / name).read_bytes()

    assert build("one.xml") == build("two.xml")


def test_what_openvino_refuses_names_the_scope_and_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(op, x):
        return op.reshape(x, op.const([5]), False)

    monkeypatch.setitem(namespace.KERNELS, "tanh", broken)
    xp = OpenVINONamespace()
    x = xp.parameter("x", (2,), "float32")
    with xp.scope("act0"), pytest.raises(DialectError, match=r"act0: OpenVINO refuses tanh\(Array\(float32\[2\]\)\)"):
        xp.tanh(x)


@pytest.mark.parametrize("kind", ["shape", "dtype"])
def test_a_dynamic_shape_or_another_dtype_is_an_error(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    kernels = {"shape": lambda op, x: op.non_zero(x, "i32"), "dtype": lambda op, x: op.convert(x, "f16")}
    monkeypatch.setitem(namespace.KERNELS, "tanh", kernels[kind])
    xp = OpenVINONamespace()
    with pytest.raises(DialectError, match={"shape": "run time", "dtype": "float16 in OpenVINO"}[kind]):
        xp.tanh(xp.parameter("x", (2,), "float32"))


def test_compute_heavy_functions_are_single_nodes() -> None:
    """Compositions of these were measured to be slower, or to hide the pattern from OpenVINO."""
    xp = OpenVINONamespace()
    x = xp.parameter("x", (1, 4, 6, 6), "float32")
    v = [xp.parameter(n, (4,), "float32") for n in "gbmv"]
    ones = ((1, 1), (0, 0))
    built = {
        "Relu": xp.relu(x),
        "MVN": xp.layer_norm(x, 1, 1e-5),
        "BatchNormInference": xp.batch_norm(x, *v, 1e-5),
        "Softmax": xp.softmax(x, 1),
        "Gelu": xp.gelu(x),
        "Clamp": xp.clip(x, 0, 6),
        "MatMul": xp.linear(x, xp.parameter("w", (5, 6), "float32")),
        "AvgPool": xp.avg_pool(x, (2, 2), (1, 1), ones, xp.constant([[2.0] * 5] + [[4.0] * 5] * 5 + [[2.0] * 5])),
    }
    for kind, y in built.items():
        kinds = {op.get_type_name() for op in xp.model([y]).get_ordered_ops()}
        assert kinds - {"Parameter", "Constant", "Result"} == {kind}


def _remainder(a: np.ndarray, b: np.ndarray, dtype: str = "float32") -> np.ndarray:
    xp = OpenVINONamespace()
    x, y = xp.parameter("a", a.shape, dtype), xp.parameter("b", b.shape, dtype)
    return infer(xp.model([xp.remainder(x, y)]), [a, b])[0]


def _exact_remainder(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    rest = np.fmod(a.astype("float64"), b.astype("float64"))
    return np.where((rest != 0) & ((rest < 0) != (b < 0)), rest + b, rest).astype(a.dtype)


def _dividends(rng: np.random.Generator, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Dividends, a fourth of them whole multiples, and divisors; quotients are from 2**low to 2**high."""
    signs = rng.choice([-1, 1], (2, 20000))
    b = (10.0 ** rng.uniform(-25, 25, 20000) * signs[0]).astype("float32")
    quotient = 2.0 ** rng.uniform(low, high, 20000)
    quotient[:5000] = np.round(quotient[:5000])
    return (np.clip(b * quotient, -3e38, 3e38) * signs[1]).astype("float32"), b


@pytest.mark.parametrize(("low", "high"), [(-3, 3), (0, 12), (12, 24), (23, 33)])
def test_remainders_of_floats_are_exact(low: float, high: float) -> None:
    a, b = _dividends(np.random.default_rng(0), low, high)
    agree(_remainder(a, b), _exact_remainder(a, b))


def test_remainders_of_vast_quotients_are_in_range() -> None:
    a, b = _dividends(np.random.default_rng(1), 34, 120)
    found = _remainder(a, b)
    assert (np.abs(found) <= np.abs(b)).all()
    assert ((found == 0) | ((found < 0) == (b < 0))).all()


def test_remainders_at_the_edges() -> None:
    a = np.float32([3e38, 3.3e38, 2e38, 5, 1e-38, 0, -0.0, -1e-30, np.nan, np.inf])
    b = np.float32([2.9e38, 1e35, -3e38, 3e38, 3e38, 3, -3, 1, 1, 1])
    with np.errstate(invalid="ignore"):
        agree(_remainder(a, b), _exact_remainder(a, b))
    half = np.float16([65504, 100, -7.5, 0.1])
    agree(
        _remainder(half, np.float16([3, 0.1, 2, -6e-5]), "float16"),
        _exact_remainder(half, np.float16([3, 0.1, 2, -6e-5])),
    )


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("sizes", [(1, 1, 1), (1, 1, 3), (3, 1, 1), (1, 3, 1)])
def test_products_with_a_weight_of_one_number(sizes: tuple[int, ...], flip: bool) -> None:
    x, *weights = random(4, sizes[0]), *(random(*pair) for pair in zip(sizes, sizes[1:]))
    xp = OpenVINONamespace()
    y = xp.parameter("x", x.shape, "float32")
    want = x
    for w in weights:
        y = xp.matmul(y, xp.constant(w.T if flip else w, "float32"), transpose_b=flip)
        want = want @ w
    agree(infer(xp.model([y]), [x])[0], want, 1e-5, 1e-6)
