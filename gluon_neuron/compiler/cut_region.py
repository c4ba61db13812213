"""CutRegion: a region cut out of the model: its own symbol, its inputs and their roles, a job for each static shape."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np

from ..errors import CompileError
from ..frontend.infer import Inference
from ..frontend.model import ExportedModel
from ..graph.graph import Entry, Graph
from ..graph.identity import BAKED
from ..graph.spec import Spec
from ..graph.subgraph import SUBGRAPH_OP, Subgraph, extract
from ..options import CompileOptions
from ..partition.regions import Region
from ..runtime.asked import plain, value_of
from ..runtime.mxnet_private import arrays_of, view_of
from ..targets.base import DATA, WEIGHT, Checkpoint, RegionJob
from ..targets.scratch import scratch_folder
from .dynamic_axes import DynamicAxes


@dataclass(frozen=True)
class CutRegion:
    """One region, before it is compiled.

    `name` is its node in the new symbol, `text` the JSON of its own symbol and `visible` the graph that the node shows,
    in which baked weights are constants. `inputs` are the node's inputs by the names of the own symbol, each with the
    entry of the whole graph it reads, and `operators` the ids of the region's operators by their names there. `data`
    and `outputs` are the names that a report shows.
    """

    name: str
    region: Region
    text: str
    visible: Mapping[str, Any]
    inputs: Mapping[str, Entry]
    operators: Mapping[str, int]
    weights: tuple[str, ...]
    jobs: tuple[RegionJob, ...]
    data: tuple[str, ...]
    outputs: tuple[str, ...]


def cut_out(
    number: int,
    region: Region,
    graphs: Sequence[Graph],
    model: ExportedModel,
    options: CompileOptions,
    keep: Path | None = None,
    dynamic: DynamicAxes | None = None,
) -> CutRegion:
    """Cut out one region. `graphs` hold the whole model's specs, one for each static shape, the sample's first.

    A region that has the same data for several of them has one job for these. Below the directory `keep` a compiler's
    files stay; without one they go. `dynamic` are the axes that option dynamic names.
    """
    graph = graphs[0]
    sub = extract(graph, region.nodes, region.inputs, region.outputs)
    names = tuple(mx.sym.load_json(sub.text).list_inputs())
    data = [n for n in names if _is_data(graph, sub.inputs[n], model)]
    own = {i: name for name, i in sub.operators.items()}
    tensors = [_output_name(own[e.node], e.output) for e in region.outputs]
    inline = options.inline_weights
    values = {n: _bytes(model, n) for n in names if n not in data} if inline else {}
    shown = tuple(n for n in names if n not in values)
    roles = {n: DATA if n in data else WEIGHT for n in shown}
    node = f"{SUBGRAPH_OP}{number}"
    weights = tuple(n for n in names if n not in data)
    every: list[dict[str, Spec]] = []
    for specs in (_specs(g, sub) for g in graphs):
        if specs not in every:
            every.append(specs)
    inference = Inference(sub.text, model.is_np)
    jobs = tuple(
        RegionJob(
            *(inference.annotate(specs), shown, roles, tensors, options, values),
            name=node if len(every) == 1 else f"{node}, program {i}",
            checkpoint=partial(_checkpoint, sub.text, weights, model),
            keep=keep / f".{node}-{options.target}-{i}.compile" if keep else None,
            for_batch_part=partial(inference.part, specs, data),
            for_shapes=partial(inference.at_shapes, specs),
            weight=partial(_seen, model),
            dynamic_axes=None if dynamic is None else {n: dynamic.of(graph, sub.inputs[n]) for n in data},
        )
        for i, specs in enumerate(every)
    )
    return CutRegion(
        name=node,
        region=region,
        text=sub.text,
        visible=_without_weights(sub, values, graph) if inline else sub.raw,
        inputs={n: sub.inputs[n] for n in shown},
        operators=sub.operators,
        weights=weights,
        jobs=jobs,
        data=tuple(_entry_name(graph, sub.inputs[n]) for n in data),
        outputs=tuple(_entry_name(graph, e) for e in region.outputs),
    )


def _is_data(graph: Graph, entry: Entry, model: ExportedModel) -> bool:
    node = graph.nodes[entry.node]
    return not node.is_variable or node.name not in model.params


def _entry_name(graph: Graph, entry: Entry) -> str:
    node = graph.nodes[entry.node]
    return node.name if node.is_variable else _output_name(node.name, entry.output)


def _output_name(node: str, output: int) -> str:
    return f"{node}_output{output or ''}"


def _specs(whole: Graph, sub: Subgraph) -> dict[str, Spec]:
    found = {n: whole.nodes[e.node].outs[e.output] for n, e in sub.inputs.items()}
    missing = [n for n, s in found.items() if s is None]
    if missing:
        raise CompileError(f"The shape of {missing[0]!r} is not known.")
    return {n: s for n, s in found.items() if s is not None}


def _value(model: ExportedModel, name: str) -> np.ndarray:
    return value_of(model.params[name]).asnumpy()


def _seen(model: ExportedModel, name: str) -> np.ndarray:
    """The weight where it is, if the Parameter has it, and keeps it while the region is compiled."""
    param = model.params[name]
    array = value_of(param)
    if not any(array.handle.value == one.handle.value for one in arrays_of(param) or ()):
        return array.asnumpy()
    found = view_of(array)
    found.flags.writeable = True  # OpenVINO shares no others, and writes nothing
    return found


def _bytes(model: ExportedModel, name: str) -> bytes:
    return np.ascontiguousarray(_value(model, name)).tobytes()


def _checkpoint(text: str, weights: Sequence[str], model: ExportedModel) -> Checkpoint:
    symbol = mx.sym.load_json(text)
    auxiliary = set(symbol.list_auxiliary_states())
    arrays = {n: plain(value_of(model.params[n])) for n in weights}
    with scratch_folder() as folder:
        path = folder / "params"
        mx.nd.save(str(path), {f"{'aux' if n in auxiliary else 'arg'}:{n}": a for n, a in arrays.items()})
        files = {"region-symbol.json": text.encode(), "region-0000.params": path.read_bytes()}
    digests = {n: hashlib.sha256(np.ascontiguousarray(a.asnumpy()).tobytes()).hexdigest() for n, a in arrays.items()}
    return Checkpoint(files, tuple(symbol.list_outputs()), digests)


def _without_weights(sub: Subgraph, values: Mapping[str, Any], graph: Graph) -> dict[str, Any]:
    # MXNet infers shapes over the node's subgraph, whose variables are the node's inputs: a baked weight must be none,
    # so zeros of its shape stand in its place.
    raw: dict[str, Any] = json.loads(sub.text)
    for node in raw["nodes"]:
        if node["op"] == "null" and node["name"] in values:
            spec = graph.nodes[sub.inputs[node["name"]].node].out
            node["op"] = "_zeros"
            node["attrs"] = {
                "shape": str(spec.shape),
                "dtype": spec.dtype,
                BAKED: hashlib.sha256(values[node["name"]]).hexdigest(),
            }
    raw["arg_nodes"] = [i for i, n in enumerate(raw["nodes"]) if n["op"] == "null"]
    return raw
