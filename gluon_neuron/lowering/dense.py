"""FullyConnected, dot, batch_dot and khatri_rao."""

from __future__ import annotations

from math import prod
from typing import Any

from ..graph.graph import Node
from .common import first_of, same_dtypes
from .extents import nonempty
from .registry import rule


@rule("FullyConnected", "_npx_fully_connected", refuse=first_of(nonempty, same_dtypes), heavy=True)
def fully_connected(xp: Any, n: Node, x: Any, w: Any, b: Any = None) -> Any:
    """x (N, ...), or (..., C) when it is not flattened; w (O, C), b (O,)."""
    if n.attrs.flag("flatten", True) and x.ndim != 2:
        x = xp.reshape(x, (x.shape[0], prod(x.shape[1:])))
    return xp.linear(x, w, b)


def _sparse_result(n: Node) -> str | None:
    """Refuse a sparse result."""
    stype = n.attrs.text("forward_stype", "default")
    return None if stype == "default" else f"forward_stype={stype!r} asks for a sparse result"


@rule("dot", refuse=first_of(nonempty, _sparse_result, same_dtypes), heavy=True)
def dot(xp: Any, n: Node, a: Any, b: Any) -> Any:
    """The last axis of a (the first if transpose_a) times the first of b (the last if transpose_b); others are kept."""
    flip_a, flip_b = n.attrs.flag("transpose_a"), n.attrs.flag("transpose_b")
    inner = a.shape[0 if flip_a else -1]
    rest_a, rest_b = a.size // inner, b.size // inner
    a = xp.reshape(a, (inner, rest_a) if flip_a else (rest_a, inner))
    b = xp.reshape(b, (rest_b, inner) if flip_b else (inner, rest_b))
    return xp.reshape(xp.matmul(a, b, transpose_a=flip_a, transpose_b=flip_b), n.out.shape)


@rule("batch_dot", "_npx_batch_dot", refuse=first_of(nonempty, _sparse_result, same_dtypes), heavy=True)
def batch_dot(xp: Any, n: Node, a: Any, b: Any) -> Any:
    """A matrix product over the last two axes; the leading axes are equal."""
    return xp.matmul(a, b, transpose_a=n.attrs.flag("transpose_a"), transpose_b=n.attrs.flag("transpose_b"))


@rule("khatri_rao", refuse=first_of(nonempty, same_dtypes))
def khatri_rao(xp: Any, n: Node, *matrices: Any) -> Any:
    """Of matrices (M1, N), (M2, N), ... the products of all combinations of rows (M1 * M2 * ..., N)."""
    y = matrices[0]
    for x in matrices[1:]:
        y = xp.reshape(xp.expand_dims(y, 1) * xp.expand_dims(x, 0), (y.shape[0] * x.shape[0], y.shape[1]))
    return y
