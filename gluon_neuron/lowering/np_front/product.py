"""Matrix products of mx.np: matmul, dot, tensordot, and polyval."""

from __future__ import annotations

from math import prod
from typing import Any

from ...graph.graph import Node
from ..common import first_of, same_dtypes
from ..extents import nonempty
from ..registry import FLOATS, NUMBERS, rule

_REFUSE = first_of(nonempty, same_dtypes)


@rule("_npi_matmul", dtypes=FLOATS, refuse=_REFUSE, heavy=True)
def matmul(xp: Any, n: Node, a: Any, b: Any) -> Any:
    """The product over the last two axes; a vector is a row on the left and a column on the right."""
    a = xp.reshape(a, (1, a.size)) if a.ndim == 1 else a
    b = xp.reshape(b, (b.size, 1)) if b.ndim == 1 else b
    return xp.reshape(xp.matmul(a, b), n.out.shape)


def contracted(xp: Any, a: Any, b: Any, over_a: tuple[int, ...], over_b: tuple[int, ...]) -> Any:
    """The sum of products over pairs of axes; the other axes of a, then those of b, are left."""
    rest_a = tuple(i for i in range(a.ndim) if i not in over_a)
    rest_b = tuple(i for i in range(b.ndim) if i not in over_b)
    shape = (*(a.shape[i] for i in rest_a), *(b.shape[i] for i in rest_b))
    inner = prod(a.shape[i] for i in over_a)
    left = xp.reshape(xp.permute_dims(a, (*rest_a, *over_a)), (a.size // inner, inner))
    right = xp.reshape(xp.permute_dims(b, (*over_b, *rest_b)), (inner, b.size // inner))
    return xp.reshape(xp.matmul(left, right), shape)


@rule("_np_dot", dtypes=FLOATS, refuse=_REFUSE, heavy=True)
def dot(xp: Any, n: Node, a: Any, b: Any) -> Any:
    """The last axis of a times the last but one (of a vector the only one) of b; a scalar multiplies."""
    if 0 in (a.ndim, b.ndim):
        return xp.multiply(a, b)
    return contracted(xp, a, b, (a.ndim - 1,), (max(b.ndim - 2, 0),))


@rule("_npi_tensordot", dtypes=FLOATS, refuse=_REFUSE)
def tensordot(xp: Any, n: Node, a: Any, b: Any) -> Any:
    """The sum of products over pairs of axes."""
    over_a = tuple(i % a.ndim for i in n.attrs.ints("a_axes_summed"))
    over_b = tuple(i % b.ndim for i in n.attrs.ints("b_axes_summed"))
    return contracted(xp, a, b, over_a, over_b)


@rule("_npi_tensordot_int_axes", dtypes=FLOATS, refuse=_REFUSE)
def tensordot_int_axes(xp: Any, n: Node, a: Any, b: Any) -> Any:
    """The sum of products over the last axes of a and the first of b."""
    count = n.attrs.integer("axes")
    return contracted(xp, a, b, tuple(range(a.ndim - count, a.ndim)), tuple(range(count)))


@rule("_npi_polyval", dtypes=NUMBERS, refuse=_REFUSE)
def polyval(xp: Any, n: Node, p: Any, x: Any) -> Any:
    """The polynomial with coefficients p, the highest power first, at every x."""
    total = xp.broadcast_to(xp.reshape(p[0], (1,) * x.ndim), x.shape)
    for i in range(1, p.size):
        total = xp.add(xp.multiply(total, x), p[i])
    return total
