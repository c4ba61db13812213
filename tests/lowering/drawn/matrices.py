"""Strategies of matrix products: dense layers, dot, einsum, linalg_*, attention."""

from __future__ import annotations

from math import prod

from .case import FLOATS, NUMBERS, OMIT, Case, Draw, Strategy

_MOST = ("float32", "float32", "float64")


def fully_connected(d: Draw) -> Case:
    shape, hidden = d.shape(low=1), d.integer(1, 5)
    flat, bare = d.flag(), d.flag()
    width = prod(shape[1:]) if flat else shape[-1]
    dtype = d.pick(*_MOST)
    inputs = [d.array(shape, dtype), d.array((hidden, width), dtype)]
    if not bare:
        inputs.append(d.array((hidden,), dtype))
    return Case(inputs, d.attrs(num_hidden=hidden, no_bias=bare, flatten=flat))


def dot(d: Draw) -> Case:
    inner, dtype = d.integer(1, 6), d.pick(*_MOST, "float16")
    flip_a, flip_b = d.flag(), d.flag()
    a, b = (d.shape(low=0, high=3, elements=30) for _ in range(2))
    left = (inner, *a) if flip_a else (*a, inner)
    right = (*b, inner) if flip_b else (inner, *b)
    given = {"transpose_a": flip_a, "transpose_b": flip_b}
    return Case([d.array(left, dtype), d.array(right, dtype)], d.attrs(**given))


def _matrix(d: Draw, rows: int, columns: int, flip: bool) -> tuple[int, int]:
    return (columns, rows) if flip else (rows, columns)


def batch_dot(d: Draw) -> Case:
    front = d.shape(low=1, high=3 if d.numpy else 1, elements=20)
    rows, inner, columns = (d.integer(1, 5) for _ in range(3))
    flips = d.flag(), d.flag()
    dtype = d.pick(*_MOST, "float16")
    a, b = (*front, *_matrix(d, rows, inner, flips[0])), (*front, *_matrix(d, inner, columns, flips[1]))
    given = dict(zip(("transpose_a", "transpose_b"), flips))
    return Case([d.array(a, dtype), d.array(b, dtype)], d.attrs(**given))


def matmul(d: Draw) -> Case:
    inner, dtype = d.integer(1, 5), d.pick(*FLOATS, "float32")
    front = d.shape(low=0, high=3, elements=20)
    a = (*d.broadcast(front), d.integer(1, 4), inner) if d.often() else (inner,)
    b = (*d.broadcast(front), inner, d.integer(1, 4)) if d.often() else (inner,)
    return Case([d.array(a, dtype), d.array(b, dtype)], d.attrs())


def numpy_dot(d: Draw) -> Case:
    inner, dtype = d.integer(1, 5), d.pick(*_MOST)
    a = d.pick((), (inner,), (*d.shape(low=1, high=2, elements=20), inner))
    b = d.pick((), (inner,), (inner, d.integer(1, 4)), (d.integer(1, 3), inner, d.integer(1, 4)))
    return Case([d.array(a, dtype), d.array(b, dtype)], d.attrs())


def tensordot(d: Draw) -> Case:
    common, dtype = d.shape(low=0, high=2, elements=12), d.pick(*_MOST)
    a, b = (d.shape(low=0, high=2, elements=12) for _ in range(2))
    if d.op == "_npi_tensordot_int_axes":
        return Case([d.array(a + common, dtype), d.array(common + b, dtype)], d.attrs(axes=len(common)))
    shapes, places = [], []
    for rest in (a, b):
        order = d.permutation(len(common) + len(rest))
        sizes = (*common, *rest)
        shapes.append(tuple(sizes[i] for i in order))
        found = tuple(order.index(i) for i in range(len(common)))
        places.append(tuple(p - len(sizes) if d.flag() else p for p in found))
    given = dict(zip(("a_axes_summed", "b_axes_summed"), places))
    return Case([d.array(s, dtype) for s in shapes], d.attrs(**given))


def polyval(d: Draw) -> Case:
    dtype = d.pick(*FLOATS, "int32", "int64")
    return Case([d.array((d.integer(1, 4),), dtype), d.array(d.shape(elements=60), dtype)], d.attrs())


def einsum(d: Draw) -> Case:
    sizes = {letter: d.integer(1, 4) for letter in "abcd"}
    dtype = d.pick(*_MOST)
    terms = ["".join(d.pick(*"abcd") for _ in range(d.integer(0, 3))) for _ in range(d.integer(1, 3))]
    shapes = [tuple(sizes[c] for c in term) for term in terms]
    front = d.shape(low=0, high=2, longest=3)
    dots = [d.integer(0, 3) == 3 for _ in terms]
    shapes = [(*d.broadcast(front), *s) if dot else s for s, dot in zip(shapes, dots)]
    text = ",".join(f"...{t}" if dot else t for t, dot in zip(terms, dots))
    used = sorted(set("".join(terms)))
    if d.flag():
        text += "->" + ("..." if any(dots) else "") + "".join(c for c in d.pick(used, used[::-1]) if d.flag())
    given = {"num_args": len(terms), "subscripts": text, "optimize": d.pick(OMIT, 0, 1)}
    return Case([d.array(s, dtype) for s in shapes], d.attrs(**given))


