"""Reductions along axes: sums, products, extremes, norms and their positions."""

from __future__ import annotations

from collections.abc import Callable
from math import prod as product
from typing import Any

from ..graph.graph import Node
from ..graph.spec import ITEM_SIZE
from .common import first_of
from .extents import axes_of, axis_of, nonempty
from .registry import ANY, FLOATS, INTS, NUMBERS, rule


def _axes(n: Node) -> tuple[int, ...]:
    """The axes to reduce: none given means all, whatever `exclude` says."""
    ndim = len(n.in_spec(0).shape)
    axes = axes_of(n, "axis", ndim)
    if not axes:
        return tuple(range(ndim))
    return tuple(a for a in range(ndim) if (a in axes) != n.attrs.flag("exclude"))


def numpy_axes(n: Node) -> tuple[int, ...]:
    """The axes to reduce as mx.np has them: None means all, () means none."""
    ndim = len(n.in_spec(0).shape)
    return axes_of(n, "axis", ndim) if n.attrs.has("axis") else tuple(range(ndim))


def keeps_dtype(n: Node) -> str | None:
    """Refuse a result of another dtype."""
    if n.out.dtype != n.in_spec(0).dtype:
        return f"it changes the dtype from {n.in_spec(0).dtype} to {n.out.dtype}; cast before or after it"
    return None


def _accumulates(n: Node) -> str | None:
    """Refuse another result dtype, unless it holds every value of the input's."""
    source, target = n.in_spec(0).dtype, n.out.dtype
    if source == target or (source in INTS | {"bool"} and (target in FLOATS or ITEM_SIZE[source] < ITEM_SIZE[target])):
        return None
    if {source, target} <= FLOATS and ITEM_SIZE[source] < ITEM_SIZE[target]:
        return None
    return f"it sums {source} as {target}; cast before or after it"


def _no_bool(n: Node) -> str | None:
    """Refuse bool results."""
    return f"{n.op} of bool as bool is not compiled" if n.out.dtype == "bool" else None


def _no_initial(n: Node) -> str | None:
    """Refuse a starting value (initial)."""
    return "a starting value (initial) is not compiled" if n.attrs.has("initial") else None


def _simple(name: str) -> Callable[..., Any]:
    """A rule that is the dialect's reduction of the same name."""

    def build(xp: Any, n: Node, x: Any) -> Any:
        return xp.reshape(getattr(xp, name)(x, _axes(n), True), n.out.shape)

    return build


def _numpy(name: str) -> Callable[..., Any]:
    def build(xp: Any, n: Node, x: Any) -> Any:
        x = xp.astype(x, n.out.dtype)
        return xp.reshape(getattr(xp, name)(x, numpy_axes(n), True), n.out.shape)

    return build


# The classic names of each, and those in mx.np: the same meaning there, but for the empty axis and the dtype.
_REDUCTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "sum": (("sum", "sum_axis"), ("_np_sum",)),
    "prod": (("prod",), ("_np_prod", "_np_product")),
    "max": (("max", "max_axis"), ("_np_max", "_np_amax")),
    "min": (("min", "min_axis"), ("_np_min", "_np_amin")),
}
for _name, (_classic, _np_names) in _REDUCTIONS.items():
    rule(*_classic, dtypes=NUMBERS, refuse=nonempty, exact_int32=False)(_simple(_name))
    _refuse = first_of(nonempty, _accumulates, _no_bool, _no_initial)
    rule(*_np_names, dtypes=ANY, refuse=_refuse, exact_int32=False)(_numpy(_name))


def _floating(n: Node) -> str | None:
    """Refuse integer results."""
    return None if n.out.dtype in FLOATS else f"a mean as {n.out.dtype} is not compiled; cast after it"


rule("_npi_mean", dtypes=ANY, refuse=first_of(nonempty, _accumulates, _floating, _no_initial), exact_int32=False)(
    _numpy("mean")
)


@rule("mean", dtypes=NUMBERS, refuse=nonempty, exact_int32=False)
def mean(xp: Any, n: Node, x: Any) -> Any:
    """The mean; of integers the sum (which may wrap) divided towards zero."""
    axes = _axes(n)
    if x.dtype not in INTS:
        return xp.reshape(xp.mean(x, axes, True), n.out.shape)
    count = xp.constant(product(x.shape[a] for a in axes), x.dtype)
    return xp.reshape(xp.trunc_divide(xp.sum(x, axes, True), count), n.out.shape)


