"""Products alone in bfloat16: what the engine runs in which precision, and the numbers are those of rounded inputs."""

import mxnet as mx
import numpy as np
import openvino
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.dialect.in_openvino.builder import Builder
from gluon_neuron.targets.cpu import ir
from gluon_neuron.targets.cpu.bf16_products import keep_float32
from tests.agreement import agree

CORE = openvino.Core()
PRODUCTS = ("Convolution", "Deconvolution", "FullyConnected", "MatMul")
MOVES = ("Input", "Output", "Const", "Reorder", "Concatenation", "Reshape", "Transpose", "Split", "StridedSlice")
CHANNELS = 16

in_bf16 = pytest.mark.skipif(
    "BF16" not in CORE.get_property("CPU", "OPTIMIZATION_CAPABILITIES"), reason="the processor has no bfloat16"
)


def nearest_bf16(value):
    """As OpenVINO does for data; what it folds of constants is rounded otherwise."""
    bits = value.view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)


class Program:
    """A program of data (1, 16, 8, 8), as it is, or with the inputs of its products rounded explicitly."""

    def __init__(self, build, shape=(1, CHANNELS, 8, 8)):
        self.shape = shape
        self.random = np.random.default_rng(0)
        self.build = build

    def model(self, rounded):
        self.random = np.random.default_rng(0)
        self.b = b = Builder()
        self.rounded = rounded
        x = b.parameter(list(self.shape), b.type("float32"))
        x.output(0).set_names({"x"})
        return openvino.Model([self.build(self, x)], [x])

    def weight(self, *shape):
        value = (self.random.normal(size=shape) / np.sqrt(np.prod(shape[1:]))).astype("float32")
        return self.b.const(nearest_bf16(value) if self.rounded else value, "float32")

    def bias(self, *shape):
        return self.b.const(self.random.normal(size=shape), "float32")

    def input(self, value):
        return self.b.convert(self.b.convert(value, "bf16"), "f32") if self.rounded else value

    def conv(self, x, out=CHANNELS, inside=CHANNELS):
        y = self.b.convolution(self.input(x), self.weight(out, inside, 3, 3), [1, 1], [1, 1], [1, 1], [1, 1])
        return self.b.add(y, self.bias(1, out, 1, 1))

    def dense(self, x, inside, out):
        return self.b.add(self.b.matmul(self.input(x), self.weight(out, inside), False, True), self.bias(out))

    def number(self, value):
        return self.b.const(value, "float32")


def residual(p, x):
    h = p.b.relu(p.conv(x))
    y = p.conv(p.b.relu(p.conv(h)))
    h = p.b.relu(p.b.add(y, h))
    y = p.conv(p.b.relu(p.conv(h)))
    return p.conv(p.b.relu(p.b.add(h, y)))


def shortcut(p, x):
    h = p.b.relu(p.conv(x))
    return p.b.multiply(p.b.relu(p.b.add(p.conv(p.b.relu(p.conv(h))), p.conv(h))), x)


def gated(p, x):
    y = p.conv(x)
    y = p.b.multiply(y, p.b.sigmoid(y))
    y = p.conv(y)
    hard = p.b.divide(p.b.clamp(p.b.add(y, p.number(3)), 0.0, 6.0), p.number(6))
    return p.b.multiply(p.conv(p.b.multiply(y, hard)), x)


def one_channel(p, x):
    y = p.conv(x, 1)
    return p.b.relu(p.conv(p.b.exp(p.b.multiply(y, x))))


def pools(p, x):
    b, window = p.b, ([1, 1], [1, 1], [1, 1], [3, 3])
    y = p.conv(x)
    mean = b.avg_pool(y, *window, False, "floor", "explicit")
    largest = b.max_pool(y, [1, 1], [1, 1], [1, 1], [1, 1], [3, 3], "floor", "explicit").output(0)
    return p.conv(b.exp(b.multiply(b.subtract(mean, largest), p.number(0.2))))


def normalized(p, x):
    b = p.b
    y = b.relu(p.conv(x))
    terms = [b.const(v, "float32") for v in p.random.uniform(0.5, 1.5, (4, CHANNELS))]
    y = b.batch_norm_inference(b.concat([y, x], 1), *[b.concat([t, t], 0) for t in terms], 1e-5)
    return p.conv(b.relu(y), inside=2 * CHANNELS)


