"""BatchNorm and its kin at inference, LayerNorm, InstanceNorm, GroupNorm, L2Normalization, LRN."""

from __future__ import annotations

from typing import Any

from ..graph.graph import Node
from .common import first_of, only_first_output, same_dtypes
from .extents import nonempty
from .registry import rule


def _mean_and_var(n: Node) -> str | None:
    """Refuse output_mean_var, and outputs beyond the first."""
    if n.attrs.flag("output_mean_var"):
        return "output_mean_var is not compiled; only the first output is"
    return only_first_output(n)


def _along(xp: Any, v: Any, ndim: int, axis: int) -> Any:
    """A vector shaped to broadcast along one axis of an array with `ndim` axes."""
    return xp.reshape(v, tuple(v.size if i == axis else 1 for i in range(ndim)))


def _epsilon(n: Node) -> float:
    """MXNet holds one that is given to BatchNorm in 64 bits, and its default and that of its kin in 32."""
    if n.attrs.has("eps") and n.op not in ("BatchNorm_v1", "_contrib_SyncBatchNorm"):
        return n.attrs.number("eps")
    return n.attrs.single("eps", 1e-3)


@rule("BatchNorm", "BatchNorm_v1", "_contrib_SyncBatchNorm", "_npx_batch_norm", refuse=_mean_and_var)
def batch_norm(xp: Any, n: Node, x: Any, gamma: Any, beta: Any, mean: Any, var: Any) -> Any:
    """Always with the moving statistics; gamma counts as 1 unless fix_gamma is off. A float16 x has float32 vectors."""
    axis = n.attrs.integer("axis", 1) % x.ndim
    if n.attrs.flag("fix_gamma", True):
        gamma = xp.full(mean.shape, 1, mean.dtype)
    y = xp.batch_norm(xp.astype(x, mean.dtype), gamma, beta, mean, var, _epsilon(n), axis)
    return xp.astype(y, x.dtype)


@rule("_contrib_BatchNormWithReLU", refuse=_mean_and_var)
def batch_norm_relu(xp: Any, n: Node, x: Any, gamma: Any, beta: Any, mean: Any, var: Any) -> Any:
    """BatchNorm, then relu."""
    return xp.relu(batch_norm(xp, n, x, gamma, beta, mean, var))


@rule("LayerNorm", "_npx_layer_norm", refuse=first_of(same_dtypes, _mean_and_var))
def layer_norm(xp: Any, n: Node, x: Any, gamma: Any, beta: Any) -> Any:
    """Over one axis; gamma and beta have its length."""
    axis = n.attrs.integer("axis", -1) % x.ndim
    gamma, beta = (_along(xp, v, x.ndim, axis) for v in (gamma, beta))
    return xp.layer_norm(x, (axis,), n.attrs.single("eps", 1e-5), gamma, beta)


def _needs_spatial(n: Node) -> str | None:
    """Refuse data below three dimensions."""
    ndim = len(n.in_spec(0).shape)
    return None if ndim >= 3 else f"its data has {ndim} dimensions; at least 3 are compiled"


@rule("InstanceNorm", refuse=first_of(same_dtypes, _needs_spatial, only_first_output))
def instance_norm(xp: Any, n: Node, x: Any, gamma: Any, beta: Any) -> Any:
    """Over the spatial axes of each channel; gamma and beta (C,)."""
    gamma, beta = (_along(xp, v, x.ndim, 1) for v in (gamma, beta))
    return xp.layer_norm(x, tuple(range(2, x.ndim)), n.attrs.single("eps", 1e-3), gamma, beta)


@rule("GroupNorm", refuse=first_of(same_dtypes, _needs_spatial, _mean_and_var))
def group_norm(xp: Any, n: Node, x: Any, gamma: Any, beta: Any) -> Any:
    """Over the channels and spatial axes of each group; gamma and beta have one value per group, unlike elsewhere."""
    groups = n.attrs.integer("num_groups", 1)
    y = xp.reshape(x, (x.shape[0], groups, x.shape[1] // groups, *x.shape[2:]))
    gamma, beta = (_along(xp, v, y.ndim, 1) for v in (gamma, beta))
    y = xp.layer_norm(y, tuple(range(2, y.ndim)), n.attrs.single("eps", 1e-5), gamma, beta)
    return xp.reshape(y, x.shape)


@rule("L2Normalization", refuse=only_first_output)
def l2_normalization(xp: Any, n: Node, x: Any) -> Any:
    """x / sqrt(sum(x * x) + eps) over everything but the batch, over the channels, or over the spatial axes."""
    mode = n.attrs.text("mode", "instance")
    axes = {"instance": tuple(range(1, x.ndim)), "channel": (1,), "spatial": tuple(range(2, x.ndim))}[mode]
    total = xp.sum(xp.square(x), axes, True)
    return xp.divide(x, xp.sqrt(xp.add(total, n.attrs.single("eps", 1e-10))))


def _lrn(n: Node) -> str | None:
    """Refuse data that is not 4-d, and an nsize below 1."""
    shape = n.in_spec(0).shape
    if n.attrs.integer("nsize") < 1:
        return f"nsize={n.attrs['nsize']} is not positive"
    return None if len(shape) == 4 else f"its data has {len(shape)} dimensions, not 4"


@rule("LRN", refuse=first_of(_lrn, nonempty, only_first_output))
def lrn(xp: Any, n: Node, x: Any) -> Any:
    """Local response normalisation across channels; an even nsize has the window of the odd number below it."""
    size = n.attrs.integer("nsize")
    reach = (size - 1) // 2
    # The channels become a spatial axis, so that a pooling window slides over them.
    flat = xp.reshape(xp.square(x), (x.shape[0], 1, x.shape[1], x.shape[2] * x.shape[3]))
    total = xp.sum_pool(flat, (2 * reach + 1, 1), (1, 1), ((reach, reach), (0, 0)))
    scale = xp.multiply(xp.reshape(total, x.shape), n.attrs.single("alpha", 1e-4) / size)
    scale = xp.add(scale, n.attrs.single("knorm", 2.0))
    return xp.multiply(x, xp.pow(scale, -n.attrs.single("beta", 0.75)))
