"""Cuts, joins and pads arrays of mx.nd along an axis, those of truth values too, of which MXNet cuts and joins none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import mxnet as mx
import numpy as np


def cut(array: mx.nd.NDArray, axis: int, start: int, end: int) -> mx.nd.NDArray:
    """The part from `start` up to `end`; along the first axis a view, no copy."""
    if axis == 0:
        return array[start:end]
    if array.dtype is np.bool_:
        return cut(array.astype("uint8"), axis, start, end).astype("bool")
    return mx.nd.slice_axis(array, axis=axis, begin=start, end=end)


def joined(arrays: Sequence[mx.nd.NDArray], axis: int) -> mx.nd.NDArray:
    """The arrays one behind the other."""
    if arrays[0].dtype is np.bool_:
        return joined([a.astype("uint8") for a in arrays], axis).astype("bool")
    return mx.nd.concat(*arrays, dim=axis)


def padded(array: mx.nd.NDArray, axis: int, extent: int, value: float | None) -> mx.nd.NDArray:
    """The array with `value`, or its own last step (None), behind it up to the extent."""
    return array if array.shape[axis] == extent else _as_numbers(array, lambda a: _padded(a, axis, extent, value))


def _padded(array: mx.nd.NDArray, axis: int, extent: int, value: float | None) -> mx.nd.NDArray:
    there = array.shape[axis]
    if value is None:
        last = cut(array, axis, there - 1, there)
        more = mx.nd.broadcast_axis(last, axis=axis, size=extent - there)
    else:
        shape = tuple(extent - there if k == axis else n for k, n in enumerate(array.shape))
        more = mx.nd.full(shape, value, ctx=array.ctx, dtype=array.dtype)
    return mx.nd.concat(array, more, dim=axis)


def _as_numbers(array: mx.nd.NDArray, function: Callable[[mx.nd.NDArray], mx.nd.NDArray]) -> mx.nd.NDArray:
    if array.dtype is np.bool_:
        return function(array.astype("uint8")).astype("bool")
    return function(array)
