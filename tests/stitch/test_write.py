"""Outputs of operators with several keep their names, order and values when a region computes them."""

from __future__ import annotations

import mxnet as mx
import pytest

import gluon_neuron
from gluon_neuron.graph.graph import Graph
from gluon_neuron.graph.inline import inline
from tests.agreement import agree


def split(x):
    parts = mx.sym.split(x, num_outputs=3, axis=1, name="parts")
    return [parts[2], mx.sym.tanh(parts[1], name="middle"), parts[0]]


def top(x):
    return list(mx.sym.topk(x, k=2, ret_typ="both", name="best"))


def only_the_second(x):
    return [mx.sym.split_v2(x, (1, 3), axis=1)[1]]


def twice(x):
    parts = mx.sym.split(x, num_outputs=2, axis=1, name="parts")
    return [parts[1], parts[0], parts[1]]


def integers(x):
    parts = mx.sym.split(mx.sym.cast(x * 10, "int32"), num_outputs=2, axis=1, name="parts")
    return [parts[0], parts[1]]


@pytest.mark.parametrize("make", [split, top, only_the_second, twice, integers])
def test_names_and_values(make):
    hidden = mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=6, name="dense")
    symbol = mx.sym.Group(make(hidden))
    args = {"dense_weight": mx.nd.random.normal(shape=(6, 4)), "dense_bias": mx.nd.random.normal(shape=(6,))}
    x = mx.nd.random.normal(shape=(3, 4))
    compiled, new_args, aux = gluon_neuron.compile(symbol, {"data": x}, args=args, aux={})
    assert not gluon_neuron.get_report(compiled).outside
    assert compiled.list_outputs() == symbol.list_outputs()
    expected = symbol.bind(mx.cpu(), {"data": x, **args}).forward()
    found = compiled.bind(mx.cpu(), {"data": x, **new_args}, aux_states=aux).forward()
    assert len(found) == len(expected)
    for one, other in zip(found, expected):
        assert one.dtype == other.dtype
        agree(one, other, 1e-5, 1e-6)
    # Back to the original operators, without a trace of the copies.
    back = Graph.from_json(inline(compiled.tojson()))
    assert [n.op for n in back.operators] == [n.op for n in Graph.from_json(symbol.tojson()).operators]
    assert mx.sym.load_json(inline(compiled.tojson())).list_outputs() == symbol.list_outputs()


class Parts(mx.gluon.HybridBlock):
    """A dense layer whose halves are the outputs."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.dense = mx.gluon.nn.Dense(6)

    def hybrid_forward(self, F, x):
        first, second = F.split(self.dense(x), num_outputs=2, axis=1)
        return second, first


def test_exported_block(tmp_path):
    net = Parts()
    net.initialize()
    x = mx.nd.random.normal(shape=(3, 4))
    expected = net(x)
    compiled = gluon_neuron.compile(net, x)
    assert not compiled.report.outside
    compiled.export(tmp_path / "parts")
    loaded = gluon_neuron.load(tmp_path / "parts")
    imported = mx.gluon.SymbolBlock.imports(
        str(tmp_path / "parts-symbol.json"), ["data"], str(tmp_path / "parts-0000.params")
    )
    again = gluon_neuron.compile(loaded, x)
    for block in (compiled, loaded, imported, again):
        for one, other in zip(block(x), expected, strict=True):
            agree(one, other, 1e-5, 1e-6)
