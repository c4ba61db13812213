"""Refusals: why a node cannot be compiled for a target, nor for the one whose program every artifact holds too."""

from __future__ import annotations

from collections.abc import Callable, Collection

from ..graph.graph import Graph, Node
from ..lowering import registry
from ..lowering.known import known_from_shapes
from ..refusal import Category, Refusal
from .base import Target
from .registry import fallback_target


def rule_refusal(target: Target, node: Node) -> Refusal | None:
    """Why the node, or one in its body, has no rule that serves it, or the target refuses one in its body."""
    found = registry.refusal(node)
    if found is not None:
        return found
    for inner in (n for body in node.bodies for n in body.operators):
        found = target.refusal(inner)
        if found is not None:
            return Refusal(found.category, f"in its body, {inner}: {found.sentence}")
    return None


def refusals(target: Target, graph: Graph) -> Callable[[Node], Refusal | None]:
    """The refusals for the nodes of `graph`: the target's, and those of the target whose program stands beside its own.

    Nodes whose values follow from shapes alone are spared where they fold in NumPy while the region is lowered, so that
    what an engine computes wrongly does not matter.
    """
    known = known_from_shapes(graph)
    companion = fallback_target(target)

    def refusal(node: Node) -> Refusal | None:
        found = _ask(target, node, known)
        if found is not None or companion is None:
            return found
        other = _ask(companion, node, known)
        if other is None or other.category is Category.SLOWER:
            return None
        if other.category is not Category.TARGET:
            return other
        return Refusal(Category.TARGET, f"the artifact holds a program for the CPU too, and {other.sentence}")

    return refusal


def _ask(target: Target, node: Node, known: Collection[int]) -> Refusal | None:
    found = target.refusal(node)
    folded = target.folds and node.id in known
    return None if found is not None and found.category is Category.TARGET and folded else found
