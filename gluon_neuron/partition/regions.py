"""Groups supported nodes into convex regions, in linear time, in a stable order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ..graph.graph import Entry, Graph


@dataclass(frozen=True)
class Region:
    """A convex set of operators: `nodes` (ids, ascending), the entries it reads from outside and the entries that
    somebody outside reads, both in order of first use."""

    nodes: tuple[int, ...]
    inputs: tuple[Entry, ...]
    outputs: tuple[Entry, ...]


def grow(graph: Graph, supported: Collection[int]) -> list[Region]:
    """The regions that `supported` nodes (ids of operators) form.

    Each node gets a level: it rises by one on every edge from a supported to an unsupported node. A path that
    leaves the supported nodes of a level never returns to that level, so each level is convex and the regions, ordered
    by level, are acyclic. A node that only feeds later levels then moves to the earliest of them, which saves
    passing its result between regions.
    """
    member = [False] * len(graph.nodes)
    for i in supported:
        member[i] = True
    level = [0] * len(graph.nodes)
    for node in graph.nodes:
        if node.is_variable:
            continue
        for entry in node.inputs:
            step = 1 if member[entry.node] and not member[node.id] else 0
            level[node.id] = max(level[node.id], level[entry.node] + step)
    heads = {h.node for h in graph.heads}
    for node in reversed(graph.nodes):
        readers = graph.consumers[node.id]
        if member[node.id] and node.id not in heads and readers and all(member[r] for r in readers):
            level[node.id] = min(level[r] for r in readers)
    levels: dict[int, list[int]] = {}
    for node in graph.nodes:
        if member[node.id]:
            levels.setdefault(level[node.id], []).append(node.id)
    return [boundary(graph, nodes) for _, nodes in sorted(levels.items())]


def boundary(graph: Graph, nodes: list[int]) -> Region:
    """The region of the given ascending node ids, with its inputs and outputs."""
    inside = set(nodes)
    heads = set(graph.heads)
    inputs = dict.fromkeys(e for i in nodes for e in graph.nodes[i].inputs if e.node not in inside)
    # Each reader once: one that reads many of the nodes, such as a sum of branches, would cost the square of them.
    readers = {r for i in nodes for r in graph.consumers[i] if r not in inside}
    read_outside = {e for r in readers for e in graph.nodes[r].inputs if e.node in inside}
    outputs = [
        Entry(i, k) for i in nodes for k in graph.nodes[i].outs if (e := Entry(i, k)) in heads or e in read_outside
    ]
    return Region(tuple(nodes), tuple(inputs), tuple(outputs))
