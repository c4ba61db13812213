"""What follows from weights alone is right at every call, and what is taken to fold does."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import openvino
import pytest
from mxnet import gluon
from openvino import opset15 as op
from openvino.passes import ConstantFolding, Manager

import gluon_neuron
from gluon_neuron.targets.cpu.constant_overwrite import FOLDED, prevent_constant_overwrite
from tests.agreement import agree

SHAPE = (1, 8, 8, 8)


def _rnn(F, c, k):
    weights = F.slice_axis(F.reshape(k, (-1,)), axis=0, begin=0, end=144)
    return F.RNN(F.reshape(c, (8, 8, 8)), weights, F.zeros((1, 8, 8)), state_size=8, num_layers=1, mode="rnn_tanh")


MAKERS = {
    "convolution": lambda F, c, k: F.Convolution(c, k, kernel=(3, 3), pad=(1, 1), num_filter=8, no_bias=True),
    "deconvolution": lambda F, c, k: F.Deconvolution(c, k, kernel=(3, 3), pad=(1, 1), num_filter=8, no_bias=True),
    "pooling": lambda F, c, k: F.Pooling(c, kernel=(3, 3), pad=(1, 1), pool_type="avg"),
    "elu": lambda F, c, k: F.LeakyReLU(c, act_type="elu"),
    "hard sigmoid": lambda F, c, k: F.hard_sigmoid(c),
    "rnn": lambda F, c, k: F.reshape(_rnn(F, c, k), SHAPE),
}

READERS = {
    "sum": lambda F, c, x: F.relu(c + x),
    "product": lambda F, c, x: F.relu(c * x),
    "reshaped": lambda F, c, x: F.tanh(F.reshape(c, (8, 64)) + F.reshape(x, (8, 64))),
    "concatenated": lambda F, c, x: F.exp(F.concat(c, x, dim=1)),
    "itself": lambda F, c, x: [c, x + 1],
}


class OfWeights(gluon.HybridBlock):
    """A maker's result on weights alone, and a reader that joins it with the data."""

    def __init__(self, make, read):
        super().__init__()
        self.make, self.read = make, read
        with self.name_scope():
            self.c = self.params.get("c_weight", shape=SHAPE)
            self.k = self.params.get("k_weight", shape=(8, 8, 3, 3))
            self.h = self.params.get("h_weight", shape=(8, 8, 1, 1))

    def hybrid_forward(self, F, x, c, k, h):
        x = F.Convolution(x, h, kernel=(1, 1), num_filter=8, no_bias=True)
        return self.read(F, self.make(F, c, k), x)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("maker", MAKERS)
def test_every_call_is_right(maker, reader):
    net = OfWeights(MAKERS[maker], READERS[reader])
    net.initialize(mx.init.Normal(0.5))
    compiled = gluon_neuron.compile(net, mx.nd.ones(SHAPE))
    assert not compiled.report.outside
    for _ in range(3):
        x = mx.nd.random.normal(shape=SHAPE)
        found, expected = compiled(x), net(x)
        found, expected = ([a] if isinstance(a, mx.nd.NDArray) else a for a in (found, expected))
        for one, other in zip(found, expected, strict=True):
            agree(one, other, 1e-4, 1e-5)


def test_baked_weights():
    net = OfWeights(MAKERS["convolution"], READERS["sum"])
    net.initialize(mx.init.Normal(0.5))
    x = mx.nd.random.normal(shape=SHAPE)
    compiled = gluon_neuron.compile(net, x, inline_weights=True)
    for _ in range(3):
        agree(compiled(x), net(x), 1e-4, 1e-5)


def test_data_that_are_not_numbers_do_not_reach_the_weights():
    net = OfWeights(MAKERS["convolution"], READERS["concatenated"])
    net.initialize(mx.init.Normal(0.5))
    x = mx.nd.full(SHAPE, np.nan)
    compiled = gluon_neuron.compile(net, mx.nd.ones(SHAPE))
    found, expected = compiled(x).asnumpy(), net(x).asnumpy()
    agree(found[:, :8], expected[:, :8], 1e-4, 1e-5)


def numbers(*shape, dtype="float32"):
    return op.constant(np.random.default_rng(0).uniform(1, 3, shape).astype(dtype))


def ints(*values):
    return op.constant(np.array(values, "int32"))


def scalar(value, dtype="float32"):
    return op.constant(np.array(value, dtype))


