"""Cutting regions out of a graph and putting nodes in their place, as JSON alone."""

import json

import pytest

from gluon_neuron.errors import GraphError
from gluon_neuron.graph.graph import Entry, Graph
from gluon_neuron.graph.subgraph import Replacement, extract, replace


def symbol(nodes, heads):
    raw = [{"op": op, "name": name, "inputs": [[*i, 0] for i in inputs]} for op, name, inputs in nodes]
    arg_nodes = [i for i, n in enumerate(raw) if n["op"] == "null"]
    return Graph.from_json(json.dumps({"nodes": raw, "arg_nodes": arg_nodes, "heads": [[*h, 0] for h in heads]}))


@pytest.fixture
def diamond():
    return symbol(
        [
            ("null", "x", []),
            ("exp", "a", [(0, 0)]),
            ("nms", "out", [(1, 0)]),
            ("log", "b", [(1, 0)]),
            ("add", "c", [(2, 0), (3, 0)]),
        ],
        [(4, 0), (1, 0)],
    )


def test_extract_names_inner_inputs(diamond):
    sub = extract(diamond, [3, 4], [Entry(1, 0), Entry(2, 0)], [Entry(4, 0)])
    assert sub.inputs == {"a_output0": Entry(1, 0), "out_output0": Entry(2, 0)}
    assert [n["op"] for n in sub.raw["nodes"]] == ["null", "log", "null", "add"]
    assert sub.raw["heads"] == [[3, 0, 0]]


def test_replace_keeps_order_and_output_names(diamond):
    sub = extract(diamond, [1], [Entry(0, 0)], [Entry(1, 0)])
    node = Replacement("r0", (1,), (Entry(1, 0),), (Entry(0, 0),), sub.raw, 10, {})
    new = Graph.from_json(replace(diamond, [node], ["c_output", "a_output"]))
    assert [n.name for n in new.operators] == ["r0", "out", "b", "c", "a"]
    assert [new.nodes[h.node].name for h in new.heads] == ["c", "a"]
    region = next(n for n in new.nodes if n.name == "r0")
    assert [new.nodes[e.node].name for e in region.inputs] == ["x", "r0_neuronbin"]
    for node in new.nodes:
        assert all(e.node < node.id for e in node.inputs)


def test_replace_refuses_a_cycle(diamond):
    # a and c without what lies between them is not convex.
    node = Replacement("r0", (1, 4), (Entry(1, 0), Entry(4, 0)), (Entry(0, 0), Entry(2, 0), Entry(3, 0)), {}, 1, {})
    with pytest.raises(GraphError, match="not convex"):
        replace(diamond, [node], ["c_output", "a_output"])


def test_not_a_symbol():
    with pytest.raises(GraphError, match="not an MXNet symbol"):
        Graph.from_json("[]")
    with pytest.raises(GraphError, match="not an MXNet symbol"):
        Graph.from_json("{")
