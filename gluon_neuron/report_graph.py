"""ReportGraph: the whole model's operators and what flows between them, as a report keeps them to be drawn."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .graph.graph import Graph, Node
    from .graph.spec import Spec

INPUT = "input"
"""What stands in the place of an operator for an input of the model."""


@dataclass(frozen=True)
class GraphNode:
    """One input or operator of the model.

    `region` is the number of the report's region that has it; None in MXNet. `inputs` are the nodes that it reads, each
    with the number of its output, and `outputs` what it gives, such as "float32[1, 64, 56, 56]", each up to the last
    that is read; empty where that is not known. `parameters` are names and the same of its weights.
    """

    name: str
    op: str
    region: int | None = None
    inputs: tuple[tuple[int, int], ...] = ()
    outputs: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    attributes: Mapping[str, str] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The node as JSON-compatible values, without what is empty."""
        return {k: v for k, v in asdict(self).items() if k in ("name", "op") or v not in (None, (), {})}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> GraphNode:
        """The inverse of `to_dict`."""
        pairs = {k: tuple((a, b) for a, b in raw.get(k, ())) for k in ("inputs", "parameters")}
        outputs = tuple(raw.get("outputs", ()))
        return cls(
            raw["name"], raw["op"], raw.get("region"), outputs=outputs, attributes=raw.get("attributes"), **pairs
        )


@dataclass(frozen=True)
class ReportGraph:
    """The nodes, each behind those that it reads, and the outputs of the model as (node, output)."""

    nodes: tuple[GraphNode, ...]
    heads: tuple[tuple[int, int], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The graph as JSON-compatible values."""
        return {"nodes": [n.to_dict() for n in self.nodes], "heads": list(self.heads)}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> ReportGraph:
        """The inverse of `to_dict`. Raises ValueError for what is no graph: each node reads only those before it."""
        made = cls(tuple(map(GraphNode.from_dict, raw["nodes"])), tuple((n, k) for n, k in raw["heads"]))
        read = [(i, source) for i, node in enumerate(made.nodes) for source, _ in node.inputs]
        for end, source in [*read, *((len(made.nodes), source) for source, _ in made.heads)]:
            if not (isinstance(source, int) and 0 <= source < end):
                raise ValueError(f"the report's graph has {end} nodes before one that reads node {source!r}")
        for node in made.nodes:
            if not (node.region is None or isinstance(node.region, int) and node.region >= 0):
                raise ValueError(f"the report's graph has {node.name!r} in region {node.region!r}")
        return made


def report_graph(graph: Graph, inputs: Collection[str], regions: Sequence[Collection[int]]) -> ReportGraph:
    """What a report keeps of a graph: `inputs` names its data, `regions` has the ids of each region's operators.

    All other variables are parameters of those who read them.
    """
    owner = {i: number for number, nodes in enumerate(regions) for i in nodes}
    place: dict[int, int] = {}
    made: list[GraphNode] = []
    for node in graph.nodes:
        if node.is_variable and node.name not in inputs:
            continue
        place[node.id] = len(made)
        read = [e for e in node.inputs if e.node in place]
        weights = [(graph.nodes[e.node].name, _text(s)) for e, s in zip(node.inputs, node.ins) if e.node not in place]
        shown = {k: v for k, v in node.attrs.items() if not k.startswith("__")}
        made.append(
            GraphNode(
                node.name,
                INPUT if node.is_variable else node.op,
                owner.get(node.id),
                tuple((place[e.node], e.output) for e in read),
                _outputs(node),
                tuple(weights),
                shown or None,
            )
        )
    # A model may give a parameter as it is: nothing is drawn for that.
    return ReportGraph(tuple(made), tuple((place[h.node], h.output) for h in graph.heads if h.node in place))


def _outputs(node: Node) -> tuple[str, ...]:
    specs = tuple(_text(node.outs.get(k)) for k in range(max(node.outs, default=-1) + 1))
    return specs if any(specs) else ()


def _text(spec: Spec | None) -> str:
    return "" if spec is None else str(spec)
