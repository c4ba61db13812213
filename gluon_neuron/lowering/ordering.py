"""Operators that sort: topk, sort, argsort."""

from __future__ import annotations

from typing import Any

from ..graph.graph import Node
from .extents import axis_of, nonempty
from .registry import NUMBERS, rule


def _along(xp: Any, n: Node, x: Any) -> tuple[Any, int]:
    """The array and the axis to sort along; without an axis the array is flattened."""
    if "axis" in n.attrs and not n.attrs.has("axis"):
        return xp.reshape(x, (x.size,)), 0
    return x, axis_of(n, "axis", -1, x.ndim)


def _top(xp: Any, n: Node, x: Any, k: int, ascending: bool) -> tuple[Any, Any, Any, int]:
    """The first k values and int32 positions in order, and what they were taken from along which axis."""
    x, axis = _along(xp, n, x)
    values, positions = xp.top_k(x, k or x.shape[axis], axis, not ascending)
    return values, positions, x, axis


@rule("topk", "_npx_topk", dtypes=NUMBERS, refuse=nonempty)
def topk(xp: Any, n: Node, x: Any) -> Any:
    """The k largest (or smallest) along an axis: their values, positions, both, or a mask of ones where they are."""
    k = max(n.attrs.integer("k", 1), 0)
    values, positions, flat, axis = _top(xp, n, x, k, n.attrs.flag("is_ascend"))
    kind = n.attrs.text("ret_typ", "indices")
    if kind == "mask":
        hits = xp.one_hot(positions, flat.shape[axis], axis + 1, n.out.dtype)
        return xp.reshape(xp.sum(hits, (axis,), False), n.out.shape)
    if kind == "indices":
        return xp.astype(positions, n.out.dtype)
    indices = n.outs.get(1)
    return values if indices is None else (values, xp.astype(positions, indices.dtype))


@rule("sort", "_npi_sort", dtypes=NUMBERS, refuse=nonempty, slower=10_000)
def sort(xp: Any, n: Node, x: Any) -> Any:
    """The values in order along an axis, or of the flattened array."""
    return _top(xp, n, x, 0, n.attrs.flag("is_ascend", True))[0]


@rule("argsort", "_npi_argsort", dtypes=NUMBERS, refuse=nonempty, slower=10_000)
def argsort(xp: Any, n: Node, x: Any) -> Any:
    """The positions that would sort the values; MXNet leaves the order of equals open."""
    x, axis = _along(xp, n, x)
    return xp.astype(xp.argsort(x, axis, not n.attrs.flag("is_ascend", True)), n.out.dtype)