X, N, B = numbers(2, 3, 4, 4), numbers(2, 3, 4, 4, dtype="int32"), op.constant(np.ones((2, 3, 4, 4), bool))
UNARY = (
    *(
        "abs",
        "acos",
        "acosh",
        "asin",
        "asinh",
        "atan",
        "atanh",
        "ceiling",
        "cos",
        "cosh",
        "erf",
        "exp",
        "floor",
        "hswish",
    ),
    *("log", "negative", "relu", "sigmoid", "sign", "sin", "sinh", "softplus", "sqrt", "swish", "tan", "tanh"),
)
BINARY = (
    *("add", "divide", "equal", "floor_mod", "greater", "greater_equal", "less", "less_equal", "maximum", "minimum"),
    *("multiply", "not_equal", "power", "subtract"),
)
REDUCTIONS = ("reduce_l1", "reduce_l2", "reduce_max", "reduce_mean", "reduce_min", "reduce_prod", "reduce_sum")
FOLDS = [
    *(getattr(op, name)(X) for name in UNARY),
    *(getattr(op, name)(v, v) for name in BINARY for v in (X, N)),
    *(getattr(op, name)(X, ints(1)) for name in REDUCTIONS),
    *(getattr(op, name)(B, B) for name in ("logical_and", "logical_or", "logical_xor")),
    op.logical_not(B),
    *(op.convert(v, kind) for v in (X, N, B) for kind in ("f32", "f16", "bf16", "i32", "i64", "boolean")),
    op.broadcast(numbers(4), ints(2, 4)),
    op.clamp(X, 1.5, 2.0),
    op.concat([X, X], 1),
    op.cum_sum(X, ints(1)),
    op.depth_to_space(numbers(1, 4, 2, 2), "blocks_first", 2),
    op.space_to_depth(X, "blocks_first", 2),
    op.gather(X, ints(0, 1), ints(1)),
    *(op.gelu(X, mode) for mode in ("erf", "tanh")),
    op.prelu(X, numbers(1)),
    *(op.interpolate(X, ints(8, 8), mode, "sizes", axes=ints(2, 3)) for mode in ("linear_onnx", "nearest")),
    op.softmax(X, 1),
    op.matmul(X, X, False, True),
    op.mvn(X, ints(2, 3), True, 1e-5, "inside_sqrt"),
    op.max_pool(X, [1, 1], [1, 1], [0, 0], [0, 0], [2, 2]),
    op.one_hot(ints(0, 1, 2), scalar(3, "int32"), scalar(1), scalar(0), -1),
    op.pad(X, ints(0, 0, 1, 1), ints(0, 0, 1, 1), "constant", scalar(0)),
    op.pad(X, ints(0, 0, 1, 1), ints(0, 0, 1, 1), "reflect"),
    op.reshape(X, ints(2, -1), False),
    op.squeeze(numbers(1, 3), ints(0)),
    op.unsqueeze(X, ints(0)),
    op.round(X, "half_to_even"),
    op.select(B, X, X),
    op.slice(X, ints(0), ints(1), ints(1), ints(0)),
    op.strided_slice(X, ints(0, 0), ints(1, 1), ints(1, 1), [0, 0], [0, 0]),
    op.split(X, scalar(1, "int32"), 3),
    op.variadic_split(X, scalar(1, "int32"), ints(1, 2)),
    op.tile(X, ints(1, 1, 2, 2)),
    op.topk(X, scalar(2, "int32"), 1, "max", "value"),
    op.transpose(X, ints(0, 2, 1, 3)),
]


def test_what_is_taken_to_fold_does():
    left = []
    for node in FOLDS:
        model = openvino.Model([node.output(k) for k in range(len(node.outputs()))], [], "folds")
        manager = Manager()
        manager.register_pass(ConstantFolding())
        manager.run_passes(model)
        sources = [r.input(0).get_source_output().get_node().get_type_name() for r in model.get_results()]
        left += [node.get_type_name()] if set(sources) != {"Constant"} else []
    assert left == []
    assert {node.get_type_name() for node in FOLDS} == FOLDED


def test_nodes_of_the_data_stay_as_they_are():
    x, weight = op.parameter([1, 2, 4, 4], np.float32), op.parameter([2, 2, 1, 1], np.float32)
    for name, node in (("x", x), ("weight", weight)):
        node.output(0).set_names({name})
    one = [[1, 1], [0, 0], [0, 0], [1, 1]]
    of_data = openvino.Model([op.convolution(x, op.relu(weight), *one)], [x, weight], "of data")
    assert prevent_constant_overwrite(of_data, {"x"}) == 0
    chained = op.elu(op.elu(weight, 1.0), 1.0)
    of_weights = openvino.Model([op.convolution(x, chained, *one)], [x, weight], "of weights")
    # The second follows from the first, which depends on the data by now.
    assert prevent_constant_overwrite(of_weights, {"x"}) == 1


ELEMENTWISE = (
    *("abs", "negative", "relu", "sigmoid", "exp", "sin", "floor", "erf", "arctan", "square", "sign", "cosh"),
    *("softsign", "rint", "arcsinh", "degrees", "log_softmax"),
)


class Folded(gluon.HybridBlock):
    """Functions of a vector or a matrix that follows from a weight alone, beside the data."""

    def __init__(self, shape):
        super().__init__()
        self.weight = self.params.get("weight", shape=shape)

    def hybrid_forward(self, F, x, weight):
        made = [F.tanh(weight), weight * 2 + 1, F.clip(weight, -0.7, 0.9), F.Cast(F.Cast(weight, "float16"), "float32")]
        return [F.relu(x), *(getattr(F, name)(v) for v in made for name in ELEMENTWISE)]


@pytest.mark.parametrize("shape", [(1,), (4,), (24,), (4, 6), (2, 3, 4)])
def test_functions_of_what_is_folded(shape):
    net = Folded(shape)
    net.initialize(mx.init.Normal(1))
    x = mx.nd.ones((2, 2))
    every = [n.node for n in gluon_neuron.analyze(net, x).outside]
    compiled = gluon_neuron.compile(net, x, include_nodes=every)
    assert not compiled.report.outside
    for found, expected in zip(compiled(x), net(x), strict=True):
        agree(found, expected, 1e-4, 1e-5)
