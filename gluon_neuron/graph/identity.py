"""The identity of a graph: a hash that survives MXNet's rewriting of its JSON; the native operator computes it too."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .graph import VARIABLE

FORM = "structure:"
"""How an identity of this form begins. Releases up to 0.1.0 hashed the JSON's text, which has no such beginning."""

BAKED = "__gluon_neuron_baked__"
"""The attribute of a node that stands for a baked weight in the subgraph that MXNet sees: the weight's digest."""

_CASTS = frozenset(("amp_cast", "amp_multicast"))
_MOVED = frozenset(("ctx_group", "lr_mult", "wd_mult", "force_mirroring", "mirror_stage"))


def graph_hash(raw: Mapping[str, Any], casts: bool = True) -> str:
    """The identity of a graph, given as the object that its JSON holds.

    It covers what is computed: operators with their attributes, edges, outputs, and the names of variables. The names
    of operators are labels, and attributes between double underscores are hints: these do not count, but the digest of
    a weight that was baked in does. Without `casts`, MXNet's casts for mixed precision do not count either, which it
    takes out of what it writes.
    """
    return FORM + hashlib.sha256(_canonical(raw, casts)).hexdigest()


def variables(raw: Mapping[str, Any]) -> list[str]:
    """The names of a graph's variables in MXNet's order: depth first from the outputs, each node's inputs before it."""
    return [raw["nodes"][i]["name"] for i in _visited(raw) if raw["nodes"][i]["op"] == VARIABLE]


def _visited(raw: Mapping[str, Any]) -> list[int]:
    nodes = raw["nodes"]
    order: list[int] = []
    seen = [False] * len(nodes)
    for head in raw["heads"]:
        stack = [(head[0], 0)]
        while stack:
            number, at = stack.pop()
            if seen[number]:
                continue
            inputs = nodes[number]["inputs"]
            while at < len(inputs) and seen[inputs[at][0]]:
                at += 1
            if at < len(inputs):
                stack += [(number, at + 1), (inputs[at][0], 0)]
            else:
                seen[number] = True
                order.append(number)
    return order


def _canonical(raw: Mapping[str, Any], casts: bool) -> bytes:
    nodes = raw["nodes"]
    place: dict[int, int] = {}
    passed: dict[int, Sequence[Sequence[int]]] = {}
    out: list[bytes] = []

    def entries(given: Iterable[Sequence[int]]) -> None:
        for node, output, *_ in given:
            while node in passed:
                node, output = passed[node][output][:2]
            out.append(b"%d:%d;" % (place[node], output))

    for number in _visited(raw):
        node = nodes[number]
        if not casts and node["op"] in _CASTS:
            passed[number] = node["inputs"]
            continue
        place[number] = len(place)
        if node["op"] == VARIABLE:
            out += [b"v", _text(node["name"])]
            continue
        attrs = sorted((k.encode(), v) for k, v in node.get("attrs", {}).items() if _counts(k))
        out += [b"o", _text(node["op"]), b"%d;" % len(attrs)]
        for key, value in attrs:
            out += [_text(key), _text(value)]
        out.append(b"%d;" % len(node["inputs"]))
        entries(node["inputs"])
        bodies = node.get("subgraphs", ())
        out.append(b"%d;" % len(bodies))
        out += [_text(_canonical(body, casts)) for body in bodies]
    out.append(b"h%d;" % len(raw["heads"]))
    entries(raw["heads"])
    return b"".join(out)


def _counts(key: str) -> bool:
    if key == BAKED:
        return True
    return key not in _MOVED and not (key.startswith("__") and key.endswith("__"))


def _text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return b"%d:%s" % (len(raw), raw)
