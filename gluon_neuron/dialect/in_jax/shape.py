"""Shape, indexing and product functions in jax."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import numpy as np

from .elementwise import broadcast_to


def slice_(lax: Any, x: Any, slices: tuple[tuple[int, int, int], ...]) -> Any:
    """A negative step is a slice and a reversal."""
    starts, stops, steps, back = [], [], [], []
    for axis, (start, stop, step) in enumerate(slices):
        count = len(range(start, stop, step))
        if step < 0 and count:
            start, stop = start + (count - 1) * step, start + 1
            back.append(axis)
        starts.append(start)
        stops.append(max(stop, start))
        steps.append(abs(step))
    plain = all(step == 1 for step in steps)
    x = lax.slice(x, starts, stops, None if plain else steps)
    return lax.rev(x, back) if back else x


def pad(lax: Any, x: Any, pads: tuple, mode: str, value: Any) -> Any:
    """Constant pads by lax; the others are slices put together, axis by axis."""
    if mode == "constant":
        return lax.pad(x, np.asarray(value, x.dtype), [(low, high, 0) for low, high in pads])
    for axis, (low, high) in enumerate(pads):
        size = x.shape[axis]
        parts = [x]
        if low:
            parts.insert(0, _border(lax, x, axis, (0, 1) if mode == "edge" else (1, low + 1), low))
        if high:
            stop = size if mode == "edge" else size - 1
            parts.append(_border(lax, x, axis, (stop - (1 if mode == "edge" else high), stop), high))
        x = lax.concatenate(parts, axis) if len(parts) > 1 else x
    return x


def _border(lax: Any, x: Any, axis: int, cut: tuple[int, int], size: int) -> Any:
    """What is put before or behind an axis: one line repeated, or the lines of `cut` in reverse."""
    lines = lax.slice_in_dim(x, *cut, axis=axis)
    if lines.shape[axis] == size:
        return lax.rev(lines, (axis,)) if size > 1 else lines
    return broadcast_to(lax, lines, (*x.shape[:axis], size, *x.shape[axis + 1 :]))


def _gather(lax: Any, x: Any, indices: Any, sizes: tuple, offsets: tuple, axes: tuple) -> Any:
    """Slices of x of `sizes` at index tuples into `axes`, which are dropped. Rules keep indices in range."""
    numbers = lax.GatherDimensionNumbers(offset_dims=offsets, collapsed_slice_dims=axes, start_index_map=axes)
    mode = lax.GatherScatterMode.PROMISE_IN_BOUNDS
    return lax.gather(x, indices, numbers, sizes, mode=mode)


def take(lax: Any, x: Any, indices: Any, axis: int) -> Any:
    """Lines along one axis."""
    sizes = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    offsets = (*range(axis), *range(axis + indices.ndim, x.ndim - 1 + indices.ndim))
    return _gather(lax, x, lax.reshape(indices, (*indices.shape, 1)), sizes, offsets, (axis,))


def take_along_axis(lax: Any, x: Any, indices: Any, axis: int) -> Any:
    """As one gather from the flat array: positions in it are counted here."""
    after = prod(x.shape[axis + 1 :])
    places = lax.mul(indices, np.full(indices.shape, after, np.int32)) if after != 1 else indices
    for k, size in enumerate(x.shape):
        step = prod(x.shape[k + 1 :])
        if k != axis and size > 1:
            line = (np.arange(size) * step).astype(np.int32).reshape([size if a == k else 1 for a in range(x.ndim)])
            places = lax.add(places, broadcast_to(lax, line, indices.shape))
    return _gather(lax, lax.reshape(x, (x.size,)), lax.reshape(places, (*indices.shape, 1)), (1,), (), (0,))


def gather_nd(lax: Any, x: Any, indices: Any) -> Any:
    """Slices at index tuples."""
    count = indices.shape[-1]
    first = indices.ndim - 1
    offsets = tuple(range(first, first + x.ndim - count))
    return _gather(lax, x, indices, (1,) * count + x.shape[count:], offsets, tuple(range(count)))


def scatter(lax: Any, x: Any, indices: Any, rows: Any) -> Any:
    """Rows replaced."""
    numbers = lax.ScatterDimensionNumbers(
        update_window_dims=tuple(range(1, x.ndim)), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,)
    )
    mode = lax.GatherScatterMode.PROMISE_IN_BOUNDS
    return lax.scatter(x, lax.reshape(indices, (*indices.shape, 1)), rows, numbers, mode=mode)


def matmul(lax: Any, a: Any, b: Any, transpose_a: bool, transpose_b: bool) -> Any:
    """Batched product, without a transposition of either operand."""
    inner = a.ndim - (2 if transpose_a else 1), b.ndim - (1 if transpose_b else 2)
    if b.ndim == 2 and not (transpose_a and a.ndim > 2):
        return lax.dot_general(a, b, (((inner[0],), (inner[1],)), ((), ())))
    shape = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    left = broadcast_to(lax, a, (*shape, *a.shape[-2:]))
    right = broadcast_to(lax, b, (*shape, *b.shape[-2:]))
    batch = tuple(range(len(shape)))
    inner = left.ndim - (2 if transpose_a else 1), right.ndim - (1 if transpose_b else 2)
    return lax.dot_general(left, right, (((inner[0],), (inner[1],)), (batch, batch)))


KERNELS: Mapping[str, Callable[..., Any]] = {
    "reshape": lambda lax, x, shape: lax.reshape(x, shape),
    "permute_dims": lambda lax, x, axes: lax.transpose(x, axes),
    "broadcast_to": broadcast_to,
    "concat": lambda lax, *a: lax.concatenate(a[:-1], a[-1]),
    "slice": slice_,
    "pad": pad,
    "take": take,
    "take_along_axis": take_along_axis,
    "gather_nd": gather_nd,
    "scatter": scatter,
    "matmul": matmul,
}
