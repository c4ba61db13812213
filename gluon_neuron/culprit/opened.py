"""OpenModel: a compiled block taken apart: its regions, what MXNet gives at their boundaries, its parameters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import mxnet as mx
import numpy as np

from ..artifact.container import Artifact, unpack
from ..block import NeuronHybridBlock
from ..compiler.target_here import for_this_machine
from ..errors import CompileError, InputError
from ..frontend.infer import annotate
from ..graph.graph import VARIABLE, Entry, Graph
from ..graph.identity import variables
from ..graph.inline import has_compiled_nodes, inline
from ..graph.spec import Spec, dtype_name
from ..graph.subgraph import NODE_NAME, SUBGRAPH_OP
from ..graph.text import to_text
from ..options import CompileOptions
from ..runtime.asked import value_of
from ..runtime.mxnet_private import cached_parameters, flatten, input_structure, is_np_symbol, traced_symbol, view_of
from .baked import with_weights
from .segment import Arrays, OpenRegion, fresh, load, node_alone, run


@dataclass(frozen=True)
class CompiledRegion:
    """A compiled node: as it is in the symbol, its original operators' graph, and the entries that it reads.

    `inputs` are those by the names of the graph's variables, in order, and `kept` those that the node itself reads:
    all but baked weights.
    """

    number: int
    node: Mapping[str, Any]
    graph: Mapping[str, Any]
    inputs: Mapping[str, Entry]
    kept: tuple[str, ...]
    artifact: str

    @property
    def name(self) -> str:
        """The node's name."""
        return str(self.node["name"])

    @property
    def outputs(self) -> int:
        """How many outputs it has."""
        return len(self.graph["heads"])


