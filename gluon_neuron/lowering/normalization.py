"""BatchNorm and its variants at inference, LayerNorm, InstanceNorm, GroupNorm, L2Normalization, LRN."""

from __future__ import annotations

from typing import Any

from ..graph.graph import Node
from .common import first_of, only_first_output, same_dtypes
from .extents import nonempty
from .registry import rule


def _mean_and_var(n: Node) -> str | None:
    """Refuse outputs beyond the first without output_mean_var, and those of SyncBatchNorm, which MXNet never writes."""
    if n.attrs.flag("output_mean_var") and n.op != "_contrib_SyncBatchNorm":
        return None
    return only_first_output(n)


def _along(xp: Any, v: Any, ndim: int, axis: int) -> Any:
    """A vector shaped to broadcast along one axis of an array with `ndim` axes."""
    return xp.reshape(v, tuple(v.size if i == axis else 1 for i in range(ndim)))


def _epsilon(n: Node) -> float:
    """MXNet holds one that is given to BatchNorm in 64 bits, and its default and that of its variants in 32."""
    if n.attrs.has("eps") and n.op not in ("BatchNorm_v1", "_contrib_SyncBatchNorm"):
        return n.attrs.number("eps")
    return n.attrs.single("eps", 1e-3)


@rule("BatchNorm", "BatchNorm_v1", "_contrib_SyncBatchNorm", "_npx_batch_norm", refuse=_mean_and_var)
def batch_norm(xp: Any, n: Node, x: Any, gamma: Any, beta: Any, mean: Any, var: Any) -> tuple[Any, ...]:
    """Always with the moving statistics; gamma counts as 1 unless fix_gamma is off. A float16 x has float32 vectors."""
    axis, eps = n.attrs.integer("axis", 1) % x.ndim, _epsilon(n)
    if n.attrs.flag("fix_gamma", True):
        gamma = xp.full(mean.shape, 1, mean.dtype)
    y = xp.astype(xp.batch_norm(xp.astype(x, mean.dtype), gamma, beta, mean, var, eps, axis), x.dtype)
    # What MXNet calls the variance is the factor made of it, except in BatchNorm_v1.
    return y, mean, var if n.op == "BatchNorm_v1" else xp.rsqrt(xp.add(var, eps))


@rule("_contrib_BatchNormWithReLU", refuse=_mean_and_var)
def batch_norm_relu(xp: Any, n: Node, x: Any, gamma: Any, beta: Any, mean: Any, var: Any) -> tuple[Any, ...]:
    """BatchNorm, then relu."""
    y, *statistics = batch_norm(xp, n, x, gamma, beta, mean, var)
    return xp.relu(y), *statistics


def _statistics(xp: Any, n: Node, x: Any, axes: tuple[int, ...], eps: float) -> tuple[Any, ...]:
    """The means over `axes` and the roots of the variances plus eps, where they are read."""
    if n.used <= {0}:
        return ()
    mean = xp.mean(x, axes, True)
    deviation = xp.sqrt(xp.add(xp.mean(xp.square(xp.subtract(x, mean)), axes, True), eps))
    # GroupNorm's have no axes for what they are taken over.
    shape = n.outs[max(n.used)].shape  # type: ignore[union-attr]
    return xp.reshape(mean, shape), xp.reshape(deviation, shape)


@rule("LayerNorm", "_npx_layer_norm", refuse=first_of(same_dtypes, _mean_and_var))
def layer_norm(xp: Any, n: Node, x: Any, gamma: Any, beta: Any) -> tuple[Any, ...]:
    """Over one axis; gamma and beta have its length."""
    axis, eps = n.attrs.integer("axis", -1) % x.ndim, n.attrs.single("eps", 1e-5)
    gamma, beta = (_along(xp, v, x.ndim, axis) for v in (gamma, beta))
    return xp.layer_norm(x, (axis,), eps, gamma, beta), *_statistics(xp, n, x, (axis,), eps)


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
def group_norm(xp: Any, n: Node, x: Any, gamma: Any, beta: Any) -> tuple[Any, ...]:
    """Over the channels and spatial axes of each group; gamma and beta have one value per group, unlike elsewhere."""
    groups, eps = n.attrs.integer("num_groups", 1), n.attrs.single("eps", 1e-5)
    split = xp.reshape(x, (x.shape[0], groups, x.shape[1] // groups, *x.shape[2:]))
    axes = tuple(range(2, split.ndim))
    gamma, beta = (_along(xp, v, split.ndim, 1) for v in (gamma, beta))
    y = xp.layer_norm(split, axes, eps, gamma, beta)
    return xp.reshape(y, x.shape), *_statistics(xp, n, split, axes, eps)


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
    window = (size - 1) // 2 * 2 + 1
    alpha = n.attrs.single("alpha", 1e-4) * window / size
    return xp.local_response_norm(x, window, alpha, n.attrs.single("beta", 0.75), n.attrs.single("knorm", 2.0))
