"""Merges variables of the same name: a block called twice brings its parameters twice."""

from __future__ import annotations

import json
from typing import Any

from .graph import VARIABLE
from .text import to_text


def merge_variables(text: str) -> str:
    """The symbol's JSON with one variable for each name; the first one's attributes win.

    Gluon binds parameters by name, so the copies always hold the same array; MXNet's inference, its executor and a
    compiled node bind each variable by itself.
    """
    raw = json.loads(text)
    nodes: list[dict[str, Any]] = []
    by_name: dict[str, int] = {}
    places: list[int] = []
    for node in raw["nodes"]:
        if node["op"] == VARIABLE and node["name"] in by_name:
            places.append(by_name[node["name"]])
            continue
        if node["op"] == VARIABLE:
            by_name[node["name"]] = len(nodes)
        places.append(len(nodes))
        nodes.append({**node, "inputs": [[places[i[0]], *i[1:]] for i in node["inputs"]]})
    heads = [[places[h[0]], *h[1:]] for h in raw["heads"]]
    variables = [i for i, n in enumerate(nodes) if n["op"] == VARIABLE]
    return to_text({"nodes": nodes, "arg_nodes": variables, "heads": heads, "attrs": raw.get("attrs", {})})
