"""Axes and extents of a node's arrays: axis attributes made positive, and the refusal of arrays without elements."""

from __future__ import annotations

from ..graph.graph import Node


def nonempty(n: Node) -> str | None:
    """Refuse a node that reads or makes an array without elements."""
    for spec in (*n.ins, *n.outs.values()):
        if spec is not None and 0 in spec.shape:
            return f"it has an array of shape {spec.shape}, which has no elements"
    return None


def axis_of(n: Node, key: str, default: int, ndim: int) -> int:
    """An axis attribute as a number in 0..ndim-1; 0 where there are no axes, of which mx.np takes 0 and -1."""
    return n.attrs.integer(key, default) % max(ndim, 1)


def axes_of(n: Node, key: str, ndim: int) -> tuple[int, ...]:
    """An attribute that lists axes, each made positive; () when it is absent."""
    return tuple(a % ndim for a in n.attrs.ints(key, ())) if ndim else ()
