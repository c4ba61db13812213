"""linalg_*: matrix products, and parts of square matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph.graph import Node
from ..common import first_of, same_dtypes
from ..extents import axis_of, nonempty
from ..registry import rule

_REFUSE = first_of(nonempty, same_dtypes)


def _product(xp: Any, n: Node, a: Any, b: Any, rows: int) -> Any:
    """alpha times the product of a and b, whose rows lie along axis `rows`; a result in the same layout."""
    a, b = (_swap(xp, v, rows) for v in (a, b))
    y = xp.matmul(a, b, transpose_a=n.attrs.flag("transpose_a"), transpose_b=n.attrs.flag("transpose_b"))
    return _scaled(xp, n, _swap(xp, y, rows))


def _swap(xp: Any, x: Any, rows: int) -> Any:
    order = list(range(x.ndim))
    order[rows], order[-2] = order[-2], order[rows]
    return xp.permute_dims(x, order)


def _scaled(xp: Any, n: Node, x: Any) -> Any:
    alpha = n.attrs.number("alpha", 1.0)
    return x if alpha == 1 else xp.multiply(x, alpha)


@rule("_linalg_gemm2", "linalg_gemm2", refuse=_REFUSE, heavy=True)
def gemm2(xp: Any, n: Node, a: Any, b: Any) -> Any:
    """alpha * a b, either transposed if asked to, over the last axis and the axis of the rows."""
    return _product(xp, n, a, b, axis_of(n, "axis", -2, a.ndim))


@rule("_linalg_gemm", "linalg_gemm", refuse=_REFUSE, heavy=True)
def gemm(xp: Any, n: Node, a: Any, b: Any, c: Any) -> Any:
    """alpha * a b + beta * c."""
    y, beta = _product(xp, n, a, b, axis_of(n, "axis", -2, a.ndim)), n.attrs.number("beta", 1.0)
    return xp.add(y, c if beta == 1 else xp.multiply(c, beta))


@rule("_linalg_syrk", "linalg_syrk", refuse=nonempty)
def syrk(xp: Any, n: Node, a: Any) -> Any:
    """alpha times a and its transpose, the transpose first if asked to."""
    first = n.attrs.flag("transpose")
    return _scaled(xp, n, xp.matmul(a, a, transpose_a=first, transpose_b=not first))


@rule("_linalg_trmm", "linalg_trmm", refuse=_REFUSE)
def trmm(xp: Any, n: Node, a: Any, b: Any) -> Any:
    """alpha times the triangle of a (the rest counts as 0), transposed if asked to, and b, in either order."""
    triangle = np.tri(a.shape[-1], dtype=bool)
    a = xp.where(xp.constant(triangle if n.attrs.flag("lower", True) else triangle.T), a, 0.0)
    flip = n.attrs.flag("transpose")
    right = n.attrs.flag("rightside")
    return _scaled(xp, n, xp.matmul(b, a, transpose_b=flip) if right else xp.matmul(a, b, transpose_a=flip))


def _picked(xp: Any, x: Any, places: np.ndarray) -> Any:
    """Elements at known places of the last two axes taken as one: a vector in their stead."""
    flat = xp.reshape(x, (*x.shape[:-2], x.shape[-2] * x.shape[-1]))
    return xp.take(flat, xp.constant(places.astype(np.int32)), flat.ndim - 1)


def _placed(xp: Any, n: Node, x: Any, places: np.ndarray) -> Any:
    """Square matrices with the vectors along the last axis of x at known places, zeros elsewhere."""
    source = np.full(n.out.shape[-2:], x.shape[-1], np.int32)
    source.reshape(-1)[places] = np.arange(x.shape[-1])
    padded = xp.pad(x, ((0, 0),) * (x.ndim - 1) + ((0, 1),))
    return xp.take(padded, xp.constant(source), x.ndim - 1)


def _diagonal(n: Node, side: int) -> np.ndarray:
    return np.flatnonzero(np.eye(side, k=n.attrs.integer("offset", 0)))


def _triangle(n: Node, side: int) -> np.ndarray:
    """The places of a triangle from diagonal `offset` outwards: a lower one by rows, an upper one by columns."""
    offset = n.attrs.integer("offset", 0)
    rows, columns = np.nonzero(np.tri(side, k=-abs(offset)))
    lower = offset < 0 or (offset == 0 and n.attrs.flag("lower", True))
    return rows * side + columns if lower else columns * side + rows


@rule("_linalg_sumlogdiag", "linalg_sumlogdiag", refuse=nonempty)
def sumlogdiag(xp: Any, n: Node, x: Any) -> Any:
    """The sum of the logarithms along the diagonal of each matrix."""
    return xp.reshape(xp.sum(xp.log(_picked(xp, x, _diagonal(n, x.shape[-1]))), (x.ndim - 2,), False), n.out.shape)


@rule("_linalg_extractdiag", "linalg_extractdiag", refuse=nonempty)
def extractdiag(xp: Any, n: Node, x: Any) -> Any:
    """Diagonal `offset` of each matrix."""
    return _picked(xp, x, _diagonal(n, x.shape[-1]))


@rule("_linalg_makediag", "linalg_makediag", refuse=nonempty)
def makediag(xp: Any, n: Node, x: Any) -> Any:
    """Square matrices with the vectors on diagonal `offset`, zeros elsewhere."""
    return _placed(xp, n, x, _diagonal(n, n.out.shape[-1]))


@rule("_linalg_extracttrian", "linalg_extracttrian", refuse=nonempty)
def extracttrian(xp: Any, n: Node, x: Any) -> Any:
    """The triangle of each matrix as a vector; MXNet reads an upper one by columns, its documentation by rows."""
    return _picked(xp, x, _triangle(n, x.shape[-1]))


@rule("_linalg_maketrian", "linalg_maketrian", refuse=nonempty)
def maketrian(xp: Any, n: Node, x: Any) -> Any:
    """Square matrices with the vectors as triangles, zeros elsewhere."""
    return _placed(xp, n, x, _triangle(n, n.out.shape[-1]))
