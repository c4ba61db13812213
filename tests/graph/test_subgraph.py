"""Cutting regions out of a graph and putting nodes in their place, as JSON alone."""

import json

import pytest

from gluon_neuron.errors import GraphError
from gluon_neuron.graph.graph import Entry, Graph
from gluon_neuron.graph.spec import Spec
from gluon_neuron.graph.subgraph import Replacement, extract, named, replace, unnameable


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
    node = Replacement("r0", (1,), (Entry(1, 0),), (Entry(0, 0),), sub.raw, "r0_1f_neuronbin", 10, {})
    new = Graph.from_json(replace(diamond, [node], ["c_output", "a_output"]))
    assert [n.name for n in new.operators] == ["r0", "out", "b", "c", "a"]
    assert [new.nodes[h.node].name for h in new.heads] == ["c", "a"]
    region = next(n for n in new.nodes if n.name == "r0")
    assert [new.nodes[e.node].name for e in region.inputs] == ["x", "r0_1f_neuronbin"]
    for node in new.nodes:
        assert all(e.node < node.id for e in node.inputs)


def test_replace_refuses_a_cycle(diamond):
    # a and c without what lies between them is not convex.
    node = Replacement("r0", (1, 4), (Entry(1, 0), Entry(4, 0)), (Entry(0, 0), Entry(2, 0), Entry(3, 0)), {}, "", 1, {})
    with pytest.raises(GraphError, match="not convex"):
        replace(diamond, [node], ["c_output", "a_output"])


def test_not_a_symbol():
    with pytest.raises(GraphError, match="not an MXNet symbol"):
        Graph.from_json("[]")
    with pytest.raises(GraphError, match="not an MXNet symbol"):
        Graph.from_json("{")


def test_replace_names_the_outputs_of_an_operator_that_has_several():
    graph = symbol([("null", "x", []), ("split", "s", [(0, 0)])], [(1, 2), (1, 0), (0, 0), (1, 2)])
    outputs = (Entry(1, 0), Entry(1, 2))
    node = Replacement("r0", (1,), outputs, (Entry(0, 0),), {"nodes": [], "heads": []}, "", 10, {})
    new = Graph.from_json(replace(graph, [node], ["s_output2", "s_output0", "x", "s_output2"]))
    region, copy = (next(n for n in new.nodes if n.name == name) for name in ("r0", "s"))
    assert [(new.nodes[h.node].name, h.output) for h in new.heads] == [("s", 2), ("s", 0), ("x", 0), ("s", 2)]
    assert copy.inputs[0] == Entry(region.id, 0) and copy.inputs[2] == Entry(region.id, 1)


@pytest.mark.parametrize(
    ("name", "copy"),
    [
        ("a_output", ("a", None)),
        ("a_output0", ("a", 0)),
        ("a_output12", ("a", 12)),
        ("a_output_output", ("a_output", None)),
        ("a_output1_output", ("a_output1", None)),
        ("a_state", None),
        ("_output", None),
    ],
)
def test_named(name, copy):
    assert named(name) == copy


def test_outputs_that_no_copy_can_be_called_as():
    graph = symbol(
        [("null", "x", [])] + [("split", f"s{k}", [(0, 0)]) for k in range(4)],
        [(k, o) for k in (1, 2, 3, 4) for o in (0, 1)],
    )
    one, two = Spec((2,), "float32"), Spec((2,), "int32")
    specs = dict.fromkeys(graph.entries, one)
    # No copy with several outputs takes two dtypes, or makes scalars; a name that no copy gives is nobody's.
    specs |= {Entry(2, 1): two, Entry(3, 0): Spec((), "float32")}
    names = [f"s{k}_output{o}" for k in (1, 2, 3) for o in (0, 1)] + ["s4_output", "s4_state"]
    found = unnameable(graph.with_specs(specs), names)
    assert found == {2: "s2_output1", 3: "s3_output0", 4: "s4_state"}
