"""What every target asks first of a node: whether there is a rule that serves it, and those in its body."""

from __future__ import annotations

from ..graph.graph import Node
from ..lowering import registry
from ..refusal import Refusal
from .base import Target


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
