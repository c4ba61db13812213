"""Stitches compiled regions into a new symbol."""

from __future__ import annotations

import json
from collections.abc import Sequence

import mxnet as mx

from ..graph.graph import Graph
from ..graph.identity import graph_hash
from ..graph.subgraph import METADATA, NAMING, SUBGRAPH_OP, Replacement, replace
from ..graph.text import to_text
from ..runtime.mxnet_private import like
from .metadata import Metadata


def stitch(
    graph: Graph, replacements: Sequence[Replacement], names: Sequence[str], metadata: Metadata, is_np: bool
) -> mx.sym.Symbol:
    """The new symbol, in which every compiled region is one node; `names` are those of its outputs."""
    raw = json.loads(replace(graph, replacements, names))
    # A symbol of constants has no variables.
    carrier = next((n for n in raw["nodes"] if n["op"] == "null"), raw["nodes"][0])
    carrier.setdefault("attrs", {})[METADATA] = metadata.to_json(graph_hash(raw, casts=False))
    symbol = mx.sym.load_json(to_text(raw))
    return symbol.as_np_ndarray() if is_np else symbol


def described(text: str, metadata: Metadata) -> str:
    """A compiled symbol's JSON with the metadata as they are now, where they were changed since it was stitched."""
    raw = json.loads(text)
    carrier = next((n["attrs"] for n in raw["nodes"] if METADATA in n.get("attrs", {})), None)
    if carrier is None:
        return text  # an option of the export took the node away that had them
    now = metadata.to_json(json.loads(carrier[METADATA]).get("graph", ""))
    if now == carrier[METADATA]:
        return text
    carrier[METADATA] = now
    return to_text(raw)


def without_name_copies(symbol: mx.sym.Symbol) -> mx.sym.Symbol:
    """The same symbol without the copies that only give outputs their names; for a caller who needs none."""
    raw = json.loads(symbol.tojson(remove_amp_cast=False))
    heads: list[list[int]] = []
    for head in raw["heads"]:
        node = raw["nodes"][head[0]]
        source: list[int] = (
            node["inputs"][head[1]] if node["op"] == "_copy" or NAMING in node.get("attrs", {}) else head
        )
        direct = raw["nodes"][source[0]]["op"] == SUBGRAPH_OP and source not in heads
        heads.append(source if direct else head)
    if heads == raw["heads"]:
        return symbol
    return like(symbol, mx.sym.load_json(to_text({**raw, "heads": heads})))
