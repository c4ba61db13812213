"""Resampling in NumPy: nearest, grids of points, regions of interest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil
from typing import Any

import numpy as np


def resize_nearest(x: np.ndarray, factors: tuple[int, ...]) -> np.ndarray:
    """Repeat each element."""
    for axis, factor in enumerate(factors, start=2):
        x = np.repeat(x, factor, axis)
    return x


def grid_sample(x: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Bilinear, corners aligned, zeros outside."""
    height, width = x.shape[2:]
    px = (grid[..., 0] + 1) * (width - 1) / 2
    py = (grid[..., 1] + 1) * (height - 1) / 2
    x0, y0 = np.floor(px), np.floor(py)
    batch = np.arange(x.shape[0])[:, None, None]
    y = np.zeros((x.shape[0], *grid.shape[1:3], x.shape[1]), x.dtype)
    for dy in (0, 1):
        for dx in (0, 1):
            column, row = (x0 + dx).astype(int), (y0 + dy).astype(int)
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            weight = (1 - np.abs(px - column)) * (1 - np.abs(py - row)) * inside
            taken = x[batch, :, np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
            y += (taken * weight[..., None]).astype(x.dtype)
    return np.moveaxis(y, -1, 1)


def _bilinear(image: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """image[C, H, W] at every (row, column); 0 more than one element outside, else clamped to the border."""
    height, width = image.shape[1:]

    def line(at: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        valid = (at >= -1) & (at <= n)
        at = np.clip(at, 0, n - 1)
        low = np.floor(at).astype(int)
        return valid, low, np.minimum(low + 1, n - 1), at - low

    row_valid, r0, r1, fr = line(rows, height)
    column_valid, c0, c1, fc = line(columns, width)
    top = image[:, r0][:, :, c0] * (1 - fc) + image[:, r0][:, :, c1] * fc
    bottom = image[:, r1][:, :, c0] * (1 - fc) + image[:, r1][:, :, c1] * fc
    value = top * (1 - fr)[:, None] + bottom * fr[:, None]
    return value * (row_valid[:, None] & column_valid[None, :])


def roi_align(x: np.ndarray, rois: np.ndarray, size: tuple, scale: float, samples: int, aligned: bool) -> np.ndarray:
    """Mean of bilinear samples per cell."""
    result = np.zeros((len(rois), x.shape[1], *size), x.dtype)
    shift = 0.5 if aligned else 0.0
    for k, (batch, x1, y1, x2, y2) in enumerate(rois):
        starts, lengths = (y1 * scale - shift, x1 * scale - shift), ((y2 - y1) * scale, (x2 - x1) * scale)
        points = []
        counts = []
        for start, length, cells in zip(starts, lengths, size, strict=True):
            length = length if aligned else max(length, 1.0)
            cell = length / cells
            count = samples if samples > 0 else int(ceil(cell))
            points.append(start + cell * (np.arange(cells)[:, None] + (np.arange(count) + 0.5) / max(count, 1)).ravel())
            counts.append(count)
        if min(counts) > 0:
            values = _bilinear(x[int(batch)], *points)
            result[k] = values.reshape(-1, size[0], counts[0], size[1], counts[1]).mean((2, 4))
    return result


def roi_pool(x: np.ndarray, rois: np.ndarray, size: tuple, scale: float) -> np.ndarray:
    """Largest element per cell; corners are rounded half away from zero."""
    result = np.zeros((len(rois), x.shape[1], *size), x.dtype)

    def cells(low: float, high: float, parts: int, limit: int) -> list[tuple[int, int]]:
        start, stop = (int(np.sign(v) * np.floor(np.abs(v) + 0.5)) for v in (low * scale, high * scale))
        width = max(stop - start + 1, 1) / parts
        ends = ((int(np.floor(i * width)), int(np.ceil((i + 1) * width))) for i in range(parts))
        return [(min(max(a + start, 0), limit), min(max(b + start, 0), limit)) for a, b in ends]

    for k, (batch, x1, y1, x2, y2) in enumerate(rois):
        for i, (top, bottom) in enumerate(cells(y1, y2, size[0], x.shape[2])):
            for j, (left, right) in enumerate(cells(x1, x2, size[1], x.shape[3])):
                if top < bottom and left < right:
                    result[k, :, i, j] = x[int(batch), :, top:bottom, left:right].max((1, 2))
    return result


KERNELS: Mapping[str, Callable[..., Any]] = {
    "resize_nearest": resize_nearest,
    "grid_sample": grid_sample,
    "roi_align": roi_align,
    "roi_pool": roi_pool,
}
