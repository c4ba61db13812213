"""Strategies of matrix factorisations and equations: determinants, inverses, Cholesky factors, triangles."""

from __future__ import annotations

import numpy as np

from .case import OMIT, Case, Draw, Strategy

_MOST = ("float32", "float32", "float64")


def _front(d: Draw) -> tuple[int, ...]:
    return tuple(d.integer(1, 3) for _ in range(d.integer(0, 2)))


def _regular(d: Draw, front: tuple[int, ...], side: int, dtype: str) -> np.ndarray:
    """Matrices far from singular, with their rows in any order and signs: what is solved has few digits to lose."""
    random = np.random.RandomState(d.integer(0, 9999))
    x = random.uniform(-0.5, 0.5, (*front, side, side)) / side + np.eye(side)
    return np.asarray((x * random.choice([-2, 1], (side, 1)))[..., random.permutation(side), :]).astype(dtype)


def determinant(d: Draw) -> Case:
    outputs = d.pick((0, 1), (0,), (1,)) if "slog" in d.op else (0,)
    return Case([_regular(d, _front(d), d.integer(1, 5), d.pick(*_MOST))], d.attrs(), outputs)


def _positive(d: Draw, dtype: str) -> np.ndarray:
    side = d.integer(1, 5)
    x = _regular(d, _front(d), side, "float64")
    return np.asarray(x @ x.swapaxes(-1, -2)).astype(dtype)


def _triangle(d: Draw, front: tuple[int, ...], side: int, dtype: str) -> np.ndarray:
    """A diagonal that leads on both sides, of which the operator takes one."""
    random = np.random.RandomState(d.integer(0, 9999))
    x = random.uniform(-0.5, 0.5, (*front, side, side)) + 2 * np.eye(side) * random.choice([-1, 1], side)
    return np.asarray(x).astype(dtype)


def cholesky(d: Draw) -> Case:
    """`lower` is read, though MXNet documents it for one of the names only."""
    return Case([_positive(d, d.pick(*_MOST))], d.pick({}, {"lower": True}, {"lower": False}))


def potri(d: Draw) -> Case:
    x = _triangle(d, _front(d), d.integer(1, 5), d.pick(*_MOST))
    return Case([x], d.pick({}, {"lower": True}, {"lower": False}))


def trsm(d: Draw) -> Case:
    front, side, other = _front(d), d.integer(1, 5), d.integer(1, 4)
    right, dtype = d.flag(), d.pick(*_MOST)
    b = (*front, other, side) if right else (*front, side, other)
    given = {"rightside": right, "alpha": d.pick(OMIT, 0.5, -2)}
    return Case([_triangle(d, front, side, dtype), d.array(b, dtype)], d.attrs(**given))


def solve(d: Draw) -> Case:
    front, side, dtype = _front(d), d.integer(1, 5), d.pick(*_MOST)
    b = (side,) if not front and d.flag() else (*front, side, d.integer(1, 4))
    return Case([_regular(d, front, side, dtype), d.array(b, dtype)], d.attrs())


def _factored(d: Draw) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """Two shapes of as many elements, and how many."""
    side = d.pick(4, 1, 2, 6)
    shapes = []
    for _ in range(2):
        first = d.pick(*(f for f in range(1, side + 1) if side % f == 0))
        shapes.append(d.pick((side,), (first, side // first)))
    return shapes[0], shapes[1], side


def tensorinv(d: Draw) -> Case:
    rows, columns, side = _factored(d)
    x = _regular(d, (), side, d.pick(*_MOST)).reshape(*rows, *columns)
    return Case([x], d.attrs(ind=d.pick(OMIT, 2) if len(rows) == 2 else len(rows)))


def tensorsolve(d: Draw) -> Case:
    rows, columns, side = _factored(d)
    dtype = d.pick(*_MOST)
    a = _regular(d, (), side, dtype).reshape(*rows, *columns)
    axes: object = OMIT
    if d.flag():
        # The axes of the unknown may stand first.
        a = np.ascontiguousarray(a.transpose(*range(len(rows), a.ndim), *range(len(rows))))
        axes = tuple(range(len(columns)))
    return Case([a, d.array(rows, dtype)], d.attrs(a_axes=axes))


_LINALG = {
    "det": determinant,
    "slogdet": determinant,
    "inverse": determinant,
    "potrf": cholesky,
    "potri": potri,
    "trsm": trsm,
}
STRATEGIES: dict[str, Strategy] = {
    **{f"{front}linalg_{op}": strategy for op, strategy in _LINALG.items() for front in ("", "_")},
    **{f"_npi_{op}": determinant for op in ("det", "slogdet", "inv")},
    "_npi_cholesky": cholesky,
    "_npi_solve": solve,
    "_npi_tensorinv": tensorinv,
    "_npi_tensorsolve": tensorsolve,
}
