"""Puts the operators of compiled nodes back in their place: the inverse of what stitching does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import GraphError
from .graph import VARIABLE, Entry
from .subgraph import NAMING, SUBGRAPH_OP

BAKED = "__gluon_neuron_baked__"
"""The attribute of a node that stands for a baked weight in the subgraph that MXNet sees."""

# Where a node went: the number of its successor, whose outputs are the same, or an entry for each of its outputs.
_Places = dict[int, int | list[Entry]]


def has_compiled_nodes(text: str) -> bool:
    """Whether a symbol's JSON holds compiled nodes, ours or those of the archived package."""
    return SUBGRAPH_OP in text and any(node["op"] == SUBGRAPH_OP for node in json.loads(text)["nodes"])


def inline(text: str) -> str:
    """The symbol's JSON with the original operators in the place of every compiled node.

    A node's inputs stand for its subgraph's variables, in the order in which MXNet lists them; an artifact behind them
    is not read any more and goes, as do copies that only kept an output's name. Raises GraphError for a node without
    the original operators, or whose weights were baked in.
    """
    raw = json.loads(text)
    made: list[dict[str, Any]] = []
    places: _Places = {}
    for number, node in enumerate(raw["nodes"]):
        sources = _moved(node["inputs"], places)
        if node["op"] == SUBGRAPH_OP:
            places[number] = _expand(made, node, sources)
        elif NAMING in node.get("attrs", {}) or (
            node["op"] == "_copy" and made[sources[0].node]["name"] == node["name"]
        ):
            places[number] = sources
        else:
            places[number] = _append(made, node, sources)
    return json.dumps(_reachable(made, _moved(raw["heads"], places), raw.get("attrs", {})))


def _moved(entries: Sequence[Sequence[int]], places: _Places) -> list[Entry]:
    found = []
    for node, output, *_ in entries:
        place = places[node]
        found.append(Entry(place, output) if isinstance(place, int) else place[output])
    return found


def _append(made: list[dict[str, Any]], node: Mapping[str, Any], sources: Sequence[Entry]) -> int:
    made.append({**node, "inputs": [[e.node, e.output, 0] for e in sources]})
    return len(made) - 1


def _expand(made: list[dict[str, Any]], node: Mapping[str, Any], sources: Sequence[Entry]) -> list[Entry]:
    where = f"node {node['name']!r} ({SUBGRAPH_OP})"
    try:
        nodes, heads = node["subgraphs"][0]["nodes"], node["subgraphs"][0]["heads"]
        variables = _listed(nodes, heads)
    except (KeyError, IndexError, TypeError) as error:
        raise GraphError(f"{where} does not hold its original operators; compile the original model.") from error
    if len(variables) > len(sources):
        raise GraphError(
            f"{where} has {len(sources)} inputs, but its original operators read {len(variables)}; "
            "compile the original model."
        )
    places: _Places = {v: [s] for v, s in zip(variables, sources, strict=False)}
    for number, member in enumerate(nodes):
        if BAKED in member.get("attrs", {}):
            raise GraphError(f"{where} has its weights baked in (inline_weights); compile the original model.")
        if member["op"] != VARIABLE:
            places[number] = _append(made, member, _moved(member["inputs"], places))
    return _moved(heads, places)


def _listed(nodes: Sequence[Mapping[str, Any]], heads: Sequence[Sequence[int]]) -> list[int]:
    """The variables in MXNet's order: depth first from the outputs, each node's inputs before it."""
    seen: set[int] = set()
    found = []
    stack = [h[0] for h in reversed(heads)]
    while stack:
        number = stack[-1]
        pending = [i[0] for i in nodes[number]["inputs"] if i[0] not in seen]
        if number in seen or not pending:
            stack.pop()
            if number not in seen and nodes[number]["op"] == VARIABLE:
                found.append(number)
            seen.add(number)
        else:
            stack.append(pending[0])
    return found


def _reachable(made: Sequence[Mapping[str, Any]], heads: Sequence[Entry], attrs: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {h.node for h in heads}
    for number in range(len(made) - 1, -1, -1):
        if number in wanted:
            wanted.update(i[0] for i in made[number]["inputs"])
    new = {old: k for k, old in enumerate(sorted(wanted))}
    nodes = [{**made[old], "inputs": [[new[i[0]], i[1], 0] for i in made[old]["inputs"]]} for old in new]
    return {
        "nodes": nodes,
        "arg_nodes": [k for k, n in enumerate(nodes) if n["op"] == VARIABLE],
        "heads": [[new[h.node], h.output, 0] for h in heads],
        "attrs": dict(attrs),
    }
