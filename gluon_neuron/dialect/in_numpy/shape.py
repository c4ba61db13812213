"""Shape, indexing, reduction, order and product functions in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...errors import DialectError


def slice_(x: np.ndarray, slices: tuple[tuple[int, int, int], ...]) -> np.ndarray:
    """One (start, stop, step) per axis, as `slice.indices` gives them: stop -1 means down to the first element."""
    return x[tuple(slice(a, None if b < 0 else b, c) for a, b, c in slices)]


def pad(x: np.ndarray, pads: tuple, mode: str, value: Any) -> np.ndarray:
    """Widen each axis."""
    options: dict[str, Any] = {"constant_values": value} if mode == "constant" else {}
    return np.pad(x, pads, mode, **options)  # type: ignore[call-overload]


def _in_range(name: str, indices: np.ndarray, size: int) -> np.ndarray:
    # NumPy would wrap negative indices; the other libraries read anything, so the reference is strict.
    if indices.size and not (indices.min() >= 0 and indices.max() < size):
        raise DialectError(f"{name}(): indices {indices.min()}..{indices.max()} exceed 0..{size - 1}.")
    return indices


def take(x: np.ndarray, indices: np.ndarray, axis: int) -> np.ndarray:
    """Elements along an axis."""
    return np.take(x, _in_range("take", indices, x.shape[axis]), axis)


def take_along_axis(x: np.ndarray, indices: np.ndarray, axis: int) -> np.ndarray:
    """Elements along an axis, each line with indices of its own."""
    return np.take_along_axis(x, _in_range("take_along_axis", indices, x.shape[axis]), axis)


def gather_nd(x: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Elements at index tuples."""
    columns = np.moveaxis(indices, -1, 0)
    return x[tuple(_in_range("gather_nd", c, n) for c, n in zip(columns, x.shape, strict=False))]


def scatter(x: np.ndarray, indices: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rows replaced; of several for one position the last stays."""
    y = x.copy()
    y[_in_range("scatter", indices, len(x))] = rows
    return y


def accumulate(fn: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """A reduction that accumulates float32 in float64, and integers in their own dtype."""

    def reduction(x: np.ndarray, axes: tuple[int, ...], keepdims: bool) -> np.ndarray:
        return fn(x, axis=axes, keepdims=keepdims, dtype=np.float64 if x.dtype.kind == "f" else x.dtype)

    return reduction


def cumsum(x: np.ndarray, axis: int) -> np.ndarray:
    """Accumulates float32 in float64, and integers in their own dtype."""
    return np.cumsum(x, axis, dtype=np.float64 if x.dtype.kind == "f" else x.dtype)


def argsort(x: np.ndarray, axis: int, descending: bool) -> np.ndarray:
    """Stable in both directions."""
    if not descending:
        return np.argsort(x, axis, kind="stable")
    backwards = np.argsort(np.flip(x, axis), axis, kind="stable")
    return x.shape[axis] - 1 - np.flip(backwards, axis)


def top_k(x: np.ndarray, k: int, axis: int, largest: bool) -> tuple[np.ndarray, np.ndarray]:
    """Values in order, and their positions."""
    positions = np.take(argsort(x, axis, largest), np.arange(k), axis)
    return np.take_along_axis(x, positions, axis), positions


def matmul(a: np.ndarray, b: np.ndarray, transpose_a: bool, transpose_b: bool) -> np.ndarray:
    """Batched product."""
    return np.matmul(np.swapaxes(a, -1, -2) if transpose_a else a, np.swapaxes(b, -1, -2) if transpose_b else b)


KERNELS: Mapping[str, Callable[..., Any]] = {
    "reshape": np.reshape,
    "permute_dims": np.transpose,
    "broadcast_to": np.broadcast_to,
    "concat": lambda *a: np.concatenate(a[:-1], axis=a[-1]),
    "slice": slice_,
    "pad": pad,
    "take": take,
    "take_along_axis": take_along_axis,
    "gather_nd": gather_nd,
    "scatter": scatter,
    "sum": accumulate(np.sum),
    "mean": accumulate(np.mean),
    "prod": accumulate(np.prod),
    "max": lambda x, axes, keepdims: x.max(axes, keepdims=keepdims),
    "min": lambda x, axes, keepdims: x.min(axes, keepdims=keepdims),
    "cumsum": cumsum,
    "argmax": np.argmax,
    "argmin": np.argmin,
    "argsort": argsort,
    "top_k": top_k,
    "matmul": matmul,
    "exact_matmul": matmul,
}