class OpenModel:
    """A block of compiled nodes, and what its original operators give in MXNet for one sample.

    `params` are its Parameters by name, with those of the reference for weights that were baked in. Raises InputError
    for a block that was not compiled.
    """

    def __init__(self, block: Any, reference: Any, arrays: Sequence[mx.nd.NDArray]) -> None:
        symbol = traced_symbol(block) if isinstance(block, mx.gluon.HybridBlock) else None
        ours = isinstance(block, NeuronHybridBlock)
        if symbol is None or not (ours or has_compiled_nodes(symbol.tojson(remove_amp_cast=False))):
            raise InputError("it is no compiled model")
        self.symbol = symbol
        self.is_np = is_np_symbol(symbol)
        self.inputs = tuple(s.name for s in flatten(_list(input_structure(block)), "input")[0] if s is not None)
        self.original_raw: dict[str, Any] = json.loads(symbol.tojson(remove_amp_cast=False))
        # Without a version MXNet takes what is made of it for a symbol of 0.8, and says so.
        self.original_raw["attrs"] = {"mxnet_version": ["int", 10901], **self.original_raw.get("attrs", {})}
        self.raw, digests = with_weights(self.original_raw)
        # What `optimize_for` has partitioned holds its artifacts beside its own parameters.
        self.params = {p.name: p for p in (*block.collect_params().values(), *cached_parameters(block)[1])}
        self._take_baked(digests, reference)
        names = {n["name"] for n in self.raw["nodes"] if n["op"] == VARIABLE}
        self.regions = self._regions()
        blobs = {r.artifact for r in self.regions}
        self._data: Arrays = dict(zip(self.inputs, arrays, strict=True))
        self._copies = {n: fresh(self._own(n), self.is_np) for n in names - self._data.keys() - blobs}
        self.boundary = self._at_boundaries()

    def original(self, arrays: Sequence[mx.nd.NDArray]) -> list[mx.nd.NDArray]:
        """What MXNet gives for the model's own original operators and parameters."""
        text = inline(to_text(self.raw))
        return run(load(text, self.is_np), {**self._copies, **dict(zip(self.inputs, arrays))}, self.is_np)

    def whole(self, arrays: Sequence[mx.nd.NDArray]) -> list[mx.nd.NDArray]:
        """What the compiled symbol gives when nothing but MXNet's cached operator is around it."""
        names = set(self.symbol.list_inputs())
        given = {n: self._own(n) for n in names - self._data.keys()}
        return run(self.symbol, {**given, **dict(zip(self.inputs, arrays))}, self.is_np)

    def inlined(self) -> dict[str, Any]:
        """The JSON object of the original operators."""
        found: dict[str, Any] = json.loads(inline(to_text(self.raw)))
        return found

    def expected(self, region: CompiledRegion) -> list[mx.nd.NDArray]:
        """What MXNet gives for a region's outputs."""
        return [self.boundary[Entry(region.number, k)] for k in range(region.outputs)]

    def as_compiled(self, region: CompiledRegion) -> list[mx.nd.NDArray]:
        """What the program that the model holds gives for a region's outputs, given what MXNet gives for its inputs."""
        blob = region.artifact
        text = node_alone(region.node, region.kept, blob, self.raw["attrs"])
        arrays = {n: self._given(e) for n, e in region.inputs.items() if n in region.kept}
        return run(load(text, self.is_np), {**arrays, blob: self._own(blob)}, self.is_np)

    def opened(self, region: CompiledRegion) -> OpenRegion:
        """The region, of which parts can be run. Raises CompileError for one whose artifact says nothing of it."""
        values = {n: self._value(e) for n, e in region.inputs.items()}
        specs = {n: Spec(tuple(a.shape), dtype_name(a.dtype)) for n, a in values.items()}
        text = to_text({**region.graph, "attrs": self.raw["attrs"]})
        graph = annotate(text, specs, self.is_np)
        completed = _with_shapes(graph, self.raw["attrs"])
        graph = graph if completed == text else annotate(completed, specs, self.is_np)
        weights = frozenset(n for n, e in region.inputs.items() if self._variable(e) in self._copies)
        known = {Entry(v.id, 0): values[v.name] for v in graph.variables}
        known |= dict(zip(graph.heads, self.expected(region), strict=True))
        given = {n: self._given(e) for n, e in region.inputs.items()}
        return OpenRegion(region.name, graph, weights, given, known, self._options(region), self.is_np)

    def artifact(self, region: CompiledRegion) -> Artifact:
        """What the region's artifact holds."""
        return unpack(view_of(self._own(region.artifact)).data)

    def _options(self, region: CompiledRegion) -> CompileOptions:
        """Those that the region was compiled with, for the target whose program runs here."""
        artifact = self.artifact(region)
        chosen = dict(artifact.options)
        chosen.pop("np_shape", None)
        here = for_this_machine(CompileOptions()).target
        target = here if here in {p.target for p in artifact.payloads} else "cpu"
        chip = next((p for p in artifact.payloads if p.target != "cpu"), None)
        if target == "cpu" and chip is not None and chosen.get("auto_cast_type") != "bf16":
            chosen["auto_cast"] = "none"  # as the program that stands in for the chip's
        return replace(CompileOptions(), target=target, **chosen)

    def _take_baked(self, digests: Mapping[str, str], reference: Any) -> None:
        theirs = {p.name: p for p in reference.collect_params().values()} if digests else {}
        for name, digest in digests.items():
            if name not in theirs:
                raise CompileError(f"its weights are baked in, and the reference has no parameter {name!r}")
            found = np.ascontiguousarray(value_of(theirs[name]).asnumpy()).tobytes()
            if hashlib.sha256(found).hexdigest() != digest:
                raise CompileError(f"the weight {name!r} that is baked in is not the reference's: it was changed since")
            self.params[name] = theirs[name]

    def _regions(self) -> list[CompiledRegion]:
        found = []
        # Baked weights are further inputs: what the node itself reads is known from the symbol as it is.
        ours = [(i, n) for i, n in enumerate(self.raw["nodes"]) if _is_ours(n)]
        for (number, node), plain in zip(ours, filter(_is_ours, self.original_raw["nodes"]), strict=True):
            entries = [Entry(i[0], i[1]) for i in node["inputs"]]
            graph, kept = node["subgraphs"][0], variables(plain["subgraphs"][0])
            blob = self.raw["nodes"][entries[-1].node]["name"]
            inputs = dict(zip(variables(graph), entries))
            found.append(CompiledRegion(number, plain, graph, inputs, tuple(kept), blob))
        return found

    def _at_boundaries(self) -> dict[Entry, mx.nd.NDArray]:
        """MXNet's own results for what regions read and give, by the compiled symbol's entries."""
        wanted = dict.fromkeys(e for r in self.regions for e in r.inputs.values() if self._variable(e) is None)
        wanted |= dict.fromkeys(Entry(r.number, k) for r in self.regions for k in range(r.outputs))
        if not wanted:
            return {}
        raw = json.loads(inline(to_text({**self.raw, "heads": [[*e, 0] for e in wanted]})))
        heads = [Entry(h[0], h[1]) for h in raw["heads"]]
        unique = list(dict.fromkeys(h for h in heads if raw["nodes"][h.node]["op"] != VARIABLE))
        text = to_text({**raw, "heads": [[*h, 0] for h in unique]})
        arrays = {**self._copies, **self._data}
        found = dict(zip(unique, run(load(text, self.is_np), arrays, self.is_np), strict=True))
        return {e: found[h] if h in found else arrays[raw["nodes"][h.node]["name"]] for e, h in zip(wanted, heads)}

    def _variable(self, entry: Entry) -> str | None:
        node = self.raw["nodes"][entry.node]
        return str(node["name"]) if node["op"] == VARIABLE else None

    def _value(self, entry: Entry) -> mx.nd.NDArray:
        """MXNet's value of what a region reads."""
        name = self._variable(entry)
        if name is None:
            return self.boundary[entry]
        return self._data[name] if name in self._data else self._copies[name]

    def _given(self, entry: Entry) -> mx.nd.NDArray:
        """The same for compiled operators: the parameters' own arrays, for MXNet may lay out its copies otherwise."""
        name = self._variable(entry)
        return self._value(entry) if name is None or name in self._data else self._own(name)

    def _own(self, name: str) -> mx.nd.NDArray:
        if name not in self.params:
            raise CompileError(f"the model has no parameter {name!r}")
        return value_of(self.params[name]).as_in_context(mx.cpu())


def _with_shapes(graph: Graph, attrs: Mapping[str, Any]) -> str:
    """The JSON of a graph whose constants have the shapes that follow from what reads them, which a cut may part them
    from: recurrent layers begin with zeros of shape (layers, 0, units)."""
    nodes = []
    for node in graph.nodes:
        raw = dict(node.raw)
        spec = node.outs.get(0)
        if not node.is_variable and not node.inputs and spec is not None and node.attrs.has("shape"):
            raw["attrs"] = {**raw["attrs"], "shape": str(spec.shape)}
        nodes.append(raw)
    variables_at = [n.id for n in graph.variables]
    return to_text({"nodes": nodes, "arg_nodes": variables_at, "heads": [[*h, 0] for h in graph.heads], "attrs": attrs})


def _is_ours(node: Mapping[str, Any]) -> bool:
    return node["op"] == SUBGRAPH_OP and NODE_NAME in node.get("attrs", {})


def _list(structure: Any) -> list[Any]:
    return list(structure) if isinstance(structure, list | tuple) else [structure]
