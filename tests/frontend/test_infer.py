"""Specs are MXNet's own, for every entry; what it cannot infer is None, and what contradicts is an error."""

import json
import warnings

import mxnet as mx
import numpy as np
import pytest

from gluon_neuron.errors import GraphError, InputError
from gluon_neuron.frontend.infer import Inference, annotate
from gluon_neuron.graph.graph import Entry
from gluon_neuron.graph.spec import Spec
from tests.nets import conv_net


def specs(**shapes):
    return {n: Spec(s, "float32") for n, s in shapes.items()}


def outs(graph):
    """Every entry's spec, by node and output."""
    return {(n.name, k): s for n in graph.nodes for k, s in n.outs.items()}


def dense():
    return mx.sym.relu(mx.sym.FullyConnected(mx.sym.var("x"), num_hidden=3, name="fc"), name="act")


def test_every_entry_gets_its_spec():
    graph = annotate(dense().tojson(), specs(x=(2, 4)), False)
    f = "float32"
    assert outs(graph) == {
        ("x", 0): Spec((2, 4), f),
        ("fc_weight", 0): Spec((3, 4), f),
        ("fc_bias", 0): Spec((3,), f),
        ("fc", 0): Spec((2, 3), f),
        ("act", 0): Spec((2, 3), f),
    }
    fc = graph.operators[0]
    assert fc.ins == (Spec((2, 4), f), Spec((3, 4), f), Spec((3,), f)) and graph.heads == (Entry(4, 0),)


def test_several_outputs_of_which_some_are_read():
    parts = mx.sym.split(mx.sym.var("x"), num_outputs=3, axis=1, name="s")
    graph = annotate(mx.sym.Group([parts[2], mx.sym.relu(parts[0], name="r")]).tojson(), specs(x=(2, 6)), False)
    assert outs(graph) == {k: Spec((2, 6 if k == ("x", 0) else 2), "float32") for k in outs(graph)}
    assert {k for n, k in outs(graph) if n == "s"} == {0, 2}


def test_dtypes_are_inferred():
    x = mx.sym.var("x")
    y = mx.sym.cast(mx.sym.argmax(x, axis=1, name="a"), dtype="int32", name="c")
    found = outs(annotate(y.tojson(), {"x": Spec((2, 3), "float16")}, False))
    assert [found[n, 0].dtype for n in ("x", "a", "c")] == ["float16", "float16", "int32"]
    assert found["c", 0].shape == (2,)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "uint8", "int32", "int64"])
def test_each_dtype(dtype):
    found = outs(annotate(mx.sym.identity(mx.sym.var("x"), name="i").tojson(), {"x": Spec((2,), dtype)}, False))
    assert set(found.values()) == {Spec((2,), dtype)}


def test_what_is_not_said_is_unknown_and_what_follows_from_it():
    a, b = mx.sym.var("a"), mx.sym.var("b")
    text = mx.sym.Group([mx.sym.relu(a, name="r"), mx.sym.relu(b, name="s")]).tojson()
    found = outs(annotate(text, specs(a=(2, 3)), False))
    assert found["r", 0] == Spec((2, 3), "float32")
    assert found["b", 0] is None and found["s", 0] is None


def test_a_shape_known_in_part_is_unknown():
    found = outs(annotate(mx.sym.relu(mx.sym.var("x", shape=(0, 3)), name="r").tojson(), {}, False))
    assert found["r", 0] is None


def test_names_that_are_not_in_the_symbol_do_no_harm():
    found = outs(annotate(dense().tojson(), specs(x=(2, 4), other=(9, 9)), False))
    assert found["act", 0] == Spec((2, 3), "float32")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x": (2, 4), "fc_weight": (3, 5)}, r"does not take inputs .*x: float32\[2, 4\].*fc_weight: float32\[3, 5\]"),
        ({"x": (2, 4), "fc_bias": (4,)}, r"fc_bias: float32\[4\]"),
    ],
)
def test_shapes_that_contradict(given, message):
    with pytest.raises(InputError, match=message) as raised:
        annotate(dense().tojson(), specs(**given), False)
    assert "Stack trace" not in str(raised.value)