def _without_nan(xp: Any, x: Any, value: float) -> Any:
    return x if x.dtype in INTS else xp.where(xp.isnan(x), value, x)


@rule("nansum", dtypes=NUMBERS, refuse=nonempty, exact_int32=False)
def nansum(xp: Any, n: Node, x: Any) -> Any:
    """The sum of what is not NaN."""
    return xp.reshape(xp.sum(_without_nan(xp, x, 0.0), _axes(n), True), n.out.shape)


@rule("nanprod", dtypes=NUMBERS, refuse=nonempty, exact_int32=False)
def nanprod(xp: Any, n: Node, x: Any) -> Any:
    """The product of what is not NaN."""
    return xp.reshape(xp.prod(_without_nan(xp, x, 1.0), _axes(n), True), n.out.shape)


def _norm_kind(n: Node) -> str | None:
    """Refuse orders other than 1 and 2."""
    order = n.attrs.integer("ord", 2)
    return None if order in (1, 2) else f"ord={order} is not compiled; only 1 and 2 are"


@rule("moments", refuse=nonempty)
def moments(xp: Any, n: Node, x: Any) -> tuple[Any, Any]:
    """The mean, and the mean squared distance from it, over `axes`."""
    axes = axes_of(n, "axes", x.ndim)
    mean = xp.mean(x, axes, True)
    results = (mean, xp.mean(xp.square(xp.subtract(x, mean)), axes, True))
    if n.attrs.flag("keepdims"):
        return results
    # MXNet gives one number an axis of its own.
    shape = tuple(s for a, s in enumerate(x.shape) if a not in axes) or (1,)
    return xp.reshape(results[0], shape), xp.reshape(results[1], shape)


@rule("norm", dtypes=FLOATS, refuse=first_of(nonempty, _norm_kind, keeps_dtype))
def norm(xp: Any, n: Node, x: Any) -> Any:
    """The sum of absolute values (ord 1), or the root of the sum of squares (ord 2) over any number of axes."""
    axes = _axes(n)
    size = xp.abs(x)
    if n.attrs.integer("ord", 2) == 1:
        return xp.reshape(xp.sum(size, axes, True), n.out.shape)
    return xp.reshape(root_of_squares(xp, size, axes), n.out.shape)


def root_of_squares(xp: Any, size: Any, axes: tuple[int, ...]) -> Any:
    """The root of the sum of squares of magnitudes; the axes stay, with size 1."""
    # Squares overflow long before the norm does, and MXNet's do not: divide by the largest first.
    largest = xp.max(size, axes, True)
    largest = xp.where(largest == 0.0, 1.0, largest)
    root = xp.sqrt(xp.sum(xp.square(xp.divide(size, largest)), axes, True))
    return xp.multiply(root, largest)


def _position_fits(n: Node) -> str | None:
    """Refuse positions that the result cannot hold."""
    data, limit = n.in_spec(0), {"int8": 2**7, "uint8": 2**8}.get(n.out.dtype, 2**31)
    axis = 1 if n.op == "argmax_channel" else n.attrs.integer("axis") if n.attrs.has("axis") else None
    if (data.size if axis is None or not data.shape else data.shape[axis]) > limit:
        return f"positions in {data} go beyond what {n.out.dtype} holds"
    return None


def _position(name: str, default_axis: int | None) -> Callable[..., Any]:
    """A rule for the position of an extreme along one axis, or in the flattened array, as MXNet's output dtype."""

    def build(xp: Any, n: Node, x: Any) -> Any:
        if default_axis is not None:
            axis = default_axis
        elif n.attrs.has("axis") and x.ndim:
            axis = axis_of(n, "axis", 0, x.ndim)
        else:
            x, axis = xp.reshape(x, (x.size,)), 0
        return xp.reshape(xp.astype(getattr(xp, name)(x, axis), n.out.dtype), n.out.shape)

    return build


_asked = first_of(nonempty, _position_fits)
rule("argmax", "_npi_argmax", dtypes=NUMBERS, refuse=_asked, exact_int32=False)(_position("argmax", None))
rule("argmin", "_npi_argmin", dtypes=NUMBERS, refuse=_asked, exact_int32=False)(_position("argmin", None))
rule("argmax_channel", dtypes=NUMBERS, refuse=_asked, exact_int32=False)(_position("argmax", 1))
