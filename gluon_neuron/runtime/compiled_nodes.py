"""CompiledNodes: what a symbol's compiled nodes read and give, by which their models are made ready outside a call."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import mxnet as mx

from ..engine import native_library
from ..graph.subgraph import SUBGRAPH_OP
from .front_end import shape_rules
from .mxnet_private import number_of


@dataclass(frozen=True)
class CompiledNode:
    """A node's name, its inputs' variables (None for what the graph computes), and the names of its outputs."""

    name: str
    inputs: tuple[str | None, ...]
    outputs: tuple[str, ...]


def compiled_nodes(symbol: mx.sym.Symbol) -> tuple[CompiledNode, ...]:
    """The compiled nodes of a symbol, in its order."""
    nodes = json.loads(symbol.tojson(remove_amp_cast=False))["nodes"]
    found = []
    for node in nodes:
        if node["op"] != SUBGRAPH_OP:
            continue
        read = [nodes[i] for i, *_ in node["inputs"]]
        count = len(node["subgraphs"][0]["heads"])
        ends = ["_output"] if count == 1 else [f"_output{k}" for k in range(count)]
        inputs = tuple(n["name"] if n["op"] == "null" else None for n in read)
        found.append(CompiledNode(node["name"], inputs, tuple(node["name"] + end for end in ends)))
    return tuple(found)


def output_specs(
    symbol: mx.sym.Symbol, bound: Mapping[str, mx.nd.NDArray], wanted: Sequence[CompiledNode], is_np: bool
) -> dict[str, list[int]]:
    """For each node by name, its outputs as `native_library.prepare_node` takes them, with these arrays bound."""
    inner = symbol.get_internals()
    with shape_rules(is_np):
        _, shapes, _ = inner.infer_shape(**{n: a.shape for n, a in bound.items()})
        _, types, _ = inner.infer_type(**{n: a.dtype for n, a in bound.items()})
    place = {name: k for k, name in enumerate(inner.list_outputs())}
    found = {}
    for node in wanted:
        numbers = [len(node.outputs)]
        for name in node.outputs:
            shape = shapes[place[name]]
            numbers += [number_of(types[place[name]]), len(shape), *shape]
        found[node.name] = numbers
    return found


def serves(nodes: Mapping[str, int], artifacts: Mapping[str, mx.nd.NDArray]) -> int:
    """The least that any node's artifact holds for it: `NOTHING`, `ANY_SHAPE` or `COMPILED` of `native_library`."""
    return min(native_library.node_serves(node, artifacts[name].handle.value) for name, node in nodes.items())
