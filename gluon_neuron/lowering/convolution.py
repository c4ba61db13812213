"""Convolution and Deconvolution, with one to three spatial axes and the channels second."""

from __future__ import annotations

from typing import Any

from ..graph.graph import Node
from .common import channels_first, first_of, same_dtypes, spatial, spatial_counts
from .extents import nonempty
from .registry import rule

_SHAPES = spatial_counts("kernel", "stride", "pad", "dilate", "adj", "target_shape")


def _symmetric(pad: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    return tuple((p, p) for p in pad)


@rule(
    "Convolution",
    "Convolution_v1",
    "_npx_convolution",
    refuse=first_of(nonempty, same_dtypes, channels_first, _SHAPES),
    heavy=True,
    kernel=1,
)
def convolution(xp: Any, n: Node, x: Any, w: Any, b: Any = None) -> Any:
    """x (N, C, spatial...), w (O, C / groups, kernel...), b (O,)."""
    y = xp.conv(
        x,
        w,
        spatial(n, "stride", 1),
        _symmetric(spatial(n, "pad", 0)),
        spatial(n, "dilate", 1),
        n.attrs.integer("num_group", 1),
    )
    return y if b is None else xp.bias(y, b)


def _target(n: Node) -> tuple[int, ...]:
    """target_shape, or () when it is absent or all zeros, which MXNet takes for absent."""
    target = n.attrs.ints("target_shape", ())
    return target if any(target) else ()


def _partial_target(n: Node) -> str | None:
    """Refuse a target_shape that leaves an axis open."""
    target = _target(n)
    if target and not all(target):
        return f"target_shape={target} leaves an axis open; give every axis, or use pad and adj"
    return None


def _pad_and_adj(n: Node) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """How much is cut on both sides, and added back at the end; target_shape overrides pad and adj."""
    target = _target(n)
    if not target:
        return spatial(n, "pad", 0), spatial(n, "adj", 0)
    sizes = n.in_spec(0).shape[2:]
    kernel, stride, dilate = n.attrs.ints("kernel"), spatial(n, "stride", 1), spatial(n, "dilate", 1)
    excess = [s * (i - 1) + d * (k - 1) + 1 - t for i, k, s, d, t in zip(sizes, kernel, stride, dilate, target)]
    return tuple((e + 1) // 2 for e in excess), tuple(e % 2 for e in excess)


def _dilated_double(n: Node) -> str | None:
    """MXNet computes float64 without oneDNN, and then spreads the kernel wrongly."""
    if n.in_spec(0).dtype == "float64" and any(d > 1 for d in n.attrs.ints("dilate", ())):
        return f"of float64 MXNet's result with dilate={n.attrs['dilate']} is not a transposed convolution; use float32"
    return None


@rule(
    "Deconvolution",
    "_npx_deconvolution",
    refuse=first_of(_partial_target, _dilated_double, nonempty, same_dtypes, channels_first, _SHAPES),
    heavy=True,
)
def deconvolution(xp: Any, n: Node, x: Any, w: Any, b: Any = None) -> Any:
    """x (N, C, spatial...), w (C, O / groups, kernel...), b (O,)."""
    pad, adj = _pad_and_adj(n)
    y = xp.conv_transpose(
        x,
        w,
        spatial(n, "stride", 1),
        _symmetric(pad),
        spatial(n, "dilate", 1),
        n.attrs.integer("num_group", 1),
        adj,
    )
    return y if b is None else xp.bias(y, b)
