"""CompiledNodes: what a symbol's compiled nodes read and give, by which their models are made ready outside a call."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import mxnet as mx

from ..engine import native_library
from ..graph.spec import Spec, dtype_name, mxnet_dtype
from ..graph.subgraph import SUBGRAPH_OP
from .front_end import shape_rules


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
    symbol: mx.sym.Symbol,
    data: Mapping[str, Spec],
    bound: Mapping[str, mx.nd.NDArray],
    wanted: Sequence[CompiledNode],
    is_np: bool,
) -> dict[str, list[Spec]]:
    """For each node by name, its outputs, for these data and with these arrays bound. Raises MXNetError."""
    inner = symbol.get_internals()
    found = dict(zip(inner.list_outputs(), outputs_of(inner, data, bound, is_np), strict=True))
    return {node.name: [found[name] for name in node.outputs] for node in wanted}


def outputs_of(
    symbol: mx.sym.Symbol, data: Mapping[str, Spec], bound: Mapping[str, mx.nd.NDArray], is_np: bool
) -> list[Spec]:
    """The outputs of a symbol, for these data and with these arrays bound. Raises MXNetError where they do not fit."""
    shown = ", ".join(map(str, data.values()))
    if not is_np and any(0 in s.shape for s in data.values()):
        raise mx.base.MXNetError(f"A length of 0 is an unknown one outside of NumPy mode: {shown}")
    with shape_rules(is_np):
        known = {n: s.shape for n, s in data.items()}
        _, shapes, _ = symbol.infer_shape(**known, **{n: a.shape for n, a in bound.items()})
        types = {n: mxnet_dtype(s.dtype) for n, s in data.items()}
        _, dtypes, _ = symbol.infer_type(**types, **{n: a.dtype for n, a in bound.items()})
    if shapes is None or dtypes is None:
        raise mx.base.MXNetError(f"The outputs' shapes do not follow from {shown}")
    return [Spec(tuple(s), dtype_name(t)) for s, t in zip(shapes, dtypes, strict=True)]


def serves(nodes: Mapping[str, int], artifacts: Mapping[str, mx.nd.NDArray]) -> int:
    """The least that any node's artifact holds for it: `NOTHING`, `ANY_SHAPE` or `COMPILED` of `native_library`."""
    return min(native_library.node_serves(node, artifacts[name].handle.value) for name, node in nodes.items())
