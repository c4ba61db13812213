"""Operators whose result depends on shapes and attributes only: constants, ranges, identity matrices, shapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph.graph import Node
from .extents import axes_of, axis_of, nonempty
from .registry import ANY, NUMBERS, rule


def _filled(xp: Any, n: Node, value: float) -> Any:
    # The value is converted as C does: truncated, and wrapped into the range of an unsigned type.
    return xp.constant(np.full(n.out.shape, value), n.out.dtype)


@rule("zeros_like", dtypes=ANY, refuse=nonempty, moves=True, source=True)
@rule("_zeros", "_zeros_without_dtype", "_npi_zeros", dtypes=ANY, refuse=nonempty, source=True)
def zeros(xp: Any, n: Node, like: Any = None) -> Any:
    """Zeros of a given shape, or of the shape and dtype of the input."""
    return _filled(xp, n, 0)


@rule("ones_like", dtypes=ANY, refuse=nonempty, moves=True, source=True)
@rule("_ones", "_npi_ones", dtypes=ANY, refuse=nonempty, source=True)
def ones(xp: Any, n: Node, like: Any = None) -> Any:
    """Ones of a given shape, or of the shape and dtype of the input."""
    return _filled(xp, n, 1)


@rule("_full", "_npi_full", dtypes=ANY, refuse=nonempty, source=True)
def full(xp: Any, n: Node) -> Any:
    """One value everywhere."""
    return _filled(xp, n, n.attrs.number("value"))


def _ramp(xp: Any, n: Node, start: float, step: float) -> Any:
    """start + (i // repeat) * step, computed in the output's dtype; integers lose the fraction of both first."""
    dtype = np.dtype("float32" if n.out.dtype == "bfloat16" else n.out.dtype)
    count = np.arange(n.out.size) // n.attrs.integer("repeat", 1)
    # MXNet cuts the fractions off for float16 too.
    first, by = (np.asarray(int(v) if n.out.dtype == "float16" else v).astype(dtype) for v in (start, step))
    values = first + count.astype(dtype) * by
    return xp.constant(values.astype(dtype).reshape(n.out.shape), n.out.dtype)


@rule("_arange", "_npi_arange", dtypes=NUMBERS, refuse=nonempty, source=True)
def arange(xp: Any, n: Node) -> Any:
    """start, start + step, ... below stop; start is the stop when stop is missing."""
    bare = not n.attrs.has("stop") and not n.attrs.flag("infer_range")
    return _ramp(xp, n, 0.0 if bare else n.attrs.number("start", 0.0), n.attrs.number("step", 1.0))


@rule("_contrib_arange_like", "_npx_arange_like", dtypes=NUMBERS, refuse=nonempty, source=True)
def arange_like(xp: Any, n: Node, like: Any) -> Any:
    """A range as long as one axis of the input, or in the shape of the whole input."""
    return _ramp(xp, n, n.attrs.number("start", 0.0), n.attrs.number("step", 1.0))


@rule("_linspace", "_npi_linspace", dtypes=NUMBERS, refuse=nonempty, source=True)
def linspace(xp: Any, n: Node) -> Any:
    """`num` evenly spaced values from start to stop."""
    start, stop, num = n.attrs.number("start"), n.attrs.number("stop"), n.attrs.integer("num")
    intervals = num - 1 if n.attrs.flag("endpoint", True) else num
    step = (stop - start) / intervals if intervals > 0 else 0.0
    return xp.constant(start + step * np.arange(num), n.out.dtype)


@rule("_eye", "_npi_eye", dtypes=NUMBERS, refuse=nonempty, source=True)
def eye(xp: Any, n: Node) -> Any:
    """Ones on diagonal k, zeros elsewhere."""
    rows, columns = n.out.shape
    return xp.constant(np.eye(rows, columns, n.attrs.integer("k", 0)), n.out.dtype)


def matrix_of(xp: Any, x: Any, k: int) -> Any:
    """The square matrix with the vector x on diagonal k."""
    side = x.size + abs(k)
    places = np.full((side, side), x.size)
    i = np.arange(x.size)
    places[i + max(-k, 0), i + max(k, 0)] = i
    padded = xp.concat([x, xp.constant(np.zeros(1), x.dtype)], 0)
    return xp.take(padded, xp.constant(places, xp.int32), 0)


def diagonal_of(xp: Any, x: Any, k: int, a: int, b: int) -> Any:
    """Diagonal k of the axes a and b, which must not be empty, as a new last axis."""
    rest = [i for i in range(x.ndim) if i not in (a, b)]
    x = xp.permute_dims(x, (*rest, a, b))
    rows, columns = x.shape[-2:]
    flat = xp.reshape(x, (*x.shape[:-2], rows * columns))
    i = np.arange(min(rows - max(-k, 0), columns - max(k, 0)))
    places = (i + max(-k, 0)) * columns + i + max(k, 0)
    return xp.take(flat, xp.constant(places, xp.int32), flat.ndim - 1)


@rule("diag", "_np_diag", dtypes=ANY, refuse=nonempty)
def diag(xp: Any, n: Node, x: Any) -> Any:
    """A vector to a matrix with it on diagonal k; otherwise the diagonal of two axes, as a new last axis."""
    k = n.attrs.integer("k", 0)
    if x.ndim == 1:
        return matrix_of(xp, x, k)
    return diagonal_of(xp, x, k, axis_of(n, "axis1", 0, x.ndim), axis_of(n, "axis2", 1, x.ndim))


@rule("shape_array", "_npx_shape_array", dtypes=ANY, refuse=nonempty, source=True)
def shape_array(xp: Any, n: Node, x: Any) -> Any:
    """The input's shape, known while building."""
    return xp.constant(np.array(x.shape), n.out.dtype)


@rule("_contrib_index_array", dtypes=ANY, refuse=nonempty, source=True)
def index_array(xp: Any, n: Node, x: Any) -> Any:
    """For every element its positions along some axes, or all, as a new last axis; known while building."""
    axes = axes_of(n, "axes", x.ndim) if n.attrs.has("axes") else range(x.ndim)
    return xp.constant(np.stack([np.indices(x.shape)[a] for a in axes], -1), n.out.dtype)


@rule("size_array", dtypes=ANY, refuse=nonempty, source=True)
def size_array(xp: Any, n: Node, x: Any) -> Any:
    """The input's number of elements, known while building."""
    return xp.constant(np.array([x.size]), n.out.dtype)