def attention(p, x):
    b = p.b
    q, k, v = (p.dense(x, 24, 24) for _ in range(3))
    weights = b.softmax(b.multiply(b.matmul(p.input(q), p.input(k), False, True), p.number(0.25)), -1)
    y = b.add(b.matmul(p.input(weights), p.input(v), False, False), x)
    y = b.mvn(y, b.const([-1]), True, 1e-5, "inside_sqrt")
    return p.dense(b.gelu(p.dense(y, 24, 40), "erf"), 40, 24)


def transposed(p, x):
    """The engine computes a transposed convolution in float32 as a whole."""
    weight = p.random.normal(size=(CHANNELS, CHANNELS, 2, 2)) / 8
    y = p.b.convolution_backprop_data(p.b.relu(p.conv(x)), p.number(weight), [2, 2])
    scaled = p.b.multiply(p.b.add(y, p.bias(1, CHANNELS, 1, 1)), p.bias(1, CHANNELS, 1, 1))
    return p.conv(p.b.exp(p.b.tanh(scaled)))


def leaky(p, x):
    y = p.b.prelu(p.conv(x), p.b.const([0.2], "float32"))
    y = p.b.prelu(p.conv(p.b.add(y, x)), p.b.const(np.linspace(0.1, 0.4, CHANNELS), "float32"))
    return p.b.multiply(y, p.b.exp(x))


PROGRAMS = {f.__name__: f for f in (residual, shortcut, gated, one_channel, pools, normalized, transposed, leaky)}
SHAPES = {"attention": (2, 10, 24)}
PROGRAMS["attention"] = attention


def loaded(model, marked=True):
    names = keep_float32(model, {"x"}) if marked else frozenset()
    xml, literals = ir._write(model)
    weights = openvino.Tensor(np.frombuffer(literals, np.uint8).copy())
    return CORE.compile_model(
        CORE.read_model(ir._mark(xml, names).decode(), weights), "CPU", {"INFERENCE_PRECISION_HINT": "bf16"}
    )


BATCH = (3, 2, 4, 2)


def _of_rank(rank, out):
    def build(p, x):
        return p.dense(x, 24, out)

    return build, (*BATCH[: rank - 1], 24)


def _of_two_arrays(rank, narrow=False):
    def build(p, x):
        right = p.b.tanh(x)
        if narrow:
            axis = len(BATCH[: rank - 1]) - 1
            right = p.b.slice(right, *map(p.b.const, ([0], [1], [1], [axis])))
        return p.b.matmul(p.input(x), p.input(right), False, True)

    return build, (*BATCH[: rank - 1], 24)


def _shared_bias(p, x):
    bias = p.bias(CHANNELS)
    found = x
    for _ in range(3):
        y = p.b.convolution(p.input(x), p.weight(CHANNELS, CHANNELS, 3, 3), [1, 1], [1, 1], [1, 1], [1, 1])
        one = p.b.reshape(bias, p.b.const([1, CHANNELS, 1, 1]), False)
        found = p.b.multiply(found, p.b.relu(p.b.add(y, one)) if _ == 1 else p.b.add(y, one))
    return found


def _resized(mode):
    def build(p, x):
        size, axes = p.b.const([16, 16]), p.b.const([2, 3])
        return p.b.interpolate(
            p.conv(x), size, mode, "sizes", coordinate_transformation_mode="asymmetric", nearest_mode="floor", axes=axes
        )

    return build, (1, CHANNELS, 8, 8)


def _tiled(p, x):
    return p.b.broadcast(p.b.reshape(p.conv(x), p.b.const([1, 1, 16, 8, 8]), False), p.b.const([1, 2, 16, 8, 8]))


def _differences(p, x):
    y = p.conv(x)
    return p.b.multiply(p.b.subtract(y, p.b.exp(x)), p.b.divide(p.b.subtract(y, p.number(3)), p.number(7)))


