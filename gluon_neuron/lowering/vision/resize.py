"""Resizing of images: nearest and bilinear upsampling, and sampling at the points of a grid."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph.graph import Node
from ..common import first_of, same_dtypes
from ..extents import nonempty
from ..registry import FLOATS, rule


def _four_axes(n: Node) -> str | None:
    """Refuse data that is not 4-d."""
    shape = n.in_spec(0).shape
    return None if len(shape) == 4 else f"its data has {len(shape)} dimensions, not 4"


def _upsampled(n: Node) -> str | None:
    """Refuse a kernel that is not one for each channel, and sizes that are not multiples."""
    data = n.in_spec(0)
    if n.attrs.text("sample_type") == "bilinear":
        weight = n.in_spec(1)
        if weight.shape[0] != data.shape[1] or weight.shape[1] != 1:
            return f"its weight {weight} is not one kernel for each channel of {data}"
        return None
    height, width = n.out.shape[2:]
    for i in range(len(n.ins)):
        spec = n.in_spec(i)
        factor = height // spec.shape[2]
        if (spec.shape[2] * factor, spec.shape[3] * factor) != (height, width):
            return f"its input {i}, {spec}, does not fill {height} x {width} at one whole factor"
    return None


@rule("UpSampling", dtypes=FLOATS, refuse=first_of(nonempty, _four_axes, same_dtypes, _upsampled))
def upsampling(xp: Any, n: Node, *arrays: Any) -> Any:
    """Enlarge (N, C, H, W) by a whole factor: nearest, several inputs joined or added; or bilinear by given weights."""
    if n.attrs.text("sample_type") == "bilinear":
        return _deconvolve(xp, n, *arrays)
    height = n.out.shape[2]
    enlarged = [xp.resize_nearest(x, height // x.shape[2]) for x in arrays]
    if n.attrs.text("multi_input_mode", "concat") == "concat":
        return enlarged[0] if len(enlarged) == 1 else xp.concat(enlarged, 1)
    total = enlarged[0]
    for x in enlarged[1:]:
        total = total + x
    return total


def _deconvolve(xp: Any, n: Node, x: Any, weight: Any) -> Any:
    """Bilinear upsampling is a transposed convolution of each channel with weights (C, 1, k, k)."""
    factor = n.attrs.integer("scale")
    pad = factor // 2
    return xp.conv_transpose(x, weight, (factor, factor), ((pad, pad),) * 2, (1, 1), weight.shape[0], (0, 0))


def _coordinates(size: int, count: int, align_corners: bool) -> np.ndarray:
    """Where each of `count` outputs lies in an axis of `size`, as MXNet computes it; a single output lies at 0."""
    places = np.arange(count, dtype=np.float64)
    if count == 1:
        return np.zeros(1)
    if align_corners:
        return places * ((size - 1) / (count - 1))
    return np.clip((places + 0.5) * (size / count) - 0.5, 0.0, size - 1)


@rule("_contrib_BilinearResize2D", dtypes=FLOATS, refuse=first_of(nonempty, _four_axes))
def bilinear_resize(xp: Any, n: Node, x: Any, like: Any = None) -> Any:
    """x (N, C, H, W) to another height and width; what `mode` says of them is in MXNet's inferred shape."""
    size = n.out.shape[2:]
    align = n.attrs.flag("align_corners", True)
    return xp.resize_linear(x, size, tuple(_coordinates(s, c, align) for s, c in zip(x.shape[2:], size)))


def _affine_grid(xp: Any, theta: Any, height: int, width: int) -> Any:
    """Source points (N, 2, H, W), x before y, in -1..1, of affine maps (N, 6)."""
    ys, xs = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    points = xp.constant(np.stack([xs, ys, np.ones_like(xs)]).reshape(3, -1), theta.dtype)
    grid = xp.matmul(xp.reshape(theta, (theta.shape[0] * 2, 3)), points, exact=True)
    return xp.reshape(grid, (theta.shape[0], 2, height, width))


def _more_than_one(n: Node) -> str | None:
    """MXNet divides by the target's size less one."""
    shape = n.out.shape[2:]
    return f"its target shape {shape} has an axis of size 1" if 1 in shape else None


@rule("GridGenerator", dtypes=FLOATS, refuse=first_of(nonempty, _more_than_one))
def grid_generator(xp: Any, n: Node, x: Any) -> Any:
    """A grid of source points from affine maps (N, 6), or from a flow (N, 2, H, W) given in pixels."""
    height, width = n.out.shape[2:]
    if n.attrs.text("transform_type") == "affine":
        return _affine_grid(xp, x, height, width)
    ys, xs = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    half = np.array([(width - 1) / 2, (height - 1) / 2]).reshape(2, 1, 1)
    return xp.divide(x + xp.constant(np.stack([xs, ys]), x.dtype), xp.constant(half, x.dtype)) - 1.0


@rule("BilinearSampler", dtypes=FLOATS, refuse=first_of(nonempty, _four_axes, same_dtypes))
def bilinear_sampler(xp: Any, n: Node, x: Any, grid: Any) -> Any:
    """x (N, C, H, W) at the points of grid (N, 2, H', W'), x before y; zero outside."""
    return xp.grid_sample(x, xp.permute_dims(grid, (0, 2, 3, 1)))


@rule("SpatialTransformer", dtypes=FLOATS, refuse=first_of(nonempty, _four_axes, same_dtypes, _more_than_one))
def spatial_transformer(xp: Any, n: Node, x: Any, theta: Any) -> Any:
    """x (N, C, H, W) sampled through affine maps theta (N, 6)."""
    return xp.grid_sample(x, xp.permute_dims(_affine_grid(xp, theta, *n.out.shape[2:]), (0, 2, 3, 1)))
