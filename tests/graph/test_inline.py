"""Compiled nodes give their original operators back, whatever the order of their inputs."""

from __future__ import annotations

import json

import mxnet as mx
import pytest

import gluon_neuron
from gluon_neuron.errors import GraphError
from gluon_neuron.graph.inline import has_compiled_nodes, inline
from tests.agreement import agree
from tests.compat.nets import archived, checkpoint, image, run


def operators(sym):
    return sorted((n["op"], n["name"]) for n in json.loads(sym.tojson())["nodes"] if n["op"] != "null")


@pytest.mark.parametrize("excluded", [[], ["pool0"], ["conv0"], ["relu0", "fc0"]])
def test_round_trip(excluded):
    sym, args, aux = checkpoint()
    made, new_args, new_aux = mx.contrib.neuron.compile(sym, args, aux, {"data": image()}, excl_node_names=excluded)
    assert has_compiled_nodes(made.tojson())
    back = mx.sym.load_json(inline(made.tojson()))
    assert operators(back) == operators(sym)
    assert sorted(back.list_inputs()) == sorted(sym.list_inputs())
    assert back.list_outputs() == sym.list_outputs()
    x = image(1)
    agree(run(back, args, aux, x)[0], run(sym, args, aux, x)[0])


def test_several_outputs_and_a_shared_one():
    a, b = mx.sym.var("a"), mx.sym.var("b")
    dense = mx.sym.FullyConnected(a, b, num_hidden=4, no_bias=True, name="fc")
    parts = mx.sym.split(dense, num_outputs=2, axis=1, name="parts")
    sym = mx.sym.Group([parts[1] - parts[0], parts[0], dense])
    given = {"a": mx.nd.random.normal(shape=(3, 5)), "b": mx.nd.random.normal(shape=(4, 5))}
    made, _, _ = gluon_neuron.compile(sym, {"a": given["a"]}, args={"b": given["b"]})
    back = mx.sym.load_json(inline(made.tojson()))
    expected = sym.bind(mx.cpu(), given).forward()
    for found, right in zip(back.bind(mx.cpu(), given).forward(), expected, strict=True):
        agree(found, right)


def test_compiled_block_is_compiled_again():
    net = mx.gluon.nn.HybridSequential()
    net.add(mx.gluon.nn.Conv2D(4, 3), mx.gluon.nn.BatchNorm(), mx.gluon.nn.Dense(3))
    net.initialize(mx.init.Normal(0.3))
    x = image()
    first = gluon_neuron.compile(net, x)
    again = gluon_neuron.compile(first, x, auto_cast="matmult")
    assert again.report.operators == first.report.operators == 3
    assert len([n for n in again.collect_params() if n.endswith("_neuronbin")]) == 1
    agree(again(x), net(x), 1e-1, 1e-2)
    assert again(x).asnumpy().tolist() != first(x).asnumpy().tolist()


@pytest.mark.parametrize("front", [False, True])
@pytest.mark.parametrize("counted", [False, True])
def test_archived_checkpoint_gives_its_operators_back(counted, front):
    sym, args, aux = archived(counted=counted, front=front)
    back = mx.sym.load_json(inline(sym.tojson()))
    assert operators(back) == operators(checkpoint()[0])
    assert sorted(back.list_inputs()) == sorted(checkpoint()[0].list_inputs())
    agree(run(back, args, aux, image(1))[0], run(*checkpoint(), image(1))[0])


def test_baked_weights_cannot_be_compiled_again():
    net = mx.gluon.nn.Dense(3)
    net.initialize()
    x = mx.nd.ones((2, 4))
    with pytest.raises(GraphError, match="baked in"):
        gluon_neuron.compile(gluon_neuron.compile(net, x, inline_weights=True), x)


def test_node_without_its_operators():
    sym, _, _ = mx.contrib.neuron.compile(*checkpoint(), {"data": image()})
    raw = json.loads(sym.tojson())
    for node in raw["nodes"]:
        node.pop("subgraphs", None)
    with pytest.raises(GraphError, match="does not hold its original operators"):
        inline(json.dumps(raw))


def test_plain_symbols_have_none():
    assert not has_compiled_nodes(checkpoint()[0].tojson())
