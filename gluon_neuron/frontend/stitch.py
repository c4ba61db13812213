"""Compiles a partition's regions and stitches them into a new symbol, with an artifact parameter for each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mxnet as mx
import numpy as np

from .._version import __version__
from ..artifact.container import Artifact, graph_hash, pack
from ..errors import CompileError
from ..graph.graph import Entry, Graph
from ..graph.spec import Spec
from ..graph.subgraph import ARTIFACT_SUFFIX, SUBGRAPH_OP, Replacement, Subgraph, extract, replace
from ..options import CompileOptions
from ..partition.regions import Region
from ..targets.base import DATA, WEIGHT, Compilation, Target
from .infer import annotate
from .metadata import KEY, Metadata
from .model import Model


@dataclass(frozen=True)
class Compiled:
    """One compiled region: what replaces it, its artifact's bytes, and the names of its data inputs and outputs."""

    region: Region
    replacement: Replacement
    artifact: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def compile_region(
    number: int, region: Region, graphs: Sequence[Graph], model: Model, target: Target, options: CompileOptions
) -> Compiled:
    """Compile one region. `graphs` hold the whole model's specs, one graph for each batch size, the sample's first.

    Raises CompileError.
    """
    graph = graphs[0]
    sub = extract(graph, region.nodes, region.inputs, region.outputs)
    names = tuple(mx.sym.load_json(sub.text).list_inputs())
    data = [n for n in names if _is_data(graph, sub.inputs[n], model)]
    outputs = tuple(_entry_name(graph, e) for e in region.outputs)
    inline = options.inline_weights
    values = {n: _bytes(model, n) for n in names if n not in data} if inline else {}
    visible = _without_weights(sub, values, graph) if inline else sub.raw
    shown = tuple(n for n in names if n not in values)
    text = json.dumps(visible)
    roles = {n: DATA if n in data else WEIGHT for n in shown}
    payloads = []
    for whole in graphs:
        annotated = annotate(sub.text, _specs(whole, sub), model.is_np)
        payloads.append(target.compile(Compilation(annotated, shown, roles, outputs, options, values)))
    artifact = pack(
        Artifact(graph_hash(text), {**options.identity(), "np_shape": model.is_np}, tuple(payloads), __version__)
    )
    name = f"{SUBGRAPH_OP}{number}"
    attrs = {"__ext_extra_inputs__": "1", "__node_name__": name, "__subgraph_opt_neuroncore__": "1"}
    entries = tuple(sub.inputs[n] for n in shown)
    replacement = Replacement(name, region.nodes, region.outputs, entries, visible, len(artifact), attrs)
    readable = tuple(_entry_name(graph, sub.inputs[n]) for n in data)
    return Compiled(region, replacement, artifact, readable, outputs)


def stitch(graph: Graph, compiled: Sequence[Compiled], metadata: Metadata, is_np: bool) -> mx.sym.Symbol:
    """The new symbol, in which every compiled region is one node."""
    raw = json.loads(replace(graph, [c.replacement for c in compiled]))
    carrier = next(n for n in raw["nodes"] if n["op"] == "null")
    carrier.setdefault("attrs", {})[KEY] = metadata.to_json()
    symbol = mx.sym.load_json(json.dumps(raw))
    return symbol.as_np_ndarray() if is_np else symbol


def artifacts(compiled: Sequence[Compiled]) -> dict[str, np.ndarray]:
    """The artifact parameters: uint8 arrays by name."""
    return {c.replacement.name + ARTIFACT_SUFFIX: np.frombuffer(c.artifact, np.uint8) for c in compiled}


def _is_data(graph: Graph, entry: Entry, model: Model) -> bool:
    node = graph.nodes[entry.node]
    return not node.is_variable or node.name not in model.params


def _entry_name(graph: Graph, entry: Entry) -> str:
    node = graph.nodes[entry.node]
    return node.name if node.is_variable else f"{node.name}_output{entry.output or ''}"


def _specs(whole: Graph, sub: Subgraph) -> dict[str, Spec]:
    found = {n: whole.nodes[e.node].outs[e.output] for n, e in sub.inputs.items()}
    missing = [n for n, s in found.items() if s is None]
    if missing:
        raise CompileError(f"The shape of {missing[0]!r} is not known.")
    return {n: s for n, s in found.items() if s is not None}


def _bytes(model: Model, name: str) -> bytes:
    return model.params[name].list_data()[0].asnumpy().tobytes()


def _without_weights(sub: Subgraph, values: Mapping[str, Any], graph: Graph) -> dict[str, Any]:
    # MXNet infers shapes over the node's subgraph, whose variables are the node's inputs: a baked weight must be none,
    # so zeros of its shape stand in its place.
    raw = json.loads(sub.text)
    for node in raw["nodes"]:
        if node["op"] == "null" and node["name"] in values:
            spec = graph.nodes[sub.inputs[node["name"]].node].out
            node["op"] = "_zeros"
            node["attrs"] = {"shape": str(spec.shape), "dtype": spec.dtype}
    raw["arg_nodes"] = [i for i, n in enumerate(raw["nodes"]) if n["op"] == "null"]
    return raw
