"""Operators that the CPU engine computes more slowly than MXNet does, as `python -m benchmarks.kinds` measured them."""

from __future__ import annotations

from ...graph.graph import Node
from ...refusal import Category, Refusal

SLOWER = {
    "sort": 10_000,
    "argsort": 10_000,
    "_npi_argsort": 10_000,
}
"""By operator: from how many elements on it is worth a break of the region around it."""


def slower(node: Node) -> Refusal | None:
    """The refusal of a node that MXNet computes faster, or None."""
    least = SLOWER.get(node.op)
    size = node.in_spec(0).size if least is not None else 0
    if least is None or size < least:
        return None
    sentence = f"MXNet computes it faster than the CPU engine from {least} elements on, and it has {size}"
    return Refusal(Category.SLOWER, sentence)
