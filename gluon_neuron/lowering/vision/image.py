"""Image operators that draw no random numbers, of images whose channels are last until to_tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph.graph import Node
from ..common import first_of
from ..registry import ANY, FLOATS, INTS, NUMBERS, rule


@rule("_image_to_tensor", "_npx__image_to_tensor", dtypes=NUMBERS, widens=True)
def to_tensor(xp: Any, n: Node, x: Any) -> Any:
    """x (..., H, W, C) of 0..255 to float32 (..., C, H, W) of 0..1."""
    order = (*range(x.ndim - 3), x.ndim - 1, x.ndim - 3, x.ndim - 2)
    return xp.divide(xp.permute_dims(xp.astype(x, n.out.dtype), order), 255.0)


def _no_zero(n: Node) -> str | None:
    """Refuse a standard deviation of 0."""
    return "a standard deviation is 0" if 0 in n.attrs.numbers("std", (1.0,)) else None


@rule("_image_normalize", "_npx__image_normalize", refuse=_no_zero)
def normalize(xp: Any, n: Node, x: Any) -> Any:
    """(x - mean) / std with a number for each channel of x (..., C, H, W), or one for all."""
    mean, std = (np.reshape(n.attrs.numbers(k, (d,)), (-1, 1, 1)) for k, d in (("mean", 0.0), ("std", 1.0)))
    return xp.divide(xp.subtract(x, xp.constant(mean, x.dtype)), xp.constant(std, x.dtype))


@rule("_image_crop", "_npx__image_crop", dtypes=ANY)
def crop(xp: Any, n: Node, x: Any) -> Any:
    """A window of x (..., H, W, C)."""
    left, top = n.attrs.integer("x"), n.attrs.integer("y")
    return x[..., top : top + n.attrs.integer("height"), left : left + n.attrs.integer("width"), :]


@rule("_image_flip_left_right", "_npx__image_flip_left_right", dtypes=ANY)
def flip_left_right(xp: Any, n: Node, x: Any) -> Any:
    """Reverse the columns of x (H, W, C). MXNet forgets the middle one of an odd number, whose values are undefined."""
    return xp.flip(x, (1,))


@rule("_image_flip_top_bottom", "_npx__image_flip_top_bottom", dtypes=ANY)
def flip_top_bottom(xp: Any, n: Node, x: Any) -> Any:
    """Reverse the rows of x (H, W, C). MXNet forgets the middle one of an odd number, whose values are undefined."""
    return xp.flip(x, (0,))


# The principal components of the colours of ImageNet, each times its standard deviation.
_COMPONENTS = np.array(
    [
        [55.46 * -0.5675, 4.794 * 0.7192, 1.148 * 0.4009],
        [55.46 * -0.5808, 4.794 * -0.0045, 1.148 * -0.8140],
        [55.46 * -0.5836, 4.794 * -0.6948, 1.148 * 0.4203],
    ]
)


@rule("_image_adjust_lighting", "_npx__image_adjust_lighting")
def adjust_lighting(xp: Any, n: Node, x: Any) -> Any:
    """Add the principal components of colour, each times its alpha, to x (H, W, 3)."""
    return xp.add(x, xp.constant(_COMPONENTS @ np.array(n.attrs.numbers("alpha")), x.dtype))


def _bilinear(n: Node) -> str | None:
    """Refuse interpolations other than bilinear."""
    if n.attrs.integer("interp", 1) != 1:
        return f"interp={n.attrs['interp']} is not compiled; only 1, bilinear, is"
    return None


def _not_rounded(n: Node) -> str | None:
    """Refuse integer results."""
    dtype = n.out.dtype
    return f"of {dtype} it rounds as OpenCV likes; cast to float32 before it" if dtype in INTS else None


@rule("_image_resize", "_npx__image_resize", refuse=first_of(_bilinear, _not_rounded), dtypes=FLOATS | {"uint8"})
def resize(xp: Any, n: Node, x: Any) -> Any:
    """x (..., H, W, C) to another size, bilinear, with the centres of the pixels as they are on paper."""
    batched = x if x.ndim == 4 else xp.expand_dims(x, 0)
    planes = xp.permute_dims(batched, (0, 3, 1, 2))
    sizes = n.out.shape[-3:-1]
    centres = [
        np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1) for old, new in zip(planes.shape[2:], sizes)
    ]
    return xp.reshape(xp.permute_dims(xp.resize_linear(planes, sizes, centres), (0, 2, 3, 1)), n.out.shape)
