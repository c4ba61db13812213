"""Neural-network functions in OpenVINO."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any


def _low_high(pads: tuple) -> tuple[list[int], list[int]]:
    return [p[0] for p in pads], [p[1] for p in pads]


def _by_group(op: Any, w: Any, groups: int) -> Any:
    """The weight with an axis of groups in front; OpenVINO folds the reshape when it compiles."""
    first, *rest = w.get_shape()
    return op.reshape(w, op.const([groups, first // groups, *rest]), False)


def conv(op: Any, x: Any, w: Any, stride: tuple, pads: tuple, dilate: tuple, groups: int) -> Any:
    """Convolution."""
    low, high = _low_high(pads)
    geometry = (list(stride), low, high, list(dilate), "explicit")
    if groups == 1:
        return op.convolution(x, w, *geometry)
    return op.group_convolution(x, _by_group(op, w, groups), *geometry)


def conv_transpose(
    op: Any, x: Any, w: Any, stride: tuple, pads: tuple, dilate: tuple, groups: int, extra: tuple
) -> Any:
    """Transposed convolution."""
    low, high = _low_high(pads)
    make = op.convolution_backprop_data
    if groups > 1:
        make, w = op.group_convolution_backprop_data, _by_group(op, w, groups)
    return make(x, w, list(stride), None, low, high, list(dilate), "explicit", list(extra))


def max_pool(op: Any, x: Any, kernel: tuple, stride: tuple, pads: tuple) -> Any:
    """Pads are the lowest finite value."""
    low, high = _low_high(pads)
    return op.max_pool(x, list(stride), [1] * len(kernel), low, high, list(kernel), "floor", "explicit").output(0)


def avg_pool(op: Any, x: Any, kernel: tuple, stride: tuple, pads: tuple, exclude_pads: bool) -> Any:
    """Mean of each window."""
    low, high = _low_high(pads)
    return op.avg_pool(x, list(stride), low, high, list(kernel), exclude_pads, "floor", "explicit")


def sum_pool(op: Any, x: Any, kernel: tuple, stride: tuple, pads: tuple) -> Any:
    """The mean, pads included, times the window's size."""
    mean = avg_pool(op, x, kernel, stride, pads, False)
    return op.multiply(mean, op.like(prod(kernel), x))


def normalize(op: Any, x: Any, axes: tuple[int, ...], eps: float) -> Any:
    """Zero mean and unit variance; OpenVINO does not find this pattern when it is composed."""
    return op.mvn(x, op.const(axes), True, eps, "inside_sqrt")


def resize_nearest(op: Any, x: Any, factors: tuple[int, ...]) -> Any:
    """Interpolation whose source position is floor(i / factor)."""
    size = [n * f for n, f in zip(x.get_shape()[2:], factors, strict=True)]
    axes = op.const(range(2, 2 + len(factors)))
    return op.interpolate(
        x,
        op.const(size),
        "nearest",
        "sizes",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
        axes=axes,
    )


def grid_sample(op: Any, x: Any, grid: Any) -> Any:
    """Bilinear, corners aligned, zeros outside."""
    return op.grid_sample(x, grid, {"align_corners": True, "mode": "bilinear", "padding_mode": "zeros"})


def deform_conv(op: Any, x: Any, offset: Any, w: Any, *rest: Any) -> Any:
    """Convolution whose taps move; the mask is there or not."""
    *mask, stride, pads, dilate, groups, parts, zeros = rest
    low, high = _low_high(pads)
    return op.deformable_convolution(
        x,
        offset,
        w,
        list(stride),
        low,
        high,
        list(dilate),
        mask[0] if mask else None,
        "explicit",
        groups,
        parts,
        zeros,
    )


def roi_align(op: Any, x: Any, rois: Any, size: tuple, scale: float, samples: int, aligned: bool) -> Any:
    """The batch index is a separate, integer input here."""
    boxes = op.slice(rois, op.const([1]), op.const([5]), op.const([1]), op.const([1]))
    batch = op.convert(op.gather(rois, op.const(0), op.const(1)), "i32")
    mode = "half_pixel_for_nn" if aligned else "asymmetric"
    return op.roi_align(x, boxes, batch, size[0], size[1], samples, scale, "avg", mode)


def roi_pool(op: Any, x: Any, rois: Any, size: tuple, scale: float) -> Any:
    """Largest element per cell."""
    return op.roi_pooling(x, rois, output_roi=list(size), spatial_scale=scale, method="max")


def local_response_norm(op: Any, x: Any, size: int, alpha: float, beta: float) -> Any:
    """OpenVINO's own, which computes the power far sooner than its Power does."""
    return op.lrn(x, op.const([1]), alpha, beta, 1.0, size)


KERNELS: Mapping[str, Callable[..., Any]] = {
    "conv": conv,
    "conv_transpose": conv_transpose,
    "max_pool": max_pool,
    "avg_pool": avg_pool,
    "sum_pool": sum_pool,
    "softmax": lambda op, x, axis: op.softmax(x, axis),
    "log_softmax": lambda op, x, axis: op.log_softmax(x, axis),
    "normalize": normalize,
    "batch_norm": lambda op, x, gamma, beta, mean, var, eps: op.batch_norm_inference(x, gamma, beta, mean, var, eps),
    "local_response_norm": local_response_norm,
    "resize_nearest": resize_nearest,
    "grid_sample": grid_sample,
    "deform_conv": deform_conv,
    "roi_align": roi_align,
    "roi_pool": roi_pool,
}