def _layer_norm(p, x):
    """Over the channels, which the engine has no kernel for."""
    turned = p.b.transpose(p.conv(x), p.b.const([0, 2, 3, 1]))
    y = p.b.mvn(turned, p.b.const([-1]), True, 1e-5, "inside_sqrt")
    return p.b.transpose(y, p.b.const([0, 3, 1, 2]))


def _computed_bias(p, x):
    return p.b.add(p.conv(x), p.b.reduce_max(x, p.b.const([2, 3]), True))


IMAGE = (1, CHANNELS, 8, 8)
FORMS = {
    **{f"dense, {r} axes, {n} units": _of_rank(r, n) for r in (2, 3, 4, 5) for n in (1, 2, 40)},
    **{f"product of data, {r} axes": _of_two_arrays(r) for r in (2, 3, 4, 5)},
    **{f"product of data, {r} axes, one unit": _of_two_arrays(r, True) for r in (3, 5)},
    "shared bias": (_shared_bias, IMAGE),
    "nearest": _resized("nearest"),
    "linear": _resized("linear_onnx"),
    "tiled": (_tiled, IMAGE),
    "differences": (_differences, IMAGE),
    "layer norm": (_layer_norm, IMAGE),
    "computed bias": (_computed_bias, IMAGE),
    "one channel": (lambda p, x: p.conv(x, 1), IMAGE),
}

ENDS = {
    "output": lambda p, y: y,
    "activation": lambda p, y: p.b.relu(y),
    "two readers": lambda p, y: p.b.multiply(p.b.exp(p.b.tanh(y)), y),
}


def _then_product(p, y):
    """Nodes in front of a further product: those behind the last one are in float32 in any mode."""
    width = y.get_output_shape(0)[-1]
    return p.b.matmul(p.input(p.b.multiply(p.b.exp(p.b.tanh(y)), y)), p.weight(3, width), False, True)


ENDS["product"] = _then_product


def made(name):
    return Program(PROGRAMS[name], SHAPES.get(name, (1, CHANNELS, 8, 8)))


def layers(compiled):
    """What the engine runs: kind, precision, precision of the result, and the nodes it was made of."""
    for node in compiled.get_runtime_model().get_ordered_ops():
        told = {k: v.astype(str) for k, v in node.get_rt_info().items()}
        yield told["layerType"], told["runtimePrecision"], told["outputPrecisions"], told["originalLayersNames"]


@in_bf16
@pytest.mark.parametrize("name", PROGRAMS)
def test_only_products_are_in_bfloat16(name):
    found = list(layers(loaded(made(name).model(rounded=False))))
    others = [layer for layer in found if layer[0] not in (*PRODUCTS, *MOVES)]
    assert not [layer for layer in others if "bf16" in layer[1]]
    products = [layer for layer in found if layer[0] in PRODUCTS]
    assert any(layer[1] == "bf16" for layer in products)


@in_bf16
@pytest.mark.parametrize("name", PROGRAMS)
def test_numbers_are_those_of_rounded_inputs(name):
    program = made(name)
    x = np.random.default_rng(1).normal(size=program.shape).astype("float32")
    reference = CORE.compile_model(program.model(rounded=True), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})([x])[0]
    found = loaded(program.model(rounded=False))([x])[0]
    everything = loaded(program.model(rounded=False), marked=False)([x])[0]

    def error(values):
        return np.abs(values - reference).mean() / np.abs(reference).mean()

    assert error(found) < 1e-6 and error(everything) > 1e-3


@in_bf16
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_product_is_kept_in_float32(form, end):
    build, shape = FORMS[form]
    program = Program(lambda p, x: ENDS[end](p, build(p, x)), shape)
    x = np.random.default_rng(1).normal(size=shape).astype("float32")
    reference = CORE.compile_model(program.model(rounded=True), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})([x])[0]
    compiled = loaded(program.model(rounded=False))
    found = compiled([x])[0]
    assert np.abs(found - reference).max() < 2e-5 * np.abs(reference).max() or (
        # A last digit may fall to the other side of a tie where a further product rounds.
        end == "product" and np.abs(found - reference).mean() < 2e-4 * np.abs(reference).mean()
    )
    others = [layer for layer in layers(compiled) if layer[0] not in (*PRODUCTS, *MOVES, "Broadcast")]
    assert not [layer for layer in others if "bf16" in layer[1]]


