"""Reductions of mx.np beyond the classic ones: all, any, std, var, average, norm, cumsum, diff and percentile."""

from __future__ import annotations

from math import ceil, floor, prod
from typing import Any

from ...graph.graph import Node
from ..common import first_of, only_first_output, same_dtypes
from ..extents import axes_of, axis_of, nonempty
from ..reduction import keeps_dtype, numpy_axes, root_of_squares
from ..registry import ANY, FLOATS, NUMBERS, rule


def _truth(name: str, *names: str) -> None:
    @rule(*names, dtypes=ANY, refuse=nonempty)
    def build(xp: Any, n: Node, x: Any) -> Any:
        if x.dtype != "bool":
            x = xp.not_equal(x, 0)
        # Of ones and zeros, "all" is the minimum and "any" the maximum.
        extreme = getattr(xp, name)(xp.astype(x, xp.float32), numpy_axes(n), True)
        return xp.reshape(xp.not_equal(extreme, 0), n.out.shape)


_truth("min", "_np_all")
_truth("max", "_np_any", "_np_sometrue")


def _degrees(n: Node) -> str | None:
    """Refuse a ddof that leaves no element."""
    shape, ddof = n.in_spec(0).shape, n.attrs.integer("ddof", 0)
    count = prod(shape[a] for a in numpy_axes(n))
    return None if ddof < count else f"ddof={ddof} leaves nothing of {count} elements"


def _variance(xp: Any, n: Node, x: Any) -> Any:
    axes = numpy_axes(n)
    centred = xp.subtract(x, xp.mean(x, axes, True))
    count = prod(x.shape[a] for a in axes)
    total = xp.sum(xp.square(centred), axes, True)
    return xp.reshape(xp.divide(total, float(count - n.attrs.integer("ddof", 0))), n.out.shape)


_MOMENT = first_of(nonempty, only_first_output, keeps_dtype, _degrees)


@rule("_npi_var", refuse=_MOMENT)
def var(xp: Any, n: Node, x: Any) -> Any:
    """The mean squared distance from the mean, with ddof taken off the count."""
    return _variance(xp, n, x)


@rule("_npi_std", refuse=_MOMENT)
def std(xp: Any, n: Node, x: Any) -> Any:
    """The root of var."""
    return xp.sqrt(_variance(xp, n, x))


@rule("_npi_average", refuse=first_of(nonempty, same_dtypes, only_first_output))
def average(xp: Any, n: Node, x: Any, weights: Any = None) -> Any:
    """The mean, or that weighted by an array of x's shape or by a vector along one axis."""
    axes = numpy_axes(n)
    if weights is None:
        return xp.reshape(xp.mean(x, axes, True), n.out.shape)
    if weights.shape != x.shape:
        weights = xp.reshape(weights, tuple(d if a in axes else 1 for a, d in enumerate(x.shape)))
    total = xp.sum(xp.multiply(x, weights), axes, True)
    return xp.reshape(xp.divide(total, xp.sum(weights, axes, True)), n.out.shape)


def _norm_kind(n: Node) -> str | None:
    """What np.linalg.norm makes without singular values: flag -2 is over everything, 1 and -1 over one axis or two."""
    flag, order, axes = n.attrs.integer("flag", 0), n.attrs.number("ord", 2.0), n.attrs.ints("axis", ())
    if (flag == -2 and not axes or flag == 1 and len(axes) == 2) and order == 2:
        return None
    if flag in (1, -1) and len(axes) == 1 and 0 < order < 100:
        return None
    return f"the norm with ord={order:g}, axis={n.attrs.text('axis', 'None')} and flag={flag} is not compiled"


@rule("_npi_norm", refuse=first_of(_norm_kind, nonempty, only_first_output))
def norm(xp: Any, n: Node, x: Any) -> Any:
    """The root of the sum of squares over everything or two axes, or a p-norm along one."""
    axes, order = numpy_axes(n), n.attrs.number("ord", 2.0)
    size = xp.abs(x)
    if order == 2:
        total = root_of_squares(xp, size, axes)
    elif order == 1:
        total = xp.sum(size, axes, True)
    else:
        total = xp.pow(xp.sum(xp.pow(size, order), axes, True), 1 / order)
    return xp.reshape(total, n.out.shape)


