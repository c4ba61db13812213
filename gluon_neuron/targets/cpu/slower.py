"""Operators that the CPU engine computes more slowly than MXNet does, as `python -m benchmarks.kinds` measured them."""

from __future__ import annotations

from ...graph.graph import Node
from ...lowering.registry import rule_of
from ...refusal import Category, Refusal


def slower(node: Node) -> Refusal | None:
    """The refusal of a node that MXNet computes faster, or None."""
    rule = rule_of(node)
    if rule is None or rule.slower is None or (size := node.in_spec(0).size) < rule.slower:
        return None
    sentence = f"MXNet computes it faster than the CPU engine from {rule.slower} elements on, and it has {size}"
    return Refusal(Category.SLOWER, sentence)
