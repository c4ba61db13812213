"""The IR's text without weights: patched as the engine patches it, it computes what MXNet computes."""

import mxnet as mx
import numpy as np
import openvino
import pytest

from gluon_neuron.dialect.in_openvino.namespace import OpenVINONamespace
from gluon_neuron.lowering.lower import lower
from gluon_neuron.targets.base import DATA, UNUSED, WEIGHT
from gluon_neuron.targets.cpu.ir import prepare_model, serialize
from tests.agreement import agree
from tests.targets.hlo import whole

DIGITS, ALIGNMENT = 20, 64
X = mx.nd.array(np.random.default_rng(0).normal(size=(2, 3, 6, 6)))


def conv_net(**options):
    nn = mx.gluon.nn
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 3, **options), nn.BatchNorm(), nn.Activation("relu"), nn.Dense(3))
    net.initialize(mx.init.Xavier(magnitude=2))
    net(X)
    return net


class Function(mx.gluon.HybridBlock):
    """A block of one function, with parameters "a" and "b" of 4 numbers."""

    def __init__(self, function, names=("a", "b")):
        super().__init__(prefix="")
        self.function = function
        for k, name in enumerate(names):
            self._reg_params[name] = self.params.get(name, shape=(4,), init=mx.init.Constant(k + 2))
        self.initialize()

    def hybrid_forward(self, F, *data, **params):
        return self.function(F, *data, *params.values())


def made(net, sample, inline=False):
    """The work, its values, and what `serialize` makes of it."""
    work, values = whole(net, sample, inline)
    xp = OpenVINONamespace()
    prepared = prepare_model(xp, lower(work.graph, xp), work)
    return work, values, (*serialize(prepared, work), prepared.roles)