def test_dtypes_that_contradict():
    text = mx.sym.broadcast_add(mx.sym.var("x"), mx.sym.var("y")).tojson()
    with pytest.raises(InputError, match="does not take inputs"):
        annotate(text, {"x": Spec((2,), "float32"), "y": Spec((2,), "int32")}, False)


def test_no_symbol_at_all():
    with pytest.raises(GraphError, match="not an MXNet symbol's JSON"):
        annotate("{}", {}, False)


def test_numpy_shapes():
    total = mx.sym.np.sum(mx.sym.var("x").as_np_ndarray())
    with mx.util.np_shape(True):
        text = total.tojson()
    graph = annotate(text, specs(x=(2, 3)), True)
    assert graph.nodes[-1].out == Spec((), "float32")
    # Of MXNet's older shapes nobody knows whether () is a scalar or unknown, and 0 is unknown.
    assert outs(annotate(mx.sym.relu(mx.sym.var("x"), name="r").tojson(), specs(x=(0, 3)), True))["r", 0].shape == (
        0,
        3,
    )
    assert outs(annotate(mx.sym.relu(mx.sym.var("x"), name="r").tojson(), specs(x=(0, 3)), False))["r", 0] is None


def test_the_mode_is_as_before():
    for is_np in (False, True):
        before = mx.util.is_np_shape()
        annotate(dense().tojson(), specs(x=(2, 4)), is_np)
        assert mx.util.is_np_shape() == before


def test_a_symbol_without_a_version_is_not_upgraded(capfd):
    raw = json.loads(dense().tojson())
    del raw["attrs"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graph = annotate(json.dumps(raw), specs(x=(2, 4)), False)
    assert graph.nodes[-1].out == Spec((2, 3), "float32")
    assert "pgrad" not in capfd.readouterr().err


def test_bodies_of_loops():
    def step(x, states):
        y = mx.sym.relu(x + states[0], name="r")
        return y, [y]

    out, _ = mx.sym.contrib.foreach(step, mx.sym.var("x"), [mx.sym.var("h")])
    graph = annotate(out.tojson(), specs(x=(5, 2, 3), h=(2, 3)), False)
    (loop,) = [n for n in graph.operators if n.op == "_foreach"]
    (body,) = loop.bodies
    assert {s.shape for s in outs(body).values()} == {(2, 3)} and loop.outs[0] == Spec((5, 2, 3), "float32")


def test_agrees_with_what_mxnet_computes():
    net = conv_net()
    x = mx.nd.zeros((2, 3, 16, 16))
    y = net(x)
    symbol = net(mx.sym.var("data"))
    graph = annotate(symbol.tojson(), specs(data=x.shape), False)
    for name, param in net.collect_params().items():
        spec = outs(graph)[name, 0]
        assert spec.shape == param.shape and spec.dtype == np.dtype(param.dtype).name
    assert graph.nodes[-1].out.shape == y.shape
    assert None not in outs(graph).values()


def test_a_part_of_the_batch():
    text, given = dense().tojson(), specs(x=(6, 4), fc_weight=(3, 4))
    graph = Inference(text, False).part(given, ["x"], 3)
    assert outs(graph)["x", 0].shape == (2, 4) and outs(graph)["act", 0].shape == (2, 3)
    assert outs(graph)["fc_weight", 0].shape == (3, 4)
    assert given["x"].shape == (6, 4)


@pytest.mark.parametrize(
    ("shapes", "data", "parts"),
    [({"x": (6, 4)}, ["x"], 4), ({"x": (6, 4), "h": (5, 4)}, ["x", "h"], 3), ({"x": ()}, ["x"], 2)],
    ids=["not a multiple", "one of two", "no axis"],
)
def test_what_cannot_be_cut(shapes, data, parts):
    assert Inference(dense().tojson(), False).part(specs(**shapes), data, parts) is None


def test_a_part_that_the_symbol_does_not_take():
    text = mx.sym.broadcast_add(mx.sym.var("x"), mx.sym.var("w")).tojson()
    assert Inference(text, False).part(specs(x=(6, 4), w=(6, 4)), ["x"], 2) is None
    assert Inference(text, False).part(specs(x=(6, 4), w=(1, 4)), ["x"], 2) is not None
