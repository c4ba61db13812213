"""Graph and Node: the symbol's nodes in topological order, each with its attributes, inputs and specs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from ..errors import GraphError
from .attrs import Attrs
from .spec import Spec

VARIABLE = "null"


class Entry(NamedTuple):
    """One output of one node."""

    node: int
    output: int


@dataclass(frozen=True, eq=False)
class Node:
    """One node. `ins` and `outs` are the specs of its inputs and of the outputs that somebody reads; None where
    MXNet could not infer them. `bodies` are the graphs inside control flow."""

    id: int
    op: str
    name: str
    attrs: Attrs
    inputs: tuple[Entry, ...]
    ins: tuple[Spec | None, ...] = ()
    outs: Mapping[int, Spec | None] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
    bodies: tuple[Graph, ...] = field(default=(), repr=False)

    @property
    def is_variable(self) -> bool:
        """Whether the node is an input or a parameter of the graph."""
        return self.op == VARIABLE

    @property
    def used(self) -> frozenset[int]:
        """Which of its outputs are read by another node or are outputs of the graph (0 is always listed where it
        has elements)."""
        return frozenset(self.outs)

    @property
    def out(self) -> Spec:
        """The spec of the first output."""
        spec = self.outs.get(0)
        if spec is None:
            raise GraphError(f"{self}: the shape of its output is not known.")
        return spec

    def in_spec(self, index: int) -> Spec:
        """The spec of one input; raises GraphError when MXNet could not infer it."""
        spec = self.ins[index]
        if spec is None:
            raise GraphError(f"{self}: the shape of its input {index} is not known.")
        return spec

    def __str__(self) -> str:
        return f"node {self.name!r} ({self.op})"


class Graph:
    """A symbol's nodes in topological order and its outputs ("heads")."""

    def __init__(self, nodes: Sequence[Node], heads: Sequence[Entry], attrs: Mapping[str, Any]) -> None:
        self.nodes = tuple(nodes)
        self.heads = tuple(heads)
        self.attrs = attrs

    @classmethod
    def from_json(cls, text: str) -> Graph:
        """Read the text that `Symbol.tojson()` gives."""
        raw = symbol_json(text)
        raw_nodes, raw_heads = raw["nodes"], raw["heads"]
        heads = tuple(Entry(h[0], h[1]) for h in raw_heads)
        used: list[set[int]] = [{0} for _ in raw_nodes]
        for node in raw_nodes:
            for i in node["inputs"]:
                used[i[0]].add(i[1])
        for head in heads:
            used[head.node].add(head.output)
        nodes = []
        for i, node in enumerate(raw_nodes):
            # MXNet 1.0 and older wrote "attr" or "param".
            attrs = node.get("attrs", node.get("attr", node.get("param", {})))
            nodes.append(
                Node(
                    id=i,
                    op=node["op"],
                    name=node["name"],
                    attrs=Attrs(attrs, f"node {node['name']!r} ({node['op']})"),
                    inputs=tuple(Entry(e[0], e[1]) for e in node["inputs"]),
                    ins=tuple(None for _ in node["inputs"]),
                    outs=dict.fromkeys(sorted(used[i])),
                    raw=node,
                )
            )
        return cls(nodes, heads, raw.get("attrs", {}))

    def with_specs(self, specs: Mapping[Entry, Spec | None]) -> Graph:
        """The same graph with shapes and dtypes filled in.

        A first output without elements that nobody reads, as splitting gives, is not listed: it is no matter.
        """
        read = {*self.heads, *(e for n in self.nodes for e in n.inputs)}
        nodes = []
        for n in self.nodes:
            outs = {k: specs.get(Entry(n.id, k)) for k in n.outs}
            if len(outs) > 1 and Entry(n.id, 0) not in read and (outs[0] is None or not outs[0].size):
                del outs[0]
            ins = tuple(specs.get(e) for e in n.inputs)
            nodes.append(Node(n.id, n.op, n.name, n.attrs, n.inputs, ins, outs, n.raw))
        return Graph(nodes, self.heads, self.attrs)

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Every output that is read, and the first output of every node, in topological order."""
        return tuple(Entry(n.id, k) for n in self.nodes for k in n.outs)

    @cached_property
    def consumers(self) -> tuple[tuple[int, ...], ...]:
        """For each node the ids of the nodes that read it, ascending, each once."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for node in self.nodes:
            for source in dict.fromkeys(e.node for e in node.inputs):
                found[source].append(node.id)
        return tuple(tuple(f) for f in found)

    @property
    def operators(self) -> tuple[Node, ...]:
        """The nodes that are not variables."""
        return tuple(n for n in self.nodes if not n.is_variable)

    @property
    def variables(self) -> tuple[Node, ...]:
        """The inputs and parameters, in the order MXNet lists them."""
        return tuple(n for n in self.nodes if n.is_variable)


def symbol_json(text: str) -> dict[str, Any]:
    """A symbol's JSON, which has nodes and heads. Raises GraphError for what is none, or a symbol of nothing."""
    none = "This is not an MXNet symbol's JSON"
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise GraphError(f"{none}: {error!r}.") from error
    if not isinstance(raw, dict):
        raise GraphError(f"{none}: it holds no object, but a {type(raw).__name__}.")
    for key in ("nodes", "heads"):
        if not isinstance(raw.get(key), list):
            raise GraphError(f"{none}: it has no list {key!r}.")
        if not raw[key]:
            raise GraphError(f"{none}: its list {key!r} is empty.")
    return raw
