"""What a page draws of a report: boxes within boxes, as JSON's values, of texts that are safe to show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..report_graph import INPUT, GraphNode, ReportGraph
from .fragments import counted, visible
from .stages import MOST, in_order, most_used, prefix, stages, title
from .summary import gflop

if TYPE_CHECKING:
    from ..report import Report

BESIDE = 90
"""How many regions, operators in MXNet, inputs and outputs may be on the page without being put into stages."""

_SHORT = {"float32": "f32", "float16": "f16", "bfloat16": "bf16", "float64": "f64", "int32": "i32", "int64": "i64"}


class Drawing:
    """Boxes: the nodes first, by their numbers, then groups. Each has the number of the group around it, or -1."""

    def __init__(self, report: Report, graph: ReportGraph, seconds: Mapping[str, float]) -> None:
        self._report = report
        self._graph = graph
        self._seconds = seconds
        self._nodes = len(graph.nodes) + len(graph.heads)
        self.parent = [-1] * self._nodes
        self.groups: list[dict[str, Any]] = []
        edges = [(source, i) for i, n in enumerate(graph.nodes) for source, _ in n.inputs]
        self.edges = edges + [(source, len(graph.nodes) + k) for k, (source, _) in enumerate(graph.heads)]
        self._common = prefix([n.name for n in graph.nodes if n.op != INPUT])
        self._group()

    def to_json(self) -> dict[str, Any]:
        """The boxes, and what is known of each."""
        why = {o.node: o for o in self._report.outside}
        nodes = [self._node(i, n, why.get(n.name)) for i, n in enumerate(self._graph.nodes)]
        heads = [
            {"n": f"output {k}", "o": "output", "g": self.parent[len(nodes) + k], "i": [[source, out]]}
            for k, (source, out) in enumerate(self._graph.heads)
        ]
        return {"nodes": nodes + heads, "groups": self.groups, "common": visible(self._common)}

    def _node(self, number: int, node: GraphNode, why: Any) -> dict[str, Any]:
        made: dict[str, Any] = {"n": visible(node.name), "o": visible(node.op), "g": self.parent[number]}
        if node.inputs:
            made["i"] = node.inputs
        if node.outputs:
            made["s"] = [_shape(s) for s in node.outputs]
        if node.parameters:
            made["p"] = [[visible(n), _shape(s)] for n, s in node.parameters]
        if node.attributes:
            made["a"] = {visible(k): visible(v) for k, v in node.attributes.items()}
        if node.region is not None:
            made["r"] = node.region
        elif why is not None:
            made["c"], made["w"] = visible(str(why.category)), visible(why.sentence)
        if node.name in self._seconds:
            made["t"] = self._seconds[node.name]
        return made

    def _group(self) -> None:
        """A group for each region, and for stages wherever too many boxes would lie beside each other."""
        members: dict[int, list[int]] = {}
        for i, node in enumerate(self._graph.nodes):
            if node.region is not None:
                members.setdefault(node.region, []).append(i)
        owner: dict[int, int] = {}
        for region in sorted(members):
            owner |= dict.fromkeys(members[region], self._add(members[region], region))
        inside: dict[int, list[tuple[int, int]]] = {}
        for a, b in self.edges:
            if a in owner and owner[a] == owner.get(b):
                inside.setdefault(owner[a], []).append((a, b))
        for region, nodes in sorted(members.items()):
            around = owner[nodes[0]]
            self._stages(nodes, inside.get(around, []), around, region)
        # Beside the regions, operators in MXNet, inputs and outputs.
        edges = [(owner.get(a, a), owner.get(b, b)) for a, b in self.edges]
        top = in_order([*dict.fromkeys(owner.get(i, i) for i in range(self._nodes))], edges)
        self._stages(top, edges, -1, None, BESIDE)

    def _stages(
        self, row: Sequence[int], edges: Sequence[tuple[int, int]], around: int, region: int | None, most: int = MOST
    ) -> None:
        """Put a row of boxes with the edges between them into the group `around`, in stages of stages where there are
        more than `most`."""
        while len(row) > most:
            made = []
            within: dict[int, int] = {}
            for part in stages(row, edges):
                boxes = [row[at] for at in part]
                group = self._add([n for b in boxes for n in self._leaves(b)], region, boxes)
                for one in boxes:
                    self._put(one, group)
                within |= dict.fromkeys(boxes, group)
                made.append(group)
            # What is in no stage, as a circle of a file that nobody compiled, stays beside them.
            edges = [(within.get(a, a), within.get(b, b)) for a, b in edges]
            row = made
        for one in row:
            self._put(one, around)

    def _put(self, one: int, group: int) -> None:
        if one < self._nodes:
            self.parent[one] = group
        else:
            self.groups[one - self._nodes]["g"] = group

    def _leaves(self, one: int) -> list[int]:
        return [one] if one < self._nodes else self._members[one]

    def _add(self, nodes: Sequence[int], region: int | None, boxes: Sequence[int] | None = None) -> int:
        """A new group, of which `boxes` are stages; none for a whole region."""
        number = self._nodes + len(self.groups)
        if not self.groups:
            self._members: dict[int, list[int]] = {}
        self._members[number] = [*nodes]
        held = [self._graph.nodes[i] for i in nodes if i < len(self._graph.nodes) and self._graph.nodes[i].op != INPUT]
        made: dict[str, Any] = {"g": -1, "k": counted(len(held), "operator")}
        used = most_used(Counter(n.op for n in held))
        if region is not None:
            made["r"] = region
        if boxes is None and region is not None and region < len(self._report.regions):
            of = self._report.regions[region]
            made |= {"n": visible(of.name), "u": f"{gflop(of.flops)} · {visible(used)}"}
            if of.name in self._seconds:
                made["t"] = self._seconds[of.name]
        else:
            made |= {"n": visible(title([n.name for n in held] or ["inputs"], self._common)), "u": visible(used)}
            if region is None and any(n.region is not None for n in held):
                made["both"] = True
        self.groups.append(made)
        return number


def _shape(text: str) -> str:
    """ "float32[1, 64, 56, 56]" as it is short: "f32 1×64×56×56"."""
    dtype, bracket, rest = text.partition("[")
    if not bracket:
        return visible(text)
    sizes = rest.removesuffix("]").split(", ")
    return visible(f"{_SHORT.get(dtype, dtype)} {'×'.join(sizes) if sizes != [''] else 'scalar'}")
