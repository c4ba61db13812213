"""Runs a batch of any size in parts of the compiled size, along the axes that were proved to be the samples'."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import mxnet as mx

from ..graph.batch import BatchAxes
from .asked import plain

Arrays = Sequence[mx.nd.NDArray]


def run_in_parts(run: Callable[[Arrays], Arrays], arrays: Arrays, axes: BatchAxes, samples: int) -> list[mx.nd.NDArray]:
    """The outputs, as arrays of mx.nd, for at least one of `samples`; `run` takes `axes.size` of them at a time."""
    arrays = [plain(a) for a in arrays]  # slices and concat of mx.nd, whichever front end is in use
    parts = []
    for start in range(0, samples, axes.size):
        end = min(start + axes.size, samples)
        part = [_part(a, k, start, end, axes.size) for a, k in zip(arrays, axes.inputs, strict=True)]
        parts.append([plain(a) for a in run(part)])
    joined = []
    for found, place in zip(zip(*parts, strict=True), axes.outputs, strict=True):
        if place is None:
            joined.append(found[0])
            continue
        whole = mx.nd.concat(*found, dim=place.axis)
        joined.append(mx.nd.slice_axis(whole, axis=place.axis, begin=0, end=samples * place.rows))
    return joined


def _part(array: mx.nd.NDArray, axis: int | None, start: int, end: int, size: int) -> mx.nd.NDArray:
    if axis is None:
        return array
    part = mx.nd.slice_axis(array, axis=axis, begin=start, end=end)
    # Repeating a real sample keeps padding free of values that a model might divide by.
    last = [mx.nd.slice_axis(part, axis=axis, begin=end - start - 1, end=end - start)] * (size - end + start)
    return mx.nd.concat(part, *last, dim=axis) if last else part
