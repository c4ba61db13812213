"""The graph of a compiled symbol whose report has none, as earlier releases wrote it: without the shapes."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..graph.graph import VARIABLE, Graph
from ..graph.identity import BAKED
from ..graph.inline import inline
from ..graph.subgraph import LABEL, SUBGRAPH_OP
from ..graph.text import to_text
from ..report_graph import ReportGraph, report_graph

_WAS_BAKED = "__gluon_neuron_was_baked__"


def drawn_symbol(raw: Mapping[str, Any], inputs: Collection[str], regions: Sequence[str]) -> ReportGraph:
    """What a report keeps of the graph of a symbol's JSON; `regions` are the names of its compiled nodes, in order.

    Raises GraphError for compiled nodes without their original operators.
    """
    number = {name: i for i, name in enumerate(regions)}
    owner = {
        member.get("attrs", {}).get(LABEL, member["name"]): number[node["name"]]
        for node in raw["nodes"]
        for member in _members(node)
        if member["op"] != VARIABLE
    }
    whole = json.loads(inline(to_text({**raw, "nodes": [_marked(n) for n in raw["nodes"]]})))
    whole["nodes"] = [_as_variable(n) for n in whole["nodes"]]
    graph = Graph.from_json(to_text(whole))
    found: list[list[int]] = [[] for _ in regions]
    for node in graph.operators:
        if node.name in owner:
            found[owner[node.name]].append(node.id)
    return report_graph(graph, inputs, found)


def _members(node: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    nodes: Sequence[Mapping[str, Any]] = node["subgraphs"][0]["nodes"] if node["op"] == SUBGRAPH_OP else ()
    return nodes


def _marked(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """A compiled node whose baked weights may be put back into the graph, as they are only to be looked at."""
    if not any(BAKED in m.get("attrs", {}) for m in _members(node)):
        return node
    members = [
        {**m, "attrs": {_WAS_BAKED: "1"}} if BAKED in m.get("attrs", {}) else m for m in node["subgraphs"][0]["nodes"]
    ]
    return {**node, "subgraphs": [{**node["subgraphs"][0], "nodes": members}]}


def _as_variable(node: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"op": VARIABLE, "name": node["name"], "inputs": []} if _WAS_BAKED in node.get("attrs", {}) else node
