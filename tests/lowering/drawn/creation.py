"""Strategies of operators whose result depends on shapes and attributes only, and of diagonals."""

from __future__ import annotations

from .case import ANY, FLOATS, MOVED, NUMBERS, OMIT, Case, Draw, Strategy


def filled(d: Draw) -> Case:
    given = {"shape": d.pick(d.shape(), d.shape(), d.integer(1, 5))}
    if d.op in ("_full", "_npi_full"):
        given["value"] = d.pick(0.5, 2, -1, 300, 1e5, 2.5)
    if d.op == "_zeros_without_dtype":
        given["dtype"] = d.pick(OMIT, -1, 0, 1, 2, 4, 6)
    return Case([], d.attrs(**given))


def like(d: Draw) -> Case:
    return Case([d.array(d.shape(), d.pick(*ANY))], d.attrs())


def index_array(d: Draw) -> Case:
    shape = d.shape(low=1, high=4)
    return Case([d.array(shape, d.pick(*ANY))], d.attrs(axes=d.pick(OMIT, None, d.axes(len(shape)))))


def full_like(d: Draw) -> Case:
    return Case([d.array(d.shape(), d.pick(*ANY))], d.attrs(fill_value=d.pick(0.5, 2, -1, 0, 100)))


def arange(d: Draw) -> Case:
    start, count = d.pick(0, 2.5, -3, 1), d.integer(1, 9)
    step = d.pick(1, 2, 0.5, -1, 0.3)
    stop = d.pick(None, start + step * count, start + step * (count - 0.5))
    given = {"start": 5 if stop is None else start, "stop": stop, "step": OMIT if stop is None else step}
    return Case([], d.attrs(**given, repeat=d.pick(OMIT, 1, 2, 3), infer_range=OMIT), elementwise=True)


def arange_like(d: Draw) -> Case:
    shape = d.shape(low=1)
    given = {
        "start": d.pick(OMIT, 2, -1.5),
        "step": d.pick(OMIT, 2, 0.5, -1),
        "axis": d.pick(OMIT, None, d.axis(len(shape))),
    }
    return Case([d.array(shape, d.pick(*NUMBERS))], d.attrs(**given, repeat=d.pick(OMIT, 1, 2)))


def linspace(d: Draw) -> Case:
    """The attributes are those that mx.nd.linspace sets; MXNet documents those of arange."""
    given = {"start": d.pick(0, 2.5, -3), "stop": d.pick(1, 10, -7.5), "num": d.integer(1, 9), "endpoint": d.flag()}
    return Case([], {**given, "dtype": d.pick(*FLOATS, *NUMBERS)})


def logspace(d: Draw) -> Case:
    given = {
        "start": d.pick(0, 0.5, -3),
        "stop": d.pick(1, 2, -1.5),
        "num": d.integer(1, 9),
        "base": d.pick(OMIT, 2, 2.5),
    }
    return Case([], d.attrs(**given), elementwise=True)


def eye(d: Draw) -> Case:
    columns = d.pick(OMIT, d.integer(1, 6)) if d.numpy else d.pick(OMIT, 0, d.integer(1, 6))
    return Case([], d.attrs(N=d.integer(1, 6), M=columns, k=d.pick(OMIT, *range(-7, 8))))


def diag(d: Draw) -> Case:
    shape = d.shape(low=1, high=4)
    given = {"k": d.pick(OMIT, *range(-3, 4))}
    if d.op == "diag":
        a, b = d.permutation(max(len(shape), 2))[:2]
        given |= d.pick({"axis1": OMIT, "axis2": OMIT}, {"axis1": a - len(shape), "axis2": b})
    return Case([d.array(shape, d.pick(*ANY), *MOVED)], d.attrs(**given))


def diagonal(d: Draw) -> Case:
    shape = d.shape(low=2)
    a, b = d.permutation(len(shape))[:2]
    given = d.pick({"axis1": OMIT, "axis2": OMIT}, {"axis1": a, "axis2": b - len(shape)})
    return Case([d.array(shape, d.pick(*ANY))], d.attrs(offset=d.pick(OMIT, *range(-4, 5)), **given))


def tril(d: Draw) -> Case:
    return Case([d.array(d.shape(low=1), d.pick(*ANY), *MOVED)], d.attrs(k=d.pick(OMIT, *range(-4, 5))))


def identity(d: Draw) -> Case:
    side = d.integer(0 if d.numpy else 1, 6)
    return Case([], d.attrs(shape=(side, side)))


def indices(d: Draw) -> Case:
    return Case([], d.attrs(dimensions=d.shape(low=1, high=4, elements=60)))


def diag_indices_from(d: Draw) -> Case:
    side = d.integer(1, 5)
    return Case([d.array((side,) * d.integer(2, 4), d.pick(*NUMBERS))], d.attrs())


def window(d: Draw) -> Case:
    return Case([], d.attrs(M=d.integer(1, 12)), single=True)


STRATEGIES: dict[str, Strategy] = {
    **dict.fromkeys(
        ("_zeros", "_ones", "_full", "_npi_zeros", "_npi_ones", "_npi_full", "_zeros_without_dtype"), filled
    ),
    **dict.fromkeys(("zeros_like", "ones_like", "shape_array", "_npx_shape_array", "size_array"), like),
    "_contrib_index_array": index_array,
    "_npi_full_like": full_like,
    **dict.fromkeys(("_arange", "_npi_arange"), arange),
    **dict.fromkeys(("_contrib_arange_like", "_npx_arange_like"), arange_like),
    **dict.fromkeys(("_linspace", "_npi_linspace"), linspace),
    "_npi_logspace": logspace,
    **dict.fromkeys(("_eye", "_npi_eye"), eye),
    **dict.fromkeys(("diag", "_np_diag", "_np_diagflat"), diag),
    **dict.fromkeys(("_np_diagonal", "_np_trace"), diagonal),
    "_npi_tril": tril,
    "_npi_identity": identity,
    "_npi_indices": indices,
    "_npi_diag_indices_from": diag_indices_from,
    **{f"_npi_{name}": window for name in ("hanning", "hamming", "blackman")},
}
