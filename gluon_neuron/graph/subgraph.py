"""Cuts a region out of a symbol's JSON as a graph of its own, and puts a node in the place of each region."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import GraphError
from .graph import Entry, Graph
from .text import to_text

SUBGRAPH_OP = "_neuron_subgraph_op"
NAMING = "__gluon_neuron_name__"
"""The attribute of a copy that only keeps the name of an output."""

_NAME = re.compile(r"(.+)_output(\d*)", re.DOTALL)

METADATA = "__gluon_neuron__"
"""The attribute of one variable in which a compiled symbol carries what is known of its model."""

ARTIFACT_SUFFIX = "_neuronbin"
LABEL = "__gluon_neuron_label__"
"""The attribute of an operator in a region that keeps its name, where another one of the region has it too."""

NODE_NAME = "__node_name__"
"""The attribute in which our nodes, but not the archived package's, repeat their name."""

CORE = "__gluon_neuron_core__"
"""The attribute of a compiled node that names the first NeuronCore it runs on; without it any will do."""
STRICT = "__gluon_neuron_strict__"
"""The attribute of a compiled node that must not run on the CPU where a chip's program was compiled."""


@dataclass(frozen=True)
class Subgraph:
    """A region as a graph of its own: the raw JSON object, for each variable the outer entry it stands for, and for
    each operator the outer node that it is. All of their names differ."""

    raw: Mapping[str, Any]
    inputs: Mapping[str, Entry]
    operators: Mapping[str, int]

    @property
    def text(self) -> str:
        """The JSON text, as MXNet writes and reads it."""
        return to_text(self.raw)


@dataclass(frozen=True)
class Replacement:
    """The node that takes a region's place.

    `inputs` are the outer entries in the order of the subgraph's inputs; `artifact` is the name of the variable that
    holds its artifact, of `artifact_size` bytes.
    """

    name: str
    nodes: tuple[int, ...]
    outputs: tuple[Entry, ...]
    inputs: tuple[Entry, ...]
    subgraph: Mapping[str, Any]
    artifact: str
    artifact_size: int
    attrs: Mapping[str, str]


def extract(graph: Graph, nodes: Sequence[int], inputs: Sequence[Entry], outputs: Sequence[Entry]) -> Subgraph:
    """The subgraph of the given nodes. Variables keep their names; other inputs are called "<node>_output<index>".

    Compilers know tensors by name, so of operators with one name, or a variable's, all but the first get another; what
    they were called is kept in an attribute.
    """
    raw_nodes: list[dict[str, Any]] = []
    place: dict[Entry | int, int] = {}
    outer: dict[str, Entry] = {}
    taken = {graph.nodes[e.node].name for e in inputs if graph.nodes[e.node].is_variable}
    operators: dict[str, int] = {}
    for i in nodes:
        operators[_free(graph.nodes[i].name, taken)] = i
    given = {i: name for name, i in operators.items()}

    def visit_input(entry: Entry) -> int:
        if entry not in place:
            source = graph.nodes[entry.node]
            name = source.name if source.is_variable else _free(f"{source.name}_output{entry.output}", taken)
            outer[name] = entry
            attrs = dict(source.raw.get("attrs", {})) if source.is_variable else {}
            place[entry] = len(raw_nodes)
            raw_nodes.append(_variable(name, attrs))
        return place[entry]

    wanted = set(inputs)
    for i in nodes:
        node = graph.nodes[i]
        edges = []
        for entry in node.inputs:
            where = visit_input(entry) if entry in wanted else place[entry.node]
            edges.append([where, 0 if entry in wanted else entry.output, 0])
        place[i] = len(raw_nodes)
        raw = {**node.raw, "inputs": edges}
        if given[i] != node.name:
            raw |= {"name": given[i], "attrs": {**node.raw.get("attrs", {}), LABEL: node.name}}
        raw_nodes.append(raw)
    heads = [[place[e.node], e.output, 0] for e in outputs]
    return Subgraph(_symbol(raw_nodes, heads, graph.attrs), outer, operators)


def _free(name: str, taken: set[str]) -> str:
    """The name, or the first like it that is not taken; it is taken then."""
    found, number = name, 0
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    taken.add(found)
    return found


def named(name: str) -> tuple[str, int | None] | None:
    """The name of a copy one of whose outputs is called `name`, and that output's number; None when no copy's is.

    The number is None for a copy with one output.
    """
    found = _NAME.fullmatch(name)
    return None if found is None else (found[1], int(found[2]) if found[2] else None)


def unnameable(graph: Graph, names: Sequence[str]) -> dict[int, str]:
    """The operators whose outputs, which are the graph's and are called `names`, no copy can be called as.

    Several outputs are copied by an operator that takes arrays of one dtype and makes no scalars.
    """
    found: dict[int, str] = {}
    dtypes: dict[int, str] = {}
    for head, name in zip(graph.heads, names, strict=True):
        copy, spec = named(name), graph.nodes[head.node].outs[head.output]
        if copy is not None and copy[1] is None:
            continue
        if copy is None or spec is None or not spec.shape or dtypes.setdefault(head.node, spec.dtype) != spec.dtype:
            found[head.node] = name
    return found


