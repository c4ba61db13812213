"""Finds the nodes whose values follow from shapes and attributes alone, so that they fold while a region is lowered."""

from __future__ import annotations

from ..graph.graph import Graph
from .registry import rule_of


def known_from_shapes(graph: Graph) -> frozenset[int]:
    """The ids of those nodes: they are computed in NumPy, with MXNet's own dtypes, and never by an engine."""
    known: set[int] = set()
    for node in graph.operators:
        rule = rule_of(node)
        if (rule is not None and rule.source) or (node.inputs and all(e.node in known for e in node.inputs)):
            known.add(node.id)
    return frozenset(known)
