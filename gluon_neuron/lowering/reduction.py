"""Reductions along axes: sums, products, extremes, norms and their positions."""

from __future__ import annotations

from collections.abc import Callable
from math import prod as product
from typing import Any

from ..graph.graph import Node
from .common import first_of
from .extents import axes_of, axis_of, nonempty
from .registry import FLOATS, INTS, NUMBERS, rule


def _axes(n: Node) -> tuple[int, ...]:
    """The axes to reduce: none given means all, whatever `exclude` says."""
    ndim = len(n.in_spec(0).shape)
    axes = axes_of(n, "axis", ndim)
    if not axes:
        return tuple(range(ndim))
    return tuple(a for a in range(ndim) if (a in axes) != n.attrs.flag("exclude"))


def _numpy_axes(n: Node) -> tuple[int, ...]:
    """The axes to reduce as mx.np has them: None means all, () means none."""
    ndim = len(n.in_spec(0).shape)
    return axes_of(n, "axis", ndim) if n.attrs.has("axis") else tuple(range(ndim))


def _keeps_dtype(n: Node) -> str | None:
    if n.out.dtype != n.in_spec(0).dtype:
        return f"it changes the dtype from {n.in_spec(0).dtype} to {n.out.dtype}; cast before or after it"
    return None


def _no_initial(n: Node) -> str | None:
    return "a starting value (initial) is not compiled" if n.attrs.has("initial") else None


def _simple(name: str) -> Callable[..., Any]:
    """A rule that is the dialect's reduction of the same name."""

    def build(xp: Any, n: Node, x: Any) -> Any:
        return xp.reshape(getattr(xp, name)(x, _axes(n), True), n.out.shape)

    return build


def _numpy(name: str) -> Callable[..., Any]:
    def build(xp: Any, n: Node, x: Any) -> Any:
        return xp.reshape(getattr(xp, name)(x, _numpy_axes(n), True), n.out.shape)

    return build


for _name, _aliases in {"sum": ("sum_axis",), "prod": (), "max": ("max_axis",), "min": ("min_axis",)}.items():
    rule(_name, *_aliases, dtypes=NUMBERS, refuse=nonempty)(_simple(_name))
    # Same meaning in mx.np, but for the empty axis and the dtype, which may be another there.
    _np_names = {"max": ("_np_max", "_np_amax"), "min": ("_np_min", "_np_amin")}.get(_name, (f"_np_{_name}",))
    rule(*_np_names, dtypes=NUMBERS, refuse=first_of(nonempty, _keeps_dtype, _no_initial))(_numpy(_name))

rule("_npi_mean", refuse=first_of(nonempty, _keeps_dtype, _no_initial))(_numpy("mean"))


@rule("mean", dtypes=NUMBERS, refuse=nonempty)
def mean(xp: Any, n: Node, x: Any) -> Any:
    """The mean; of integers the sum (which may wrap) divided towards zero."""
    axes = _axes(n)
    if x.dtype not in INTS:
        return xp.reshape(xp.mean(x, axes, True), n.out.shape)
    count = xp.constant(product(x.shape[a] for a in axes), x.dtype)
    return xp.reshape(xp.trunc_divide(xp.sum(x, axes, True), count), n.out.shape)


def _without_nan(xp: Any, x: Any, value: float) -> Any:
    return x if x.dtype in INTS else xp.where(xp.isnan(x), value, x)


@rule("nansum", dtypes=NUMBERS, refuse=nonempty)
def nansum(xp: Any, n: Node, x: Any) -> Any:
    """The sum of what is not NaN."""
    return xp.reshape(xp.sum(_without_nan(xp, x, 0.0), _axes(n), True), n.out.shape)


@rule("nanprod", dtypes=NUMBERS, refuse=nonempty)
def nanprod(xp: Any, n: Node, x: Any) -> Any:
    """The product of what is not NaN."""
    return xp.reshape(xp.prod(_without_nan(xp, x, 1.0), _axes(n), True), n.out.shape)


def _norm_kind(n: Node) -> str | None:
    order = n.attrs.integer("ord", 2)
    return None if order in (1, 2) else f"ord={order} is not compiled; only 1 and 2 are"


@rule("norm", dtypes=FLOATS, refuse=first_of(nonempty, _norm_kind, _keeps_dtype))
def norm(xp: Any, n: Node, x: Any) -> Any:
    """The sum of absolute values (ord 1), or the root of the sum of squares (ord 2) over any number of axes."""
    axes = _axes(n)
    size = xp.abs(x)
    if n.attrs.integer("ord", 2) == 1:
        return xp.reshape(xp.sum(size, axes, True), n.out.shape)
    # Squares overflow long before the norm does, and MXNet's do not: divide by the largest first.
    largest = xp.max(size, axes, True)
    largest = xp.where(largest == 0.0, 1.0, largest)
    root = xp.sqrt(xp.sum(xp.square(xp.divide(size, largest)), axes, True))
    return xp.reshape(xp.multiply(root, largest), n.out.shape)


def _position_fits(n: Node) -> str | None:
    data, limit = n.in_spec(0), {"int8": 2**7, "uint8": 2**8}.get(n.out.dtype, 2**31)
    axis = 1 if n.op == "argmax_channel" else n.attrs.integer("axis") if n.attrs.has("axis") else None
    if (data.size if axis is None else data.shape[axis]) > limit:
        return f"positions in {data} go beyond what {n.out.dtype} holds"
    return None


def _position(name: str, default_axis: int | None) -> Callable[..., Any]:
    """A rule for the position of an extreme along one axis, or in the flattened array, as MXNet's output dtype."""

    def build(xp: Any, n: Node, x: Any) -> Any:
        if default_axis is not None:
            axis = default_axis
        elif n.attrs.has("axis"):
            axis = axis_of(n, "axis", 0, x.ndim)
        else:
            x, axis = xp.reshape(x, (x.size,)), 0
        return xp.reshape(xp.astype(getattr(xp, name)(x, axis), n.out.dtype), n.out.shape)

    return build


_asked = first_of(nonempty, _position_fits)
rule("argmax", "_npi_argmax", dtypes=NUMBERS, refuse=_asked)(_position("argmax", None))
rule("argmin", "_npi_argmin", dtypes=NUMBERS, refuse=_asked)(_position("argmin", None))
rule("argmax_channel", dtypes=NUMBERS, refuse=_asked)(_position("argmax", 1))
