"""Products are written as OpenVINO's fastest kernels want them, and compute what they did before."""

import mxnet as mx
import numpy as np
import openvino
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.dialect.in_openvino.builder import Builder
from gluon_neuron.targets.cpu.dense_layers import ROWS, rewrite_dense_layers
from gluon_neuron.targets.cpu.features import AVX512, VARIABLE
from tests.agreement import agree

RNG = np.random.default_rng(0)
CORE = openvino.Core()
INSIDE, OUT = 6, 5


def program(shape, then=lambda b, y: y, bias=(OUT,), weight=(OUT, INSIDE), dtype="float32", transpose=False):
    """A product of data `x` with a weight, its bias, and what follows."""
    b = Builder()
    x = b.parameter(list(shape), b.type(dtype))
    x.output(0).set_names({"x"})
    y = b.matmul(x, b.const(RNG.normal(size=weight), dtype), transpose, True)
    if bias is not None:
        y = b.add(y, b.const(RNG.normal(size=bias), dtype))
    y = then(b, y)
    return openvino.Model(y if isinstance(y, list) else [y], [x])


def kinds(model):
    """The types of the operators, in order."""
    return [n.get_type_name() for n in model.get_ordered_ops() if n.get_type_name() not in ("Parameter", "Constant")]


def run(model, x):
    compiled = CORE.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return [np.array(a) for a in compiled([x]).values()]


def check(model, avx512=True, x=None):
    """Rewrite the model, compare what it computes, and return its operators."""
    shape = tuple(model.inputs[0].get_shape())
    x = RNG.normal(size=shape).astype("float32") if x is None else x
    expected = run(model, x)
    outputs = [list(o.get_shape()) for o in model.outputs]
    rewrite_dense_layers(model, {"x"}, avx512)
    assert [list(o.get_shape()) for o in model.outputs] == outputs
    for found, wanted in zip(run(model, x), expected, strict=True):
        agree(found, wanted, 1e-5, 1e-5)
    return kinds(model)


ONE = ["MatMul", "Add"]


def gelu(b, y):
    return b.exp(b.gelu(y, "erf"))


def several(b, y):
    return [b.relu(y), b.exp(y)]


def itself(b, y):
    return b.add(y, b.exp(y))


@pytest.mark.parametrize("avx512", [False, True])
def test_rows_are_joined_up_to_the_activation(avx512):
    assert check(program((128, 2, INSIDE), gelu), avx512) == [
        *("Reshape", *ONE, "Gelu", "Reshape"),
        *("Exp", "Result"),
    ]


def test_no_activation():
    assert check(program((128, 2, INSIDE))) == ["Reshape", *ONE, "PRelu", "Reshape", "Result"]
    assert check(program((ROWS, INSIDE))) == [*ONE, "PRelu", "Result"]
    assert check(program((ROWS, INSIDE), bias=None)) == ["MatMul", "PRelu", "Result"]
    assert check(program((2, ROWS, INSIDE), bias=(1, OUT))) == [*ONE, "PRelu", "Result"]
    assert check(program((4, 8, 8, INSIDE))) == [*ONE, "PRelu", "Result"]


@pytest.mark.parametrize(
    ("model", "avx512"),
    [
        (program((ROWS, INSIDE)), False),
        (program((ROWS - 1, INSIDE)), True),
        (program((1, ROWS - 1, INSIDE)), True),
        (program((2, ROWS, INSIDE), lambda b, y: b.relu(y)), True),
        (program((INSIDE, ROWS), transpose=True), True),
        (program((3, ROWS, INSIDE), bias=None, weight=(3, OUT, INSIDE)), True),
        (program((0, 2, INSIDE)), True),
        (program((ROWS, INSIDE), dtype="float16"), True),
    ],
    ids=["no avx512", "few rows", "batch of one", "activated", "transposed", "no weight", "no rows", "float16"],
)
def test_left_alone(model, avx512):
    before = kinds(model)
    assert rewrite_dense_layers(model, {"x"}, avx512).products == 0
    assert kinds(model) == before


def test_products_of_data_or_of_weights_alone():
    b = Builder()
    x, w = b.parameter([ROWS, ROWS]), b.parameter([ROWS, ROWS])
    x.output(0).set_names({"x"})
    w.output(0).set_names({"w"})
    model = openvino.Model(
        [b.matmul(x, x, False, True), b.matmul(w, w, False, False), b.matmul(w, x, False, False)], [x, w]
    )
    assert rewrite_dense_layers(model, {"x"}, True).products == 0


def test_what_several_read_or_add():
    assert sorted(check(program((128, 2, INSIDE), several))) == sorted(
        ["Reshape", *ONE, "PRelu", "Reshape", "Relu", "Exp", "Result", "Result"]
    )
    # A sum with data, or along another axis, is not a bias.
    assert "PRelu" in check(program((ROWS, INSIDE), itself))
    assert check(program((ROWS, INSIDE), bias=(ROWS, 1))) == ["MatMul", "PRelu", "Add", "Result"]
    assert check(program((64, 2, INSIDE), bias=(64, 1, 1))) == [
        "Reshape",
        "MatMul",
        "PRelu",
        "Reshape",
        "Add",
        "Result",
    ]


@pytest.mark.parametrize("slope", [(1,), (1, 1, OUT), (1, 2, 1)])
def test_an_activation_with_a_weight_keeps_its_axes(slope):
    def prelu(b, y):
        return b.prelu(y, b.const(RNG.normal(size=slope), "float32"))

    assert check(program((128, 2, INSIDE), prelu)) == ["Reshape", *ONE, "PRelu", "Reshape", "PRelu", "Result"]


def test_no_number_changes():
    special = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, -1e-40, 3e38, -3e38], "float32")
    b = Builder()
    x = b.parameter([ROWS, 8])
    x.output(0).set_names({"x"})
    model = openvino.Model([b.matmul(x, b.const(np.eye(8), "float32"), False, True)], [x])
    rows = np.zeros((ROWS, 8), "float32")
    rows[:8] = np.diag(special)
    expected = run(model, rows)[0]
    assert rewrite_dense_layers(model, {"x"}, True).products == 1
    agree(run(model, rows)[0], expected)
    negative = np.where(np.isfinite(expected), expected, 0)
    assert (negative < 0).any()


def test_a_net_with_prelu():
    net = nn.HybridSequential()
    net.add(nn.Dense(4, flatten=False), nn.PReLU(in_channels=4), nn.Dense(3, flatten=False))
    net.initialize(mx.init.Xavier())
    x = mx.nd.random.normal(shape=(128, 4, 6))
    compiled = gluon_neuron.compile(net, x)
    assert not compiled.report.outside
    agree(compiled(x), net(x), 1e-4, 1e-5)


@pytest.mark.parametrize("avx512", [False, True])
@pytest.mark.parametrize("activation", [None, "relu", "tanh"])
@pytest.mark.parametrize("shape", [(40, 4, 24), (4, 130, 24), (150, 24), (3, 5, 16, 24), (7, 2, 24)])
def test_nets(shape, activation, avx512, monkeypatch):
    monkeypatch.setenv(VARIABLE, ",".join(AVX512) if avx512 else "avx2")
    net = nn.HybridSequential()
    net.add(nn.Dense(48, activation, flatten=False), nn.LayerNorm(), nn.Dense(16, flatten=False, use_bias=False))
    net.initialize(mx.init.Xavier())
    x = mx.nd.random.normal(shape=shape)
    compiled = gluon_neuron.compile(net, x)
    assert not compiled.report.outside
    agree(compiled(x), net(x), 1e-4, 1e-5)
