"""Determinants, inverses and solutions of small matrices by Gauss-Jordan elimination with partial pivoting, unrolled.

Golub and Van Loan, "Matrix Computations", 3.4. Rows stay where they are: which one was a column's pivot is noted
instead. A singular matrix, for which MXNet raises an error in an inverse or a solution, gives infinities or NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...graph.graph import Node
from ..common import first_of, same_dtypes
from ..extents import nonempty
from ..registry import rule

WIDEST = 32
"""The widest matrix whose steps are unrolled; each step is a dozen operations."""
SINGLES = frozenset(("float32", "float64"))


def side_limit(n: Node) -> str | None:
    """Refuse matrices wider than 32, whose steps are too many to be unrolled."""
    side = n.in_spec(0).shape[-1]
    if n.op == "_npi_tensorinv":
        side = int(np.prod(n.in_spec(0).shape[: n.attrs.integer("ind", 2)]))
    elif n.op == "_npi_tensorsolve":
        side = n.in_spec(1).size
    return None if side <= WIDEST else f"its matrix is {side} wide; up to {WIDEST} the factorisation is unrolled"


@dataclass(frozen=True)
class _Eliminated:
    """Of matrices (B, n, n): the pivots (B, n), the row (B, n) that had each column's, and what became of b."""

    pivots: Any
    places: Any
    b: Any


def _eliminate(xp: Any, a: Any, b: Any = None) -> _Eliminated:
    """Bring a (B, n, n) to one 1 in each column; b (B, n, m) follows. Without b, a column of zeros is passed over."""
    side = a.shape[1]
    rows = xp.constant(np.arange(side, dtype=np.int32)[None])
    left = a if b is None else xp.concat([a, b], 2)
    free: Any = xp.full((1, side), True, xp.bool)
    pivots, places = [], []
    for _ in range(side):
        column = left[:, :, 0:1]
        size = xp.where(free, xp.abs(xp.squeeze(column, 2)), -1.0)
        place = xp.expand_dims(xp.argmax(size, 1), 1)
        here = xp.equal(rows, place)
        free = xp.logical_and(free, xp.logical_not(here))
        mask = xp.expand_dims(here, 2)
        row = xp.sum(xp.where(mask, left, 0.0), (1,), True)
        pivot = row[:, :, 0:1]
        pivots.append(pivot[:, 0])
        places.append(place)
        if b is None:
            pivot = xp.where(xp.equal(pivot, 0.0), 1.0, pivot)
        if left.shape[2] > 1:
            # The columns before are ones and zeros by now, and nobody looks at them.
            row = xp.divide(row[:, :, 1:], pivot)
            rest = left[:, :, 1:]
            left = xp.where(mask, row, rest - column * row)
    return _Eliminated(xp.concat(pivots, 1), xp.concat(places, 1), left)


def _solution(xp: Any, a: Any, b: Any) -> Any:
    """x (B, n, m) with a x = b."""
    done = _eliminate(xp, a, b)
    return xp.take_along_axis(done.b, xp.broadcast_to(xp.expand_dims(done.places, 2), b.shape), 1)


def matrices(xp: Any, x: Any) -> Any:
    """Matrices along one leading axis."""
    return xp.reshape(x, (x.size // (x.shape[-1] * x.shape[-2]), *x.shape[-2:]))


def identity(xp: Any, like: Any) -> Any:
    """An identity matrix for each matrix of `like` (B, n, n)."""
    return xp.constant(np.broadcast_to(np.eye(like.shape[1]), like.shape), like.dtype)


def _sign(xp: Any, places: Any, dtype: str) -> Any:
    """1 or -1 (B,): whether an even number of exchanges makes the permutations (B, n)."""
    later = xp.constant(np.triu(np.ones((places.shape[1],) * 2, bool), 1))
    swapped = xp.logical_and(xp.greater(xp.expand_dims(places, 2), xp.expand_dims(places, 1)), later)
    count = xp.sum(xp.astype(swapped, dtype), (1, 2))
    return xp.subtract(1.0, xp.multiply(xp.subtract(count, xp.multiply(xp.floor(count * 0.5), 2.0)), 2.0))


_SQUARE = first_of(nonempty, side_limit)
_SOLVE = first_of(nonempty, same_dtypes, side_limit)


@rule("_linalg_det", "linalg_det", "_npi_det", dtypes=SINGLES, refuse=_SQUARE)
def det(xp: Any, n: Node, a: Any) -> Any:
    """The determinant of each matrix: the product of the pivots, and the sign of their order."""
    done = _eliminate(xp, matrices(xp, a))
    return xp.reshape(xp.prod(done.pivots, (1,)) * _sign(xp, done.places, a.dtype), n.out.shape)


@rule("_linalg_slogdet", "linalg_slogdet", "_npi_slogdet", dtypes=SINGLES, refuse=_SQUARE)
def slogdet(xp: Any, n: Node, a: Any) -> tuple[Any, Any]:
    """The determinant's sign, and the logarithm of its magnitude."""
    done = _eliminate(xp, matrices(xp, a))
    sign = xp.prod(xp.sign(done.pivots), (1,)) * _sign(xp, done.places, a.dtype)
    size = xp.sum(xp.log(xp.abs(done.pivots)), (1,))
    return xp.reshape(sign, n.out.shape), xp.reshape(size, n.out.shape)


@rule("_linalg_inverse", "linalg_inverse", "_npi_inv", dtypes=SINGLES, refuse=_SQUARE)
def inverse(xp: Any, n: Node, a: Any) -> Any:
    """The inverse of each matrix."""
    a = matrices(xp, a)
    return xp.reshape(_solution(xp, a, identity(xp, a)), n.out.shape)


@rule("_npi_solve", dtypes=SINGLES, refuse=_SOLVE)
def solve(xp: Any, n: Node, a: Any, b: Any) -> Any:
    """x with a x = b, for vectors or matrices b."""
    a = matrices(xp, a)
    return xp.reshape(_solution(xp, a, xp.reshape(b, (*a.shape[:2], b.size // (a.shape[0] * a.shape[1])))), n.out.shape)


@rule("_npi_tensorinv", dtypes=SINGLES, refuse=_SQUARE)
def tensorinv(xp: Any, n: Node, a: Any) -> Any:
    """The inverse of a, taken as a matrix of its first `ind` axes by the others."""
    side = int(np.prod(a.shape[: n.attrs.integer("ind", 2)]))
    a = xp.reshape(a, (1, side, side))
    return xp.reshape(_solution(xp, a, identity(xp, a)), n.out.shape)


@rule("_npi_tensorsolve", dtypes=SINGLES, refuse=_SOLVE)
def tensorsolve(xp: Any, n: Node, a: Any, b: Any) -> Any:
    """x with a x = b, the product running over all axes of x; a_axes go to the end of a first."""
    moved = tuple(axis % a.ndim for axis in n.attrs.ints("a_axes", ()))
    a = xp.permute_dims(a, (*(axis for axis in range(a.ndim) if axis not in moved), *moved))
    solution = _solution(xp, xp.reshape(a, (1, b.size, b.size)), xp.reshape(b, (1, b.size, 1)))
    return xp.reshape(solution, n.out.shape)