def replace(graph: Graph, replacements: Sequence[Replacement], names: Sequence[str]) -> str:
    """The JSON text of `graph` with each region replaced by one node.

    An output of the model that a region computes keeps its name, which is that of `names`, through a copy. Each
    artifact is a variable behind the region's inputs.
    """
    owner = {i: r for r in replacements for i in r.nodes}
    number = {e: k for r in replacements for k, e in enumerate(r.outputs)}
    raw_nodes: list[dict[str, Any]] = []
    place: dict[Any, int] = {}

    def add(key: Any, raw: dict[str, Any]) -> int:
        place[key] = len(raw_nodes)
        raw_nodes.append(raw)
        return place[key]

    def edge(entry: Entry) -> list[int]:
        region = owner.get(entry.node)
        if region is None:
            return [place[entry.node], entry.output, 0]
        return [place[region.name], number[entry], 0]

    for step in _order(graph, owner):
        if isinstance(step, Replacement):
            blob = add((step.name, "blob"), _variable(step.artifact, _blob_attrs(step.artifact_size)))
            add(
                step.name,
                {
                    "op": SUBGRAPH_OP,
                    "name": step.name,
                    "attrs": dict(step.attrs),
                    "inputs": [*(edge(e) for e in step.inputs), [blob, 0, 0]],
                    "subgraphs": [step.subgraph],
                },
            )
        else:
            node = graph.nodes[step]
            add(step, {**node.raw, "inputs": [edge(e) for e in node.inputs]})
    # By the node and the copy's name: several nodes may have one name, and one node outputs of different names.
    slots: dict[tuple[int, str], dict[int | None, list[int]]] = {}
    for head, name in zip(graph.heads, names, strict=True):
        if head.node in owner:
            copy, output = _copy_of(name)
            slots.setdefault((head.node, copy), {})[output] = edge(head)
    heads = []
    for head, name in zip(graph.heads, names, strict=True):
        if head.node in owner:
            copy, output = _copy_of(name)
            key = (head.node, copy)
            if key not in place:
                add(key, _copy(copy, slots[key]))
            heads.append([place[key], output or 0, 0])
        else:
            heads.append(edge(head))
    return to_text(_symbol(raw_nodes, heads, graph.attrs))


def _copy_of(name: str) -> tuple[str, int | None]:
    found = named(name)
    if found is None:
        raise GraphError(f"No copy has an output called {name!r}; this is a defect of the partition.")
    return found


def _copy(name: str, slots: Mapping[int | None, list[int]]) -> dict[str, Any]:
    """The node that copies an array, or one for each number: those in between are filled, for they are not read."""
    if None in slots:
        return {"op": "_copy", "name": name, "attrs": {NAMING: "1"}, "inputs": [slots[None]]}
    any_edge = next(iter(slots.values()))
    edges = [slots.get(k, any_edge) for k in range(max(1, *(k or 0 for k in slots)) + 1)]
    return {"op": "_np_atleast_1d", "name": name, "attrs": {NAMING: "1", "num_args": str(len(edges))}, "inputs": edges}


def _order(graph: Graph, owner: Mapping[int, Replacement]) -> list[int | Replacement]:
    # Depth-first from the last node of each region, so that all its inputs come before it; iterative, for deep graphs.
    done: set[int | str] = set()
    order: list[int | Replacement] = []

    def key(i: int) -> int | str:
        return owner[i].name if i in owner else i

    for start in range(len(graph.nodes)):
        stack: list[tuple[int, bool]] = [(start, False)]
        opened: set[int | str] = set()
        while stack:
            i, ready = stack.pop()
            if key(i) in done:
                continue
            if ready:
                done.add(key(i))
                order.append(owner.get(i, i))
                continue
            if key(i) in opened:
                raise GraphError(f"The region of {graph.nodes[i]} is not convex; this is a defect of the partition.")
            opened.add(key(i))
            stack.append((i, True))
            region = owner.get(i)
            sources = region.inputs if region is not None else graph.nodes[i].inputs
            pending = [e.node for e in reversed(sources) if key(e.node) not in done]
            stack.extend((p, False) for p in pending)
    return order


def _variable(name: str, attrs: Mapping[str, str]) -> dict[str, Any]:
    raw: dict[str, Any] = {"op": "null", "name": name, "inputs": []}
    return {**raw, "attrs": dict(attrs)} if attrs else raw


def _blob_attrs(size: int) -> dict[str, str]:
    return {"__shape__": f"({size},)", "__dtype__": "3"}


def _symbol(nodes: list[dict[str, Any]], heads: list[list[int]], attrs: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "nodes": nodes,
        "arg_nodes": [i for i, n in enumerate(nodes) if n["op"] == "null"],
        "heads": heads,
        "attrs": dict(attrs),
    }
