"""Constants of mx.np: full_like, identity, indices, windows and logarithmic ranges."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...graph.graph import Node
from ..extents import nonempty
from ..registry import ANY, FLOATS, NUMBERS, rule


@rule("_npi_full_like", dtypes=ANY, refuse=nonempty, source=True)
def full_like(xp: Any, n: Node, like: Any) -> Any:
    """One value everywhere, in the shape of the input."""
    return xp.constant(np.full(n.out.shape, n.attrs.number("fill_value")), n.out.dtype)


@rule("_npi_identity", dtypes=ANY, refuse=nonempty, source=True)
def identity(xp: Any, n: Node) -> Any:
    """Ones on the diagonal of a square, zeros elsewhere."""
    return xp.constant(np.eye(n.out.shape[0]), n.out.dtype)


@rule("_npi_indices", dtypes=NUMBERS, refuse=nonempty, source=True)
def indices(xp: Any, n: Node) -> Any:
    """For each axis of a grid the position along it."""
    return xp.constant(np.indices(n.attrs.ints("dimensions")), n.out.dtype)


@rule("_npi_diag_indices_from", dtypes=NUMBERS, refuse=nonempty, source=True)
def diag_indices_from(xp: Any, n: Node, like: Any) -> Any:
    """The positions of the diagonal of an array whose axes are equally long."""
    return xp.constant(np.broadcast_to(np.arange(n.out.shape[1]), n.out.shape), n.out.dtype)


# The coefficients of 1, cos(t) and cos(2 t) for t from 0 to 2 pi.
WINDOWS = {"hanning": (0.5, -0.5, 0.0), "hamming": (0.54, -0.46, 0.0), "blackman": (0.42, -0.5, 0.08)}


def _window(name: str) -> None:
    flat, once, twice = WINDOWS[name]

    @rule(f"_npi_{name}", dtypes=FLOATS, refuse=nonempty, source=True)
    def build(xp: Any, n: Node) -> Any:
        size = n.out.size
        # MXNet has the angles in float32 and adds the terms in the dtype of the result: the ends are not quite 0.
        kind = np.dtype("float32" if n.out.dtype == "bfloat16" else n.out.dtype).type
        turns = np.float32(2 * math.pi) * np.arange(size, dtype=np.float32)
        angle = (turns / np.float32(max(size - 1, 1))).astype(np.float64)
        values = kind(flat) + kind(once) * np.cos(angle).astype(kind) + kind(twice) * np.cos(2 * angle).astype(kind)
        return xp.constant(values if size > 1 else np.ones(1), n.out.dtype)


for _name in WINDOWS:
    _window(_name)


@rule("_npi_logspace", dtypes=FLOATS, refuse=nonempty, source=True)
def logspace(xp: Any, n: Node) -> Any:
    """Powers of a base whose exponents are evenly spaced."""
    ends, num = (n.attrs.number("start"), n.attrs.number("stop")), n.attrs.integer("num")
    exponents = np.linspace(*ends, num, endpoint=n.attrs.flag("endpoint", True))
    return xp.constant(n.attrs.number("base", 10.0) ** exponents, n.out.dtype)
