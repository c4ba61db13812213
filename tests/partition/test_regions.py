"""Regions are convex, acyclic together, and found in linear time, whatever the graph."""

import json

from hypothesis import given
from hypothesis import strategies as st

from gluon_neuron.graph.graph import Graph
from gluon_neuron.partition.regions import grow


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 24))
    nodes = [{"op": "null", "name": "x", "inputs": []}]
    for i in range(1, count + 1):
        sources = draw(st.lists(st.integers(0, i - 1), max_size=3))
        nodes.append({"op": "op", "name": f"n{i}", "inputs": [[s, 0, 0] for s in sources]})
    heads = draw(st.lists(st.integers(1, count), min_size=1, max_size=3, unique=True))
    graph = Graph.from_json(json.dumps({"nodes": nodes, "arg_nodes": [0], "heads": [[h, 0, 0] for h in heads]}))
    supported = draw(st.sets(st.integers(1, count)))
    return graph, supported


def reachable(graph, start):
    seen, stack = set(), [start]
    while stack:
        for reader in graph.consumers[stack.pop()]:
            if reader not in seen:
                seen.add(reader)
                stack.append(reader)
    return seen


@given(graphs())
def test_convex_disjoint_and_complete(case):
    graph, supported = case
    regions = grow(graph, supported)
    assert sorted(i for r in regions for i in r.nodes) == sorted(supported)
    for region in regions:
        inside = set(region.nodes)
        behind = {i for n in inside for i in reachable(graph, n)}
        for outside in behind - inside:
            assert not reachable(graph, outside) & inside, "a path leaves the region and comes back"


@given(graphs())
def test_acyclic_in_order(case):
    graph, supported = case
    regions = grow(graph, supported)
    owner = {i: k for k, r in enumerate(regions) for i in r.nodes}
    for k, region in enumerate(regions):
        for i in {j for n in region.nodes for j in reachable(graph, n)}:
            assert owner.get(i, k) >= k, "an earlier region reads from a later one"


@given(graphs())
def test_boundary(case):
    graph, supported = case
    heads = set(graph.heads)
    for region in grow(graph, supported):
        inside = set(region.nodes)
        for i in inside:
            for entry in graph.nodes[i].inputs:
                assert entry.node in inside or entry in region.inputs
        for entry in region.outputs:
            assert entry.node in inside
        for i in inside:
            read = any(r not in inside for r in graph.consumers[i])
            assert any(e.node == i for e in region.outputs) == (read or any(h.node == i for h in heads))


def chain(ops):
    nodes = [{"op": "null", "name": "x", "inputs": []}]
    for i, op in enumerate(ops):
        nodes.append({"op": op, "name": f"n{i}", "inputs": [[i, 0, 0]]})
    return Graph.from_json(json.dumps({"nodes": nodes, "arg_nodes": [0], "heads": [[len(ops), 0, 0]]}))


def test_chain_splits_at_what_is_not_supported():
    graph = chain(["a", "a", "b", "a"])
    assert [r.nodes for r in grow(graph, [1, 2, 4])] == [(1, 2), (4,)]


def test_feeding_only_later_work_moves_later():
    # n1 only feeds n3, which comes after the unsupported n2: one region of n1 and n3 would not pass n1's result on.
    nodes = [
        {"op": "null", "name": "x", "inputs": []},
        {"op": "a", "name": "n1", "inputs": [[0, 0, 0]]},
        {"op": "b", "name": "n2", "inputs": [[0, 0, 0]]},
        {"op": "a", "name": "n3", "inputs": [[2, 0, 0], [1, 0, 0]]},
        {"op": "a", "name": "n0", "inputs": [[0, 0, 0]]},
        {"op": "b", "name": "n4", "inputs": [[4, 0, 0]]},
        {"op": "a", "name": "n5", "inputs": [[5, 0, 0], [3, 0, 0]]},
    ]
    graph = Graph.from_json(json.dumps({"nodes": nodes, "arg_nodes": [0], "heads": [[6, 0, 0]]}))
    assert [r.nodes for r in grow(graph, [1, 3, 4, 6])] == [(4,), (1, 3, 6)]


def test_deep_graphs_do_not_recurse():
    assert len(grow(chain(["a"] * 5000), range(1, 5001))) == 1
