"""Why the nodes of a graph cannot be compiled for a target, nor for the one whose program every artifact holds too."""

from __future__ import annotations

from collections.abc import Callable, Collection

from ..graph.graph import Graph, Node
from ..lowering.known import known_from_shapes
from ..refusal import Category, Refusal
from .base import Target
from .registry import fallback_target


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
