"""Puts the operators of compiled nodes back in their place: the inverse of what stitching does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import GraphError
from .graph import VARIABLE, Entry
from .identity import BAKED
from .rewrite import Places, append, moved, reachable, variables_of
from .subgraph import ARTIFACT_SUFFIX, LABEL, NAMING, NODE_NAME, SUBGRAPH_OP
from .text import to_text


def has_compiled_nodes(text: str) -> bool:
    """Whether a symbol's JSON holds compiled nodes, ours or those of the archived package."""
    return SUBGRAPH_OP in text and any(node["op"] == SUBGRAPH_OP for node in json.loads(text)["nodes"])


def inline(text: str) -> str:
    """The symbol's JSON with the original operators in the place of every compiled node.

    A node's inputs stand for its subgraph's variables, in the order in which MXNet lists them; its artifact is not read
    any more and goes, as do copies that only kept an output's name. Raises GraphError for a node without
    the original operators, or whose weights were baked in.
    """
    raw = json.loads(text)
    made: list[dict[str, Any]] = []
    places: Places = {}
    for number, node in enumerate(raw["nodes"]):
        sources = moved(node["inputs"], places)
        if node["op"] == SUBGRAPH_OP:
            if NODE_NAME not in node.get("attrs", {}):
                # The archived package's nodes have their artifacts anywhere, under this name; ours have them last.
                artifact = node["name"] + ARTIFACT_SUFFIX
                sources = [s for s in sources if made[s.node]["name"] != artifact]
            places[number] = _expand(made, node, sources)
        elif NAMING in node.get("attrs", {}) or (
            node["op"] == "_copy" and made[sources[0].node]["name"] == node["name"]
        ):
            places[number] = sources
        else:
            places[number] = append(made, node, sources)
    return to_text(reachable(made, moved(raw["heads"], places), raw.get("attrs", {})))


def _expand(made: list[dict[str, Any]], node: Mapping[str, Any], sources: Sequence[Entry]) -> list[Entry]:
    where = f"node {node['name']!r} ({SUBGRAPH_OP})"
    try:
        nodes, heads = node["subgraphs"][0]["nodes"], node["subgraphs"][0]["heads"]
        variables = variables_of(nodes, heads)
    except (KeyError, IndexError, TypeError) as error:
        raise GraphError(f"{where} does not hold its original operators; compile the original model.") from error
    if len(variables) > len(sources):
        raise GraphError(
            f"{where} has {len(sources)} inputs, but its original operators read {len(variables)}; "
            "compile the original model."
        )
    places: Places = {v: [s] for v, s in zip(variables, sources, strict=False)}
    for number, member in enumerate(nodes):
        if BAKED in member.get("attrs", {}):
            raise GraphError(f"{where} has its weights baked in (inline_weights); compile the original model.")
        if member["op"] != VARIABLE:
            places[number] = append(made, _labelled(member), moved(member["inputs"], places))
    return moved(heads, places)


def _labelled(member: Mapping[str, Any]) -> Mapping[str, Any]:
    """The operator under the name that it had outside its region."""
    if LABEL not in member.get("attrs", {}):
        return member
    attrs = {k: v for k, v in member["attrs"].items() if k != LABEL}
    return {**member, "name": member["attrs"][LABEL], "attrs": attrs}
