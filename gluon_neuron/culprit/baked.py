"""Puts weights that were baked into compiled nodes back as parameters, so that MXNet can run the original operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..graph.graph import VARIABLE
from ..graph.identity import BAKED, variables


def with_weights(raw: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """A compiled symbol's JSON object in which every baked weight is a variable again, and the digests of these.

    They are variables of the node's subgraph, and of the symbol, whose arrays the node reads before its artifact.
    """
    nodes: list[dict[str, Any]] = []
    places: list[int] = []
    digests: dict[str, str] = {}
    made: dict[str, int] = {}
    for node in raw["nodes"]:
        inputs = [[places[i[0]], *i[1:]] for i in node["inputs"]]
        new = {**node, "inputs": inputs}
        subgraphs = node.get("subgraphs", ())
        found = _baked(subgraphs[0]) if len(subgraphs) == 1 else {}
        if found:
            before = dict(zip(variables(subgraphs[0]), inputs))
            for name in found.keys() - made.keys():
                made[name] = len(nodes)
                nodes.append({"op": VARIABLE, "name": name, "inputs": []})
            whole = _restored(subgraphs[0])
            edges = [before.get(n) or [made[n], 0, 0] for n in variables(whole)]
            new |= {"subgraphs": [whole], "inputs": [*edges, *inputs[len(before) :]]}
            digests |= found
        places.append(len(nodes))
        nodes.append(new)
    heads = [[places[h[0]], *h[1:]] for h in raw["heads"]]
    variable_numbers = [i for i, n in enumerate(nodes) if n["op"] == VARIABLE]
    return {**raw, "nodes": nodes, "arg_nodes": variable_numbers, "heads": heads}, digests


def _baked(graph: Mapping[str, Any]) -> dict[str, str]:
    """The digests of a graph's baked weights, by name."""
    return {n["name"]: n["attrs"][BAKED] for n in graph["nodes"] if BAKED in n.get("attrs", {})}


def _restored(graph: Mapping[str, Any]) -> dict[str, Any]:
    nodes = [
        {"op": VARIABLE, "name": n["name"], "inputs": []} if BAKED in n.get("attrs", {}) else n for n in graph["nodes"]
    ]
    return {**graph, "nodes": nodes, "arg_nodes": [i for i, n in enumerate(nodes) if n["op"] == VARIABLE]}
