"""Runs some operators of a region by themselves: as MXNet's own, and compiled anew as one node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mxnet as mx
import numpy as np

from .._version import __version__
from ..artifact.container import Artifact, pack
from ..compiler.cut_region import cut_out
from ..errors import BlockError
from ..frontend.held_array import HeldArray
from ..frontend.model import ExportedModel
from ..graph.graph import VARIABLE, Entry, Graph
from ..graph.identity import graph_hash
from ..graph.subgraph import ARTIFACT_SUFFIX, NODE_NAME, SUBGRAPH_OP, extract
from ..graph.text import to_text
from ..options import CompileOptions
from ..partition.regions import Region, boundary
from ..runtime.asked import plain
from ..runtime.front_end import front_end, shape_rules
from ..runtime.open_call import OpenCall
from ..runtime.unfused import unfused
from ..targets.base import Program
from ..targets.neuron.toolchain.process import Running
from ..targets.registry import get_target

Arrays = Mapping[str, mx.nd.NDArray]


def load(text: str, is_np: bool) -> mx.sym.Symbol:
    """The symbol of a JSON text, of the front end."""
    symbol = mx.sym.load_json(text)
    return symbol.as_np_ndarray() if is_np else symbol


def run(symbol: mx.sym.Symbol, arrays: Arrays, is_np: bool) -> list[mx.nd.NDArray]:
    """What the symbol gives at inference for arrays by name, each as an array of its own; raises MXNetError."""
    names = list(dict.fromkeys(symbol.list_inputs()))
    try:
        found = OpenCall(symbol, names, {})([arrays[n] for n in names]) if names else _bound(symbol, arrays, is_np)
    except BlockError:
        # MXNet has no cached operator where one has no gradient, as sorting has none; then shapes are to be known.
        found = _bound(symbol, arrays, is_np)
    return [fresh(a, is_np) for a in found]


def _bound(symbol: mx.sym.Symbol, arrays: Arrays, is_np: bool) -> list[mx.nd.NDArray]:
    with shape_rules(is_np), unfused():
        args = {n: plain(arrays[n]) for n in symbol.list_arguments()}
        aux = {n: plain(arrays[n]) for n in symbol.list_auxiliary_states()}
        executor = symbol.bind(mx.cpu(), args, grad_req="null", aux_states=aux)
        return list(executor.forward(is_train=False))


def fresh(array: mx.nd.NDArray, is_np: bool) -> mx.nd.NDArray:
    """The array's values on the host as one of the front end, in the usual layout."""
    with front_end(is_np):
        if np.dtype(array.dtype).kind == "V":  # bfloat16, which NumPy lacks
            copied = array.copyto(mx.cpu())
            return copied.as_np_ndarray() if is_np else copied.as_nd_ndarray()
        return (mx.np if is_np else mx.nd).array(array.asnumpy(), ctx=mx.cpu(), dtype=array.dtype)


def node_alone(node: Mapping[str, Any], names: Sequence[str], blob: str, attrs: Mapping[str, Any]) -> str:
    """The JSON of a symbol that is one compiled node, whose inputs are variables of these names and its artifact."""
    variables = [{"op": VARIABLE, "name": n, "inputs": []} for n in (*names, blob)]
    made = {**node, "inputs": [[k, 0, 0] for k in range(len(variables))]}
    heads = [[len(variables), k, 0] for k in range(len(node["subgraphs"][0]["heads"]))]
    return to_text(
        {"nodes": [*variables, made], "arg_nodes": [*range(len(variables))], "heads": heads, "attrs": dict(attrs)}
    )


@dataclass
class OpenRegion:
    """A region of a compiled model, of which parts can be run.

    `graph` are its original operators with their specs, `weights` the names of its variables that are parameters, and
    `values` what is known of MXNet's own results, by entry; `given` are the arrays that compiled operators get, by the
    variables' names. `options` are those that it was compiled with, for the target that runs it here.
    """

    name: str
    graph: Graph
    weights: frozenset[str]
    given: Arrays
    values: dict[Entry, mx.nd.NDArray]
    options: CompileOptions
    is_np: bool

    def part(self, nodes: Sequence[int]) -> Region:
        """Some operators, by their ids in ascending order without a gap among the region's, with their boundary."""
        return boundary(self.graph, list(nodes))

    def run_original(self, part: Region) -> None:
        """Have MXNet run a part, and keep what it gives."""
        sub = extract(self.graph, part.nodes, part.inputs, part.outputs)
        arrays = {n: self.values[e] for n, e in sub.inputs.items()}
        found = run(load(sub.text, self.is_np), arrays, self.is_np)
        self.values.update(zip(part.outputs, found, strict=True))

    def run_compiled(self, part: Region) -> list[mx.nd.NDArray]:
        """What a part gives when it is compiled by itself, given MXNet's values.

        Raises CompileError, and MXNetError when the engine refuses the program.
        """
        sub = extract(self.graph, part.nodes, part.inputs, part.outputs)
        symbol = load(sub.text, self.is_np)
        held = {n: HeldArray(n, self.given[n]) for n in self.weights}
        model = ExportedModel(symbol, (), {}, held, 0, 0, self.is_np)
        cut = cut_out(0, part, [self.graph], model, self.options)
        target = get_target(self.options.target)
        made = [target.prepare(job) for job in cut.jobs]
        payloads = tuple((p if isinstance(p, Program) else p(Running())).payload for p in made)
        identity = {**self.options.identity(), "np_shape": self.is_np}
        data = pack(Artifact(graph_hash(cut.visible), identity, payloads, __version__))
        blob = cut.name + ARTIFACT_SUFFIX
        attrs = {"__ext_extra_inputs__": "1", NODE_NAME: cut.name}
        node = {"op": SUBGRAPH_OP, "name": cut.name, "attrs": attrs, "subgraphs": [cut.visible]}
        names = [*cut.inputs]
        arrays = {n: self._given(e) for n, e in cut.inputs.items()}
        arrays[blob] = mx.nd.array(np.frombuffer(data, np.uint8), dtype=np.uint8)
        text = node_alone(node, names, blob, self.graph.attrs)
        return run(load(text, self.is_np), arrays, self.is_np)

    def _given(self, entry: Entry) -> mx.nd.NDArray:
        node = self.graph.nodes[entry.node]
        return self.given[node.name] if node.is_variable else self.values[entry]

    def data_of(self, part: Region) -> list[mx.nd.NDArray]:
        """What a part reads that is no parameter."""
        nodes = self.graph.nodes
        return [self.values[e] for e in part.inputs if nodes[e.node].name not in self.weights]
