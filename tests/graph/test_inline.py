"""Compiled nodes give their original operators back, whatever the order of their inputs."""

from __future__ import annotations

import json

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from gluon_neuron.errors import GraphError, InputError
from gluon_neuron.graph.inline import has_compiled_nodes, inline
from tests.compat.nets import checkpoint, image, run


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
    np.testing.assert_array_equal(run(back, args, aux, x)[0], run(sym, args, aux, x)[0])


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
        np.testing.assert_array_equal(found.asnumpy(), right.asnumpy())


def test_compiled_block_is_compiled_again():
    net = mx.gluon.nn.HybridSequential()
    net.add(mx.gluon.nn.Conv2D(4, 3), mx.gluon.nn.BatchNorm(), mx.gluon.nn.Dense(3))
    net.initialize(mx.init.Normal(0.3))
    x = image()
    first = gluon_neuron.compile(net, x)
    again = gluon_neuron.compile(first, x, auto_cast="matmult")
    assert again.report.operators == first.report.operators == 3
    assert len([n for n in again.collect_params() if n.endswith("_neuronbin")]) == 1
    np.testing.assert_allclose(again(x).asnumpy(), net(x).asnumpy(), 1e-1, 1e-2)
    assert again(x).asnumpy().tolist() != first(x).asnumpy().tolist()


@pytest.fixture
def archived():
    """A checkpoint as the archived package left it: a bare NEFF, and nothing of ours in the symbol."""
    sym, args, aux = mx.contrib.neuron.compile(*checkpoint(), {"data": image()})
    raw = json.loads(sym.tojson())
    for node in raw["nodes"]:
        if node["op"] == "_neuron_subgraph_op":
            node["attrs"] = {"__subgraph_opt_neuroncore__": "1"}
        else:
            node.get("attrs", {}).pop("__gluon_neuron__", None)
    neff = {"_neuron_subgraph_op0_neuronbin": mx.nd.zeros((2000,), dtype="uint8")}
    return mx.sym.load_json(json.dumps(raw)), {**args, **neff}, aux


def test_archived_checkpoint_is_compiled_from_the_operators_it_keeps(archived):
    made = mx.contrib.neuron.compile(*archived, {"data": image()})
    x = image(1)
    np.testing.assert_allclose(run(*made, x)[0], run(*checkpoint(), x)[0], 1e-4, 1e-5)


def test_archived_checkpoint_cannot_be_loaded_as_it_is(archived, tmp_path):
    mx.model.save_checkpoint(str(tmp_path / "old"), 0, *archived)
    with pytest.raises(InputError, match="archived Neuron package.*compile it anew"):
        gluon_neuron.load(tmp_path / "old")


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