def run(work, values, payload, program, tmp_path):
    """Compute as the engine does: literals and weights in one file, and each offset written where it belongs."""
    start, length = program["xml"]
    assert start == 0
    xml = bytearray(payload[:length])
    at, size = program["literals"]
    binary = bytearray(payload[at : at + size])
    places = list(program["literal_positions"])
    for index, positions in program["weights"]:
        raw = np.ascontiguousarray(values[work.inputs[index]]).tobytes()
        binary += bytes(-len(binary) % ALIGNMENT)
        places.append([len(binary), len(raw), positions])
        binary += raw
    for offset, _, positions in places:
        for position in positions:
            assert xml[position : position + DIGITS].isdigit() and xml[position - 8 : position] == b'offset="'
            xml[position : position + DIGITS] = b"%0*d" % (DIGITS, offset)
    (tmp_path / "model.xml").write_bytes(xml)
    (tmp_path / "model.bin").write_bytes(binary)
    core = openvino.Core()
    compiled = core.compile_model(
        core.read_model(tmp_path / "model.xml", tmp_path / "model.bin"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    return [np.array(a) for a in compiled([values[work.inputs[i]] for i in program["data"]]).values()]


def flat(results):
    return list(results) if isinstance(results, list | tuple) else [results]


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize("options", [{}, {"use_bias": False, "strides": 2, "padding": 1}])
def test_computes_what_mxnet_does(tmp_path, inline, options):
    net = conv_net(**options)
    work, values, (payload, program, _) = made(net, X, inline)
    agree(run(work, values, payload, program, tmp_path), [net(X)], 1e-5, 1e-5)


def test_weights_are_not_in_the_payload():
    work, values, (payload, program, roles) = made(conv_net(), X)
    assert roles == work.roles
    assert [work.inputs[i] for i in program["data"]] == [n for n in work.inputs if roles[n] == DATA]
    assert [work.inputs[i] for i, _ in program["weights"]] == [n for n in work.inputs if roles[n] == WEIGHT]
    varied = [n for n in work.inputs if np.ptp(values[n]) > 0]
    assert len(varied) > 2 and not [n for n in varied if values[n].tobytes() in payload]


def test_weights_that_change_need_no_other_payload(tmp_path):
    net = conv_net()
    first = made(net, X)[2][0]
    for param in net.collect_params().values():
        param.set_data(param.data() * 1.5 + 0.25)
    work, values, (payload, program, _) = made(net, X)
    assert payload == first
    agree(run(work, values, payload, program, tmp_path), [net(X)], 1e-5, 1e-5)


def test_inlined_weights_are_literals():
    net = conv_net()
    work, values, (payload, program, roles) = made(net, X, inline=True)
    assert program["weights"] == [] and list(roles.values()) == [DATA] and list(work.inputs) == ["data"]
    at, size = program["literals"]
    found = {payload[at + o : at + o + n]: o for o, n, _ in program["literal_positions"]}
    assert len(work.values) > 4 and at + size == len(payload)
    # The engine computes on them where they are.
    assert {found[bytes(raw)] % ALIGNMENT for raw in work.values.values()} == {0}


def test_layout_of_the_payload():
    _, _, (payload, program, _) = made(conv_net(), X, inline=True)
    start, size = program["literals"]
    assert start % ALIGNMENT == 0 and start + size == len(payload)
    assert payload[program["xml"][1] : start].strip(b"\0") == b""
    for offset, length, positions in program["literal_positions"]:
        assert offset + length <= size
        for position in positions:
            assert int(payload[position : position + DIGITS]) == offset


def test_what_is_not_read_is_unused(tmp_path):
    # Zeros follow from shapes alone.
    net = Function(lambda F, x, y, a, b: F.broadcast_add(x, a) + F.zeros_like(F.broadcast_add(y, b)))
    data = mx.nd.ones((2, 4)), mx.nd.ones((2, 4))
    work, values, (payload, program, roles) = made(net, data)
    assert roles == {"data0": DATA, "a": WEIGHT, "data1": UNUSED, "b": UNUSED}
    assert set(work.roles.values()) == {DATA, WEIGHT}, "what was given is as it was"
    assert [work.inputs[i] for i in program["data"]] == ["data0"]
    assert [work.inputs[i] for i, _ in program["weights"]] == ["a"]
    agree(run(work, values, payload, program, tmp_path), [net(*data)])


@pytest.mark.parametrize(
    ("function", "count"),
    [
        (lambda F, x, a, b: F.broadcast_mul(F.broadcast_add(x, a), b), 1),
        (lambda F, x, a, b: [F.broadcast_mul(x, b), F.broadcast_add(x, a), F.broadcast_sub(x, a)], 3),
        # Data or a weight that is a result itself.
        (lambda F, x, a, b: [F.broadcast_add(x, a), F.identity(x), F.identity(b)], 3),
        (lambda F, x, a, b: F.broadcast_add(x, F.broadcast_mul(a, a) - b), 1),
    ],
    ids=["one", "several", "passed through", "of weights alone"],
)
@pytest.mark.parametrize("inline", [False, True])
def test_outputs(tmp_path, function, count, inline):
    net, x = Function(function), mx.nd.array([[1, 2, 3, 4], [5, 6, 7, 8]])
    work, values, (payload, program, _) = made(net, x, inline)
    found = run(work, values, payload, program, tmp_path)
    assert len(found) == count
    agree(found, flat(net(x)))


def test_equal_weights_stay_apart(tmp_path):
    net, x = Function(lambda F, x, a, b: F.broadcast_mul(F.broadcast_add(x, a), b)), mx.nd.ones((2, 4))
    net.params.get("b").set_data(net.params.get("a").data())
    work, values, (payload, program, _) = made(net, x)
    assert len(program["weights"]) == 2
    values["b"] = values["b"] + 5
    agree(run(work, values, payload, program, tmp_path), [(x.asnumpy() + values["a"]) * values["b"]])


def test_several_data_keep_their_order(tmp_path):
    net = Function(lambda F, x, y, z, a, b: F.broadcast_add(z, a) - 2 * F.broadcast_mul(x, b) / y)
    data = [mx.nd.full((2, 4), k) for k in (3, 5, 7)]
    work, values, (payload, program, _) = made(net, tuple(data))
    assert [work.inputs[i] for i in program["data"]] == list(work.data)
    assert sorted(work.data) == ["data0", "data1", "data2"]
    agree(run(work, values, payload, program, tmp_path), [net(*data)], 1e-6)


@pytest.mark.parametrize("name", ["a&b", 'say "a"', "it's <a>", "&quot;", "a/b:0"])
@pytest.mark.parametrize("inline", [False, True])
def test_names_that_xml_escapes(tmp_path, name, inline):
    net, x = Function(lambda F, x, a, b: F.broadcast_add(x, a) * 2 - F.zeros_like(x), (name, "b")), mx.nd.ones((2, 4))
    work, values, (payload, program, _) = made(net, x, inline)
    agree(run(work, values, payload, program, tmp_path), [net(x)])


@pytest.mark.parametrize("dtype", ["float16", "float32", "int32"])
@pytest.mark.parametrize("inline", [False, True])
def test_dtypes(tmp_path, dtype, inline):
    net = Function(lambda F, x, a, b: F.broadcast_add(x, a))
    net.cast(dtype)
    x = mx.nd.array([[1, 2, 3, 4]], dtype=dtype)
    work, values, (payload, program, _) = made(net, x, inline)
    agree(run(work, values, payload, program, tmp_path), [net(x)])


def test_serialized_again_is_the_same():
    net = conv_net()
    assert made(net, X)[2] == made(net, X)[2]
