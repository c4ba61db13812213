"""Correlation of two feature maps over displacements, as FlowNet and trackers have it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph.graph import Node
from ..common import first_of, same_dtypes
from ..extents import nonempty
from ..registry import rule


@rule("Correlation", refuse=first_of(nonempty, same_dtypes), heavy=True)
def correlation(xp: Any, n: Node, a: Any, b: Any) -> Any:
    """Means over channels and windows of a (N, C, H, W) times b, or of |a - b|, for every displacement of b."""
    kernel, reach = n.attrs.integer("kernel_size", 1), n.attrs.integer("max_displacement", 1)
    stride, step = n.attrs.integer("stride1", 1), n.attrs.integer("stride2", 1)
    pad = n.attrs.integer("pad_size", 0)
    a, b = (xp.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad))) for x in (a, b))
    # Where windows are single elements those that are skipped need not be computed.
    every = stride if kernel == 1 else 1
    rows, columns = (reach + np.arange((s - 1) * stride + kernel, dtype=np.int32)[::every] for s in n.out.shape[2:])
    shifts = np.arange(-(reach // step), reach // step + 1) * step
    compare = _products if n.attrs.flag("is_multiply", True) else _distances
    sums = compare(xp, a, b, rows, columns, shifts)
    if kernel > 1:
        sums = xp.sum_pool(sums, (kernel, kernel), (stride, stride), ((0, 0), (0, 0)))
    return sums / float(kernel * kernel * a.shape[1])


def _line(first: np.ndarray, shift: int = 0) -> slice:
    """Evenly spaced places, moved by `shift`, as a slice."""
    step = int(first[1] - first[0]) if len(first) > 1 else 1
    return slice(int(first[0]) + shift, int(first[-1]) + shift + 1, step)


def _products(xp: Any, a: Any, b: Any, rows: np.ndarray, columns: np.ndarray, shifts: np.ndarray) -> Any:
    """Sums over channels of the products (N, displacements, rows, columns).

    For each displacement of the rows one matrix product gives a row's elements with all of another row, of which those
    within the displacements of the columns are kept.
    """
    width = b.shape[3]
    left = xp.permute_dims(a[:, :, _line(rows), _line(columns)], (0, 2, 3, 1))
    right = xp.permute_dims(b, (0, 2, 1, 3))
    places = np.arange(len(columns)) * width + columns + shifts[:, None]
    bands = []
    for shift in shifts:
        pairs = xp.matmul(left, right[:, _line(rows, int(shift))])
        pairs = xp.reshape(pairs, (a.shape[0], len(rows), len(columns) * width))
        bands.append(xp.permute_dims(xp.take(pairs, xp.constant(places.astype(np.int32)), 2), (0, 2, 1, 3)))
    return xp.concat(bands, 1)


def _distances(xp: Any, a: Any, b: Any, rows: np.ndarray, columns: np.ndarray, shifts: np.ndarray) -> Any:
    """Sums over channels of the absolute differences (N, displacements, rows, columns)."""
    here = a[:, :, _line(rows), _line(columns)]
    found = []
    for down in shifts:
        for right in shifts:
            there = b[:, :, _line(rows, int(down)), _line(columns, int(right))]
            found.append(xp.sum(xp.abs(here - there), (1,), True))
    return xp.concat(found, 1)
