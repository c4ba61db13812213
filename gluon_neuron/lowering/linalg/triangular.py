"""Cholesky factors of small matrices, and equations with triangular ones by substitution, unrolled.

Golub and Van Loan, "Matrix Computations", 4.2 and 3.1. A matrix that is not positive definite, for which MXNet raises
an error, gives NaN.
"""

from __future__ import annotations

from typing import Any

from ...graph.graph import Node
from ..common import first_of, same_dtypes
from ..extents import nonempty
from ..registry import rule
from .elimination import SINGLES, identity, matrices, side_limit

_SQUARE = first_of(nonempty, side_limit)


def _turned(xp: Any, x: Any) -> Any:
    return xp.permute_dims(x, (0, 2, 1))


@rule("_linalg_potrf", "linalg_potrf", "_npi_cholesky", dtypes=SINGLES, refuse=_SQUARE)
def potrf(xp: Any, n: Node, a: Any) -> Any:
    """The triangle whose product with its transpose is a; only the triangle of a on the same side is read."""
    lower = n.attrs.flag("lower", True)
    left = matrices(xp, a) if lower else _turned(xp, matrices(xp, a))
    columns = []
    for k in range(left.shape[1]):
        column = xp.divide(left[:, :, 0:1], xp.sqrt(left[:, 0:1, 0:1]))
        columns.append(xp.pad(column, ((0, 0), (k, 0), (0, 0))))
        below = column[:, 1:]
        if below.size:
            left = left[:, 1:, 1:] - below * _turned(xp, below)
    factor = xp.concat(columns, 2)
    return xp.reshape(factor if lower else _turned(xp, factor), n.out.shape)


def _substituted(xp: Any, a: Any, b: Any, lower: bool) -> Any:
    """x (B, n, m) with a x = b, where a (B, n, n) counts as triangular."""
    if not lower:
        # Turned upside down an upper triangle is a lower one.
        return xp.flip(_substituted(xp, xp.flip(a, (1, 2)), xp.flip(b, (1,)), True), (1,))
    rows = []
    for k in range(a.shape[1]):
        row = xp.divide(b[:, 0:1], a[:, k : k + 1, k : k + 1])
        rows.append(row)
        if k + 1 < a.shape[1]:
            b = b[:, 1:] - a[:, k + 1 :, k : k + 1] * row
    return xp.concat(rows, 1)


@rule("_linalg_trsm", "linalg_trsm", dtypes=SINGLES, refuse=first_of(nonempty, same_dtypes, side_limit))
def trsm(xp: Any, n: Node, a: Any, b: Any) -> Any:
    """x with a x = alpha * b, or x a = alpha * b (rightside), of a triangle of a, transposed if asked to."""
    lower, transpose = n.attrs.flag("lower", True), n.attrs.flag("transpose")
    right, alpha = n.attrs.flag("rightside"), n.attrs.number("alpha", 1.0)
    a, b = matrices(xp, a), matrices(xp, b)
    b = b if alpha == 1 else b * alpha
    # x a = b is the transposed equation of transposed matrices.
    if transpose != right:
        a, lower = _turned(xp, a), not lower
    found = _substituted(xp, a, _turned(xp, b) if right else b, lower)
    return xp.reshape(_turned(xp, found) if right else found, n.out.shape)


@rule("_linalg_potri", "linalg_potri", dtypes=SINGLES, refuse=_SQUARE)
def potri(xp: Any, n: Node, a: Any) -> Any:
    """The inverse of the matrix whose Cholesky factor is the triangle of a."""
    lower = n.attrs.flag("lower", True)
    a = matrices(xp, a)
    inverse = _substituted(xp, a, identity(xp, a), lower)
    return xp.reshape(xp.matmul(inverse, inverse, transpose_a=lower, transpose_b=not lower), n.out.shape)