def gemm(d: Draw) -> Case:
    front, dtype = list(d.shape(low=0, high=2, elements=8)), d.pick(*_MOST)
    rows, inner, columns = (d.integer(1, 4) for _ in range(3))
    flips = d.flag(), d.flag()
    shapes = [_matrix(d, rows, inner, flips[0]), _matrix(d, inner, columns, flips[1]), (rows, columns)]
    # The axis of the rows may lie further to the front.
    place = d.integer(0, len(front))
    axis = place - len(front) - 2 if d.flag() else place
    placed = [(*front[:place], m, *front[place:], n) for m, n in shapes]
    given = {"alpha": d.pick(OMIT, 0.5, -2), "axis": axis, **dict(zip(("transpose_a", "transpose_b"), flips))}
    if "gemm2" not in d.op:
        given["beta"] = d.pick(OMIT, 0, 0.5, -2)
    return Case([d.array(s, dtype) for s in placed[: 2 if "gemm2" in d.op else 3]], d.attrs(**given))


def syrk(d: Draw) -> Case:
    shape = (*d.shape(low=0, high=2, elements=8), d.integer(1, 4), d.integer(1, 4))
    return Case([d.array(shape, d.pick(*_MOST))], d.attrs(alpha=d.pick(OMIT, 0.5, -2)))


def trmm(d: Draw) -> Case:
    front, side, other = d.shape(low=0, high=2, elements=8), d.integer(1, 4), d.integer(1, 4)
    right, dtype = d.flag(), d.pick(*_MOST)
    b = (*front, other, side) if right else (*front, side, other)
    given = {"rightside": right, "alpha": d.pick(OMIT, 0.5, -2)}
    return Case([d.array((*front, side, side), dtype), d.array(b, dtype)], d.attrs(**given))


def square(d: Draw) -> Case:
    side = d.integer(1, 5)
    x = d.array((*d.shape(low=0, high=2, elements=8), side, side), d.pick(*_MOST), "positive")
    given = {} if "sumlogdiag" in d.op else {"offset": d.pick(OMIT, *range(1 - side, side))}
    return Case([x], d.attrs(**given))


def vector(d: Draw) -> Case:
    size = d.integer(1, 6) if "diag" in d.op else d.pick(1, 3, 6, 10)
    x = d.array((*d.shape(low=0, high=2, elements=8), size), d.pick(*_MOST))
    return Case([x], d.attrs(offset=d.pick(OMIT, *range(-2, 3))))


def khatri_rao(d: Draw) -> Case:
    columns, count, dtype = d.integer(1, 4), d.integer(1, 3), d.pick(*FLOATS)
    return Case([d.array((d.integer(1, 4), columns), dtype) for _ in range(count)], d.attrs(num_args=count))


def div_sqrt_dim(d: Draw) -> Case:
    return Case([d.array(d.shape(), d.pick(*FLOATS, *NUMBERS))], d.attrs(), elementwise=True)


def attention(d: Draw) -> Case:
    steps, others, batch, heads, size = (d.integer(1, 4) for _ in range(5))
    dtype = d.pick(*_MOST)
    count = 3 if "self" in d.op else 2
    packed = (steps if count == 3 else others, batch, heads * count * size)
    if "valatt" in d.op:
        weights = (batch * heads, steps, steps if count == 3 else others)
        shapes = [packed, weights]
    else:
        shapes = [packed] if count == 3 else [(steps, batch, heads * size), packed]
    return Case([d.array(s, dtype) for s in shapes], d.attrs(heads=heads))


_LINALG = {
    "gemm2": gemm,
    "gemm": gemm,
    "syrk": syrk,
    "trmm": trmm,
    "sumlogdiag": square,
    "extractdiag": square,
    "extracttrian": square,
    "makediag": vector,
    "maketrian": vector,
}
STRATEGIES: dict[str, Strategy] = {
    **dict.fromkeys(("FullyConnected", "_npx_fully_connected"), fully_connected),
    "dot": dot,
    **dict.fromkeys(("batch_dot", "_npx_batch_dot"), batch_dot),
    "_npi_matmul": matmul,
    "_np_dot": numpy_dot,
    **dict.fromkeys(("_npi_tensordot", "_npi_tensordot_int_axes"), tensordot),
    "_npi_polyval": polyval,
    "_npi_einsum": einsum,
    **{f"{front}linalg_{op}": strategy for op, strategy in _LINALG.items() for front in ("", "_")},
    "khatri_rao": khatri_rao,
    "_contrib_div_sqrt_dim": div_sqrt_dim,
    **{
        f"_contrib_interleaved_matmul_{kind}": attention
        for kind in ("selfatt_qk", "selfatt_valatt", "encdec_qk", "encdec_valatt")
    },
}