@in_bf16
def test_a_value_for_products_alone_is_stored_in_bfloat16():
    def plain(p, x):
        return p.conv(p.b.relu(p.conv(p.b.relu(p.conv(x)))))

    stored = [layer[2] for layer in layers(loaded(Program(plain).model(rounded=False))) if layer[0] == "Convolution"]
    assert stored == ["bf16", "bf16", "f32"]


class Deep(nn.HybridBlock):
    """Layers that each add a little to what the others read: in bfloat16 it is rounded each time."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.first = nn.Conv2D(8, 3, padding=1, in_channels=3)
            self.layers = nn.HybridSequential()
            for _ in range(8):
                self.layers.add(nn.Conv2D(8, 3, padding=1, in_channels=8))

    def hybrid_forward(self, F, x):
        y = self.first(x)
        for layer in self.layers:
            y = y + 0.1 * F.tanh(layer(y))
        return y


@in_bf16
def test_it_is_nearer_than_everything_in_bfloat16():
    errors = {"matmult": 0.0, "all": 0.0}
    for seed in range(5):
        mx.random.seed(seed)
        net = Deep()
        net.initialize(mx.init.Xavier())
        x = mx.nd.random.normal(shape=(4, 3, 12, 12))
        expected = net(x).asnumpy()
        for cast in errors:
            errors[cast] += np.abs(gluon_neuron.compile(net, x, auto_cast=cast)(x).asnumpy() - expected).mean()
    assert 0 < errors["matmult"] < 0.95 * errors["all"]


def test_on_any_processor():
    net = Deep()
    net.initialize()
    x = mx.nd.random.normal(shape=(4, 3, 12, 12))
    agree(gluon_neuron.compile(net, x, auto_cast="matmult")(x), net(x), 3e-2, 3e-2)


class Positions(nn.HybridBlock):
    """Positions or lengths as floats, MXNet's default, beyond what bfloat16 tells apart, in front of a product."""

    def __init__(self, read):
        super().__init__()
        self.read = read
        with self.name_scope():
            self.dense = nn.Dense(8, flatten=False)
            self.table = self.params.get("table", shape=(3000, 8), init=mx.init.Uniform(1))

    def hybrid_forward(self, F, x, ids, table):
        return self.dense(self.read(F, x, ids, table))


READS = {
    "embedding": lambda F, x, ids, table: F.Embedding(ids, table, input_dim=3000, output_dim=8),
    "embedding of a sum": lambda F, x, ids, table: F.Embedding(ids - 1, table, input_dim=3000, output_dim=8),
    "take": lambda F, x, ids, table: F.relu(F.take(table, ids)),
    "gather_nd": lambda F, x, ids, table: F.gather_nd(table, F.expand_dims(ids, 0)),
    "one_hot": lambda F, x, ids, table: F.dot(F.one_hot(ids, depth=3000), table),
    "order": lambda F, x, ids, table: F.take(table, F.argsort(ids)),
    "lengths": lambda F, x, ids, table: F.SequenceMask(x, F.slice_axis(ids, axis=0, begin=0, end=2), True, axis=0),
    "last": lambda F, x, ids, table: F.SequenceLast(x, F.slice_axis(ids, axis=0, begin=0, end=2), True),
    "equal": lambda F, x, ids, table: F.broadcast_mul(table, F.expand_dims(F.sum(ids) == 4772, 1)),
}


@pytest.mark.parametrize("cast", ["matmult", "all"])
@pytest.mark.parametrize("read", READS)
def test_positions_keep_their_digits(read, cast):
    net = Positions(READS[read])
    net.initialize(mx.init.Uniform(1))
    x, ids = mx.nd.random.uniform(-1, 1, (600, 2, 8)), mx.nd.array([257, 515, 1001, 2999])
    expected = net(x, ids).asnumpy()
    found = gluon_neuron.compile(net, (x, ids), auto_cast=cast)(x, ids).asnumpy()
    assert np.abs(found - expected).max() < 0.02 * np.abs(expected).max()
