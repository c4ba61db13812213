"""Windows, samples and regions by plain loops over the definition: slow, and obviously right."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np


def conv(x: Any, w: Any, stride: Any, pads: Any, dilate: Any, groups: int = 1) -> np.ndarray:
    """Convolution, output element by output element."""
    x = np.pad(x, ((0, 0), (0, 0), *pads))
    kernel = w.shape[2:]
    size = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape[2:], kernel, stride, dilate)]
    y = np.zeros((x.shape[0], w.shape[0], *size))
    per_in, per_out = w.shape[1], w.shape[0] // groups
    for o in range(w.shape[0]):
        first = o // per_out * per_in
        for at in np.ndindex(*size):
            window = [slice(a * s, a * s + d * (k - 1) + 1, d) for a, s, d, k in zip(at, stride, dilate, kernel)]
            part = x[(slice(None), slice(first, first + per_in), *window)]
            y[(slice(None), o, *at)] = (part * w[o]).reshape(x.shape[0], -1).sum(1)
    return y


def conv_transpose(x: Any, w: Any, stride: Any, pads: Any, dilate: Any, groups: int = 1, extra: Any = None) -> Any:
    """Each input element adds its kernel to the output."""
    kernel = w.shape[2:]
    extra = extra or (0,) * len(kernel)
    per_in, per_out = w.shape[0] // groups, w.shape[1]
    size = [(n - 1) * s + d * (k - 1) + 1 + e for n, s, d, k, e in zip(x.shape[2:], stride, dilate, kernel, extra)]
    y = np.zeros((x.shape[0], per_out * groups, *size))
    for i in range(w.shape[0]):
        first = i // per_in * per_out
        for at in np.ndindex(*x.shape[2:]):
            for tap in np.ndindex(*kernel):
                to = [a * s + t * d for a, s, t, d in zip(at, stride, tap, dilate)]
                value = x[(slice(None), i, *at)][:, None] * w[(i, slice(None), *tap)]
                y[(slice(None), slice(first, first + per_out), *to)] += value
    return y[(slice(None), slice(None), *(slice(lo, n - hi) for n, (lo, hi) in zip(size, pads)))]


def pool(x: Any, kernel: Any, stride: Any, pads: Any, reduce: Any, empty: float, divide_by: str = "") -> np.ndarray:
    """Pool over the elements inside; `empty` is the result of a window that holds none."""
    size = [(n + sum(p) - k) // s + 1 for n, k, s, p in zip(x.shape[2:], kernel, stride, pads)]
    y = np.zeros((*x.shape[:2], *size))
    for at in np.ndindex(*size):
        ranges = [
            range(max(0, a * s - p[0]), min(n, a * s - p[0] + k))
            for a, s, p, n, k in zip(at, stride, pads, x.shape[2:], kernel)
        ]
        values = [x[(slice(None), slice(None), *e)] for e in itertools.product(*ranges)]
        y[(slice(None), slice(None), *at)] = reduce(values, 0) if values else empty
        if divide_by:
            y[(slice(None), slice(None), *at)] /= len(values) if divide_by == "inside" else math.prod(kernel)
    return y


def adaptive_avg_pool(x: Any, size: Any) -> np.ndarray:
    """Mean of each cell."""
    y = np.zeros((*x.shape[:2], *size))
    for at in np.ndindex(*size):
        cell = [slice(a * n // m, -(-(a + 1) * n // m)) for a, n, m in zip(at, x.shape[2:], size)]
        y[(slice(None), slice(None), *at)] = x[(slice(None), slice(None), *cell)].reshape(*x.shape[:2], -1).mean(2)
    return y


def resize_linear(x: Any, positions: Any) -> np.ndarray:
    """np.interp along each spatial axis."""
    for axis, at in enumerate(positions, start=2):
        n = x.shape[axis]
        x = np.apply_along_axis(lambda line, at=at, n=n: np.interp(at, np.arange(n), line), axis, x)
    return x


def bilinear(image: Any, y: float, x: float) -> np.ndarray:
    """image[C, H, W] at one position; neighbours outside count as 0."""
    total = np.zeros(image.shape[0])
    for row in (math.floor(y), math.floor(y) + 1):
        for column in (math.floor(x), math.floor(x) + 1):
            if 0 <= row < image.shape[1] and 0 <= column < image.shape[2]:
                total += image[:, row, column] * (1 - abs(y - row)) * (1 - abs(x - column))
    return total


def grid_sample(x: Any, grid: Any) -> np.ndarray:
    """One sample at a time."""
    y = np.zeros((x.shape[0], x.shape[1], *grid.shape[1:3]))
    for n, i, j in np.ndindex(*grid.shape[:3]):
        at = [(g + 1) / 2 * (s - 1) for g, s in zip(grid[n, i, j, ::-1], x.shape[2:])]
        y[n, :, i, j] = bilinear(x[n], *at)
    return y


def sample(x: Any, image: Any, rows: Any, columns: Any, border: str) -> np.ndarray:
    """One point at a time; "edge" moves it into the image before."""
    y = np.zeros((*rows.shape, x.shape[3]))
    image = np.broadcast_to(image, rows.shape)
    for at in np.ndindex(*rows.shape):
        row, column = rows[at], columns[at]
        if border == "edge":
            row, column = min(max(row, 0), x.shape[1] - 1), min(max(column, 0), x.shape[2] - 1)
        y[at] = bilinear(np.moveaxis(x[image[at]], -1, 0), row, column)
    return y


def deform_conv(x: Any, offset: Any, mask: Any, w: Any, stride: Any, pads: Any, dilate: Any, *rest: Any) -> np.ndarray:
    """One tap of one output element at a time."""
    groups, parts, border = rest
    kernel = w.shape[2:]
    y = np.zeros((x.shape[0], w.shape[0], *offset.shape[2:]))
    per_in, per_out, per_part = w.shape[1], w.shape[0] // groups, x.shape[1] // parts
    for n, o, i, j in np.ndindex(*y.shape):
        for c, a, b in np.ndindex(*w.shape[1:]):
            channel = o // per_out * per_in + c
            tap = (channel // per_part * kernel[0] + a) * kernel[1] + b
            row = i * stride[0] - pads[0][0] + a * dilate[0] + offset[n, 2 * tap, i, j]
            column = j * stride[1] - pads[1][0] + b * dilate[1] + offset[n, 2 * tap + 1, i, j]
            if border == "edge":
                if not (0 <= row < x.shape[2] and 0 <= column < x.shape[3]):
                    continue
                row, column = min(row, x.shape[2] - 1), min(column, x.shape[3] - 1)
            weight = w[o, c, a, b] * (1 if mask is None else mask[n, tap, i, j])
            y[n, o, i, j] += weight * bilinear(x[n, channel : channel + 1], row, column)[0]
    return y


def roi_align(x: Any, rois: Any, size: Any, scale: float, samples: int, aligned: bool) -> np.ndarray:
    """One sample at a time; positions outside by up to one element are moved to the border."""
    y = np.zeros((len(rois), x.shape[1], *size))
    height, width = x.shape[2:]
    for r, (batch, *box) in enumerate(rois):
        x1, y1, x2, y2 = (v * scale - (0.5 if aligned else 0.0) for v in box)
        h, w = (v if aligned else max(v, 1.0) for v in (y2 - y1, x2 - x1))
        rows = samples or math.ceil(h / size[0])
        columns = samples or math.ceil(w / size[1])
        for i, j in np.ndindex(*size):
            total = np.zeros(x.shape[1])
            for a, b in np.ndindex(rows, columns):
                py = y1 + h / size[0] * (i + (a + 0.5) / rows)
                px = x1 + w / size[1] * (j + (b + 0.5) / columns)
                if -1 <= py <= height and -1 <= px <= width:
                    at = min(max(py, 0), height - 1), min(max(px, 0), width - 1)
                    total += bilinear(x[int(batch)], *at)
            y[r, :, i, j] = total / (rows * columns)
    return y


def roi_pool(x: Any, rois: Any, size: Any, scale: float) -> np.ndarray:
    """One cell at a time."""
    y = np.zeros((len(rois), x.shape[1], *size))
    for r, (batch, *box) in enumerate(rois):
        x1, y1, x2, y2 = (math.floor(v * scale + 0.5) for v in box)
        h, w = max(y2 - y1 + 1, 1), max(x2 - x1 + 1, 1)
        for i, j in np.ndindex(*size):
            rows = range(max(0, y1 + i * h // size[0]), min(x.shape[2], y1 - (-(i + 1) * h // size[0])))
            columns = range(max(0, x1 + j * w // size[1]), min(x.shape[3], x1 - (-(j + 1) * w // size[1])))
            if len(rows) and len(columns):
                cell = x[int(batch), :, rows.start : rows.stop, columns.start : columns.stop]
                y[r, :, i, j] = cell.max((1, 2))
    return y
