"""Which arrays of a graph MXNet keeps in sparse storage, which compiled regions do not read."""

from __future__ import annotations

from collections.abc import Mapping

import mxnet as mx

from ..graph.graph import Entry, Graph, Node
from ..graph.spec import Spec, mxnet_dtype
from ..graph.text import to_text
from ..runtime.front_end import shape_rules

_DENSE = "default"
_UNKNOWN = "sparse, perhaps"
_MAKES_SPARSE = ("cast_storage", "_sparse_cast_storage")


def sparse_entries(graph: Graph, stored: Mapping[str, str], is_np: bool) -> dict[Entry, str]:
    """The storage types of the entries that are not dense, for variables of which those in `stored` are not.

    MXNet is asked about every operator that reads such an entry, or may make one.
    """
    found = {Entry(n.id, 0): stored[n.name] for n in graph.variables if n.name in stored}
    for node in graph.operators if found or any(n.op in _MAKES_SPARSE for n in graph.operators) else ():
        if node.op in _MAKES_SPARSE or any(e in found for e in node.inputs):
            kinds = _outputs(node, [found.get(e, _DENSE) for e in node.inputs], is_np)
            found |= {Entry(node.id, k): kind for k, kind in kinds.items() if kind != _DENSE}
    return found


def _outputs(node: Node, kinds: list[str], is_np: bool) -> dict[int, str]:
    """The storage type of each output that is read."""
    unknown = dict.fromkeys(node.outs, _UNKNOWN)
    specs = [s for s in node.ins if s is not None]
    if len(specs) < len(node.ins) or _UNKNOWN in kinds:
        return unknown
    names = [f"input{i}" for i in range(len(specs))]
    variables = [{"op": "null", "name": n, "inputs": []} for n in names]
    inputs = [[i, 0, 0] for i in range(len(names))]
    raw = {
        "nodes": [*variables, {**node.raw, "inputs": inputs}],
        "arg_nodes": [*range(len(names))],
        "heads": [[len(names), k, 0] for k in node.outs],
        "attrs": {"mxnet_version": ["int", 10901]},
    }
    try:
        with shape_rules(is_np):
            symbol = mx.sym.load_json(to_text(raw))
            arrays = {n: _array(s, k) for n, s, k in zip(names, specs, kinds, strict=True)}
            states = {n: arrays[n] for n in symbol.list_auxiliary_states()}
            executor = symbol.bind(mx.cpu(), arrays, grad_req="null", aux_states=states)
            return dict(zip(node.outs, (o.stype for o in executor.outputs), strict=True))
    except mx.base.MXNetError:
        return unknown


def _array(spec: Spec, kind: str) -> mx.nd.NDArray:
    dtype = mxnet_dtype(spec.dtype)
    return mx.nd.empty(spec.shape, dtype=dtype) if kind == _DENSE else mx.nd.sparse.zeros(kind, spec.shape, dtype=dtype)
