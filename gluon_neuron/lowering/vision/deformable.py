"""Deformable convolutions: the taps of the kernel are moved by an input, and in version 2 weighted by another."""

from __future__ import annotations

from typing import Any

from ...graph.graph import Node
from ..common import channels_first, first_of, same_dtypes, spatial, spatial_counts
from ..extents import nonempty
from ..registry import rule

_REFUSE = first_of(nonempty, same_dtypes, channels_first, spatial_counts("kernel", "stride", "pad", "dilate"))


def _convolution(xp: Any, n: Node, x: Any, offset: Any, mask: Any, w: Any, b: Any, border: str) -> Any:
    y = xp.deform_conv(
        x,
        offset,
        mask,
        w,
        spatial(n, "stride", 1),
        tuple((p, p) for p in spatial(n, "pad", 0)),
        spatial(n, "dilate", 1),
        n.attrs.integer("num_group", 1),
        n.attrs.integer("num_deformable_group", 1),
        border,
    )
    return y if b is None else xp.bias(y, b)


@rule("_contrib_DeformableConvolution", refuse=_REFUSE, heavy=True, kernel=2)
def deformable_convolution(xp: Any, n: Node, x: Any, offset: Any, w: Any, b: Any = None) -> Any:
    """Taps of x (N, C, H, W) moved by offset (N, G * kernel * 2, h, w), rows before columns; one past the edge is 0."""
    return _convolution(xp, n, x, offset, None, w, b, "edge")


@rule("_contrib_ModulatedDeformableConvolution", refuse=_REFUSE, heavy=True, kernel=3)
def modulated_deformable_convolution(xp: Any, n: Node, x: Any, offset: Any, mask: Any, w: Any, b: Any = None) -> Any:
    """The same with taps multiplied by mask (N, G * kernel, h, w); x fades to 0 within one element of its edge."""
    return _convolution(xp, n, x, offset, mask, w, b, "zeros")
