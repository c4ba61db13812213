"""Strategies of reductions, sorting, and running sums and differences."""

from __future__ import annotations

from math import prod

from .case import ANY, FLOATS, INTS, NUMBERS, OMIT, Case, Draw, Strategy


def axes_or_none(d: Draw, ndim: int) -> object:
    """What an attribute that lists axes may be: absent, None, one axis, several in any order, or none."""
    return d.pick(OMIT, None, d.axis(ndim), d.axes(ndim), d.axes(ndim), ())


def reduction(*kinds: str, dtypes: tuple[str, ...] = NUMBERS) -> Strategy:
    def strategy(d: Draw) -> Case:
        shape = d.shape()
        x = d.array(shape, d.pick("float32", *dtypes), *kinds)
        return Case([x], d.attrs(axis=axes_or_none(d, len(shape))))

    return strategy


def numpy_reduction(*kinds: str) -> Strategy:
    def strategy(d: Draw) -> Case:
        shape = d.shape()
        initial = d.pick(OMIT, OMIT, OMIT, None, 2.5)
        return Case([d.array(shape, d.pick(*ANY), *kinds)], d.attrs(axis=axes_or_none(d, len(shape)), initial=initial))

    return strategy


def norm(d: Draw) -> Case:
    shape = d.shape()
    x = d.array(shape, d.pick(*FLOATS, *NUMBERS), "plain", "whole", "wide")
    return Case([x], d.attrs(ord=d.pick(OMIT, 1, 2, 3), axis=axes_or_none(d, len(shape))))


def position(d: Draw) -> Case:
    shape = d.shape()
    axis = d.pick(OMIT, None, d.axis(len(shape)))
    return Case([d.array(shape, d.pick(*FLOATS, *NUMBERS))], d.attrs(axis=axis))


def argmax_channel(d: Draw) -> Case:
    return Case([d.array(d.shape(low=2), d.pick(*NUMBERS))], d.attrs())


def moment(d: Draw) -> Case:
    shape = d.shape()
    given = {"axis": axes_or_none(d, len(shape)), "ddof": d.pick(OMIT, 0, 1, 2)}
    return Case([d.array(shape, d.pick(*FLOATS, *NUMBERS))], d.attrs(**given))


def mean_and_variance(d: Draw) -> Case:
    shape = d.shape()
    axes = d.pick(OMIT, None, d.axes(len(shape)), d.axes(len(shape)))
    # Of the variance alone MXNet computes the distances from a mean that it never wrote.
    return Case([d.array(shape, d.pick(*FLOATS))], d.attrs(axes=axes), d.pick((0, 1), (0,)))


def average(d: Draw) -> Case:
    shape, dtype = d.shape(), d.pick(*FLOATS, *NUMBERS)
    axis = axes_or_none(d, len(shape))
    inputs = [d.array(shape, dtype)]
    weighted = d.flag()
    if weighted:
        vector = isinstance(axis, int) and len(shape) > 0 and d.flag()
        inputs.append(d.array((shape[axis],) if vector else shape, dtype, "positive"))  # type: ignore[index]
    return Case(inputs, d.attrs(axis=axis, weighted=weighted))


def numpy_norm(d: Draw) -> Case:
    """The attributes are those that mx.np.linalg.norm sets; MXNet does not document them."""
    shape = d.shape(low=1, high=4)
    axis = d.pick(None, d.axis(len(shape)), d.axes(len(shape)))
    given = {"ord": d.pick(2, 1, 3, 0.5, "inf", 0), "axis": axis, "keepdims": d.flag(), "flag": d.pick(-2, 1, -1, 2)}
    return Case([d.array(shape, d.pick(*FLOATS), "plain", "whole")], given)


def cumsum(d: Draw) -> Case:
    shape = d.shape()
    axis = d.pick(OMIT, None, d.axis(len(shape)))
    return Case([d.array(shape, d.pick(*NUMBERS))], d.attrs(axis=axis))


def diff(d: Draw) -> Case:
    shape = d.shape(low=1)
    axis = d.axis(len(shape))
    return Case([d.array(shape, d.pick(*NUMBERS))], d.attrs(n=d.pick(OMIT, 0, 1, 2, 3), axis=d.pick(OMIT, axis)))


def ediff1d(d: Draw) -> Case:
    dtype = d.pick(*FLOATS, *NUMBERS)
    inputs = [d.array(d.shape(), dtype)]
    given: dict[str, object] = {}
    for key in ("begin", "end"):
        kind = d.pick("none", "array", "number")
        given[f"to_{key}_arr_given"] = kind == "array"
        given[f"to_{key}_scalar"] = d.pick(0.5, -2) if kind == "number" else OMIT
        if kind == "array":
            inputs.append(d.array(d.shape(low=1, high=2), dtype))
    return Case(inputs, d.attrs(**given))


def percentile(d: Draw) -> Case:
    shape = d.shape()
    given = {"axis": axes_or_none(d, len(shape)), "q_scalar": d.pick(0, 50, 100, 25, 33.3, 99)}
    return Case([d.array(shape, d.pick(*FLOATS, *NUMBERS))], d.attrs(**given))


def sort(d: Draw) -> Case:
    """Distinct values: MXNet leaves the order of equals open."""
    shape = d.shape(low=1, elements=200)
    dtype = d.pick(*FLOATS, *INTS)
    if prod(shape) > 100 and dtype in ("int8", "uint8"):
        dtype = "float32"
    axis = d.pick(OMIT, None, d.axis(len(shape)))
    given: dict[str, object] = {"axis": axis}
    outputs: tuple[int, ...] = (0,)
    if "topk" in d.op:
        length = prod(shape) if axis is None else shape[-1 if axis is OMIT else axis]  # type: ignore[index]
        given["k"] = d.pick(OMIT, 1, 0, length, d.integer(1, max(length, 1)), -1)
        given["ret_typ"] = d.pick(OMIT, "value", "indices", "mask", "both")
        if given["ret_typ"] == "both":
            outputs = d.pick((0,), (1,), (0, 1))
    return Case([d.array(shape, dtype, "distinct")], d.attrs(**given), outputs, elementwise=True)


_SUMS = ("sum", "sum_axis", "mean", "nansum")
_EXTREMES = ("max", "max_axis", "min", "min_axis")
STRATEGIES: dict[str, Strategy] = {
    **{op: reduction() for op in (*_SUMS, *_EXTREMES)},
    **{op: reduction("unit", "whole", "positive") for op in ("prod", "nanprod")},
    "norm": norm,
    **{op: numpy_reduction() for op in ("_np_sum", "_npi_mean")},
    **{op: numpy_reduction("unit", "whole", "positive") for op in ("_np_prod", "_np_product")},
    **{op: numpy_reduction() for op in ("_np_max", "_np_amax", "_np_min", "_np_amin")},
    **{op: reduction("whole", dtypes=ANY) for op in ("_np_all", "_np_any", "_np_sometrue")},
    **dict.fromkeys(("argmax", "_npi_argmax", "argmin", "_npi_argmin"), position),
    "argmax_channel": argmax_channel,
    **dict.fromkeys(("_npi_var", "_npi_std"), moment),
    "_npi_average": average,
    "_npi_norm": numpy_norm,
    "moments": mean_and_variance,
    **dict.fromkeys(("_np_cumsum", "cumsum"), cumsum),
    "_npi_diff": diff,
    "_npi_ediff1d": ediff1d,
    "_npi_percentile": percentile,
    **dict.fromkeys(("topk", "_npx_topk", "sort", "_npi_sort", "argsort", "_npi_argsort"), sort),
}