@rule("_np_cumsum", "cumsum", refuse=nonempty, dtypes=ANY)
def cumsum(xp: Any, n: Node, x: Any) -> Any:
    """The sums of the first elements along an axis, or of the flattened array, each brought to the result's dtype."""
    x = xp.astype(x, n.out.dtype)
    if not n.attrs.has("axis"):
        x = xp.reshape(x, (x.size,))
    return xp.cumsum(x, axis_of(n, "axis", 0, x.ndim) if x.ndim else 0)


@rule("_npi_diff", refuse=nonempty, dtypes=NUMBERS)
def diff(xp: Any, n: Node, x: Any) -> Any:
    """Differences of neighbours along an axis, n times."""
    axis = axis_of(n, "axis", -1, x.ndim)
    for _ in range(n.attrs.integer("n", 1)):
        x = neighbours(xp, x, axis)
    return x


def neighbours(xp: Any, x: Any, axis: int) -> Any:
    """Each element but the first minus the one before it."""
    rest = (slice(None),) * axis
    return xp.subtract(x[rest + (slice(1, None),)], x[rest + (slice(0, x.shape[axis] - 1),)])


@rule("_npi_ediff1d", refuse=first_of(nonempty, same_dtypes))
def ediff1d(xp: Any, n: Node, x: Any, *ends: Any) -> Any:
    """Differences of neighbours in the flattened array, with something put before and after them."""
    parts = [neighbours(xp, xp.reshape(x, (x.size,)), 0)] if x.size > 1 else []
    given = list(ends)
    for key in ("begin", "end"):
        if n.attrs.flag(f"to_{key}_arr_given"):
            end = given.pop(0)
            end = xp.reshape(end, (end.size,))
        elif n.attrs.has(f"to_{key}_scalar"):
            end = xp.full((1,), n.attrs.number(f"to_{key}_scalar"), x.dtype)
        else:
            continue
        parts = [end, *parts] if key == "begin" else [*parts, end]
    return xp.concat(parts, 0)


_BETWEEN = ("linear", "lower", "higher", "midpoint", "nearest")


def _one_quantile(n: Node) -> str | None:
    """Refuse percentiles that are an input, and unknown interpolations."""
    if not n.attrs.has("q_scalar"):
        return "the percentiles are an input; only one given as a number is compiled"
    kind = n.attrs.text("interpolation", "linear")
    return None if kind in _BETWEEN else f"interpolation={kind!r} is not one of {', '.join(_BETWEEN)}"


@rule("_npi_percentile", refuse=first_of(nonempty, _one_quantile), dtypes=FLOATS)
def percentile(xp: Any, n: Node, x: Any) -> Any:
    """The value below which q percent lie, along some axes; of float16 as float32."""
    x = xp.astype(x, n.out.dtype)
    axes = axes_of(n, "axis", x.ndim) if n.attrs.has("axis") else tuple(range(x.ndim))
    rest = tuple(a for a in range(x.ndim) if a not in axes)
    count = prod(x.shape[a] for a in axes)
    x = xp.reshape(xp.permute_dims(x, (*rest, *axes)), (*(x.shape[a] for a in rest), count))
    place = n.attrs.number("q_scalar") / 100 * (count - 1)
    low, high = floor(place), ceil(place)
    kind = n.attrs.text("interpolation", "linear")
    share = {"linear": place - low, "lower": 0.0, "higher": 1.0, "midpoint": 0.5}.get(kind)
    if share is None:
        # A half goes up.
        low = high = floor(place + 0.5)
        share = 0.0
    ordered, _ = xp.top_k(x, high + 1, x.ndim - 1, False)
    below, above = ordered[..., low], ordered[..., high]
    mixed = xp.add(below, xp.multiply(xp.subtract(above, below), share)) if low != high else below
    return xp.reshape(mixed, n.out.shape)
