"""Strategies of operators that pick elements by position, of choices, and of operators over padded sequences."""

from __future__ import annotations

from math import prod

import numpy as np

from .case import ANY, FLOATS, MOVED, NUMBERS, OMIT, Case, Draw, Strategy

# Floats hold the positions as often as integers do; a fraction is cut off.
POSITIONS = ("int32", "float32", "int64", "int8", "uint8", "float16", "float64")


def positions(d: Draw, shape: tuple[int, ...], low: int, high: int) -> np.ndarray:
    """Positions between `low` and `high`, with fractions if they are floats."""
    dtype = d.pick(*POSITIONS)
    if dtype == "uint8":
        low = max(low, 0)
    high = min(high, {"int8": 127, "uint8": 255}.get(dtype, high))
    found = np.random.RandomState(d.integer(0, 9999)).uniform(low, max(high, low) + 0.99, shape)
    return np.asarray(found if dtype in FLOATS and d.flag() else np.floor(found)).astype(dtype)


def take(d: Draw) -> Case:
    shape = d.shape(low=1, high=4, elements=200)
    axis = d.axis(len(shape))
    index = positions(d, d.shape(high=3, elements=20), -9, 9)
    return Case([d.array(shape, d.pick(*NUMBERS), *MOVED), index], d.attrs(axis=d.pick(OMIT, axis)), elementwise=True)


def embedding(d: Draw) -> Case:
    rows, width = d.integer(1, 6), d.integer(1, 5)
    dtype = d.pick("float32", *NUMBERS)
    index = positions(d, d.shape(high=3, elements=20), -3, 8)
    given = {"input_dim": rows, "output_dim": width, "dtype": dtype}
    return Case([index, d.array((rows, width), dtype, *MOVED)], d.attrs(**given))


def pick(d: Draw) -> Case:
    shape = d.shape(low=1)
    axis = d.axis(len(shape))
    rest = [1 if i == axis % len(shape) else s for i, s in enumerate(shape)]
    if d.flag():
        del rest[axis]
    index = positions(d, tuple(rest), -9, 9)
    return Case([d.array(shape, d.pick(*NUMBERS), *MOVED), index], d.attrs(axis=d.pick(axis, OMIT, None)))


def batch_take(d: Draw) -> Case:
    rows, columns = d.integer(1, 6), d.integer(1, 6)
    index = positions(d, (rows,), -3, 8)
    return Case([d.array((rows, columns), d.pick(*NUMBERS), *MOVED), index], d.attrs())


def gather_nd(d: Draw) -> Case:
    """Positions out of range are an error in MXNet."""
    shape = d.shape(low=1, high=4, elements=200)
    depth = d.integer(1, len(shape))
    rest = d.shape(low=0 if d.numpy else 1, high=2, elements=20)
    dtype, random = d.pick(*POSITIONS), np.random.RandomState(d.integer(0, 9999))
    low = 0 if dtype == "uint8" else -1
    index = np.stack([random.randint(low * s, max(s, 1), rest) for s in shape[:depth]]).astype(dtype)
    return Case([d.array(shape, d.pick(*NUMBERS), *MOVED), index], d.attrs())


def one_hot(d: Draw) -> Case:
    given = {"depth": d.integer(1, 7), "on_value": d.pick(OMIT, 2.5, -3, 0), "off_value": d.pick(OMIT, 0.5, -1, 300)}
    return Case([positions(d, d.shape(high=4, elements=60), -3, 9)], d.attrs(**given))


def where(d: Draw) -> Case:
    shape = d.shape()
    row = d.integer(0, 3) == 3 and len(shape) > 0
    dtype = d.pick(*ANY)
    condition = d.array(shape[:1] if row else shape, d.pick(*ANY), "whole")
    return Case([condition, d.array(shape, dtype, *MOVED), d.array(shape, dtype, *MOVED)], d.attrs())


def numpy_where(d: Draw) -> Case:
    shape, dtype = d.shape(high=4), d.pick(*ANY)
    condition = d.array(d.broadcast(shape), d.pick(*ANY), "whole")
    arrays = [d.array(d.broadcast(shape), dtype, *MOVED) for _ in range(2)]
    if d.op == "_npi_where":
        return Case([condition, *arrays], d.attrs())
    if d.op == "_npi_where_scalar2":
        return Case([condition], d.attrs(x=d.pick(OMIT, 1.5, -2), y=d.pick(OMIT, 0.5, 3)))
    return Case([condition, arrays[0]], d.attrs(scalar=d.pick(OMIT, 1.5, -2, 3, 300, 0)))


def unravel(d: Draw) -> Case:
    shape = d.shape(low=1, high=4)
    shape = tuple(max(s, 1) for s in shape)
    index = positions(d, (d.integer(1, 6),), 0, prod(shape) - 1)
    return Case([index], d.attrs(shape=shape))


def ravel(d: Draw) -> Case:
    shape = tuple(max(s, 1) for s in d.shape(low=1, high=4))
    dtype, random = d.pick(*POSITIONS), np.random.RandomState(d.integer(0, 9999))
    count = d.integer(1, 6)
    index = np.stack([random.randint(0, s, count) for s in shape]).astype(dtype)
    return Case([index], d.attrs(shape=shape))


def scatter_nd(d: Draw) -> Case:
    """Each place once: which of several values for one stays is open."""
    shape = tuple(max(s, 1) for s in d.shape(low=1, high=4, elements=100))
    depth = d.integer(1, len(shape))
    cells = prod(shape[:depth])
    count = d.integer(1, min(cells, 8))
    places = np.random.RandomState(d.integer(0, 9999)).permutation(cells)[:count]
    index = np.stack(np.unravel_index(places, shape[:depth])).astype(d.pick(*POSITIONS))
    if count % 2 == 0 and d.flag():
        index = index.reshape(depth, 2, count // 2)
    x = d.array((*index.shape[1:], *shape[depth:]), d.pick(*NUMBERS), *MOVED)
    return Case([x, index], d.attrs(shape=shape))


def index_copy(d: Draw) -> Case:
    shape, dtype = d.shape(low=1, high=4), d.pick(*NUMBERS)
    places = np.random.RandomState(d.integer(0, 9999)).permutation(shape[0])[: d.integer(1, shape[0])]
    new = d.array((len(places), *shape[1:]), dtype, *MOVED)
    return Case([d.array(shape, dtype, *MOVED), places.astype(d.pick("int32", "int64", *POSITIONS)), new], d.attrs())


def sequence(d: Draw) -> Case:
    shape = d.shape(low=2)
    dtype = d.pick("float32", *NUMBERS)
    axis = 0 if d.op == "SequenceReverse" else d.pick(0, 1)
    inputs = [d.array(shape, dtype, *MOVED)]
    used = d.often()
    if used:
        least = 1 if d.op == "SequenceLast" else 0
        random = np.random.RandomState(d.integer(0, 9999))
        lengths = random.randint(least, max(shape[axis], least) + 1, (shape[1 - axis],))
        inputs.append(lengths.astype(d.pick(dtype, "int32", "float32", "int64")))
    given = {"axis": d.pick(axis, OMIT) if axis == 0 else axis, "use_sequence_length": used}
    if "ask" in d.op:
        given["value"] = d.pick(OMIT, -1, 0.5, 2.5)
    return Case(inputs, d.attrs(**given))


STRATEGIES: dict[str, Strategy] = {
    **dict.fromkeys(("take", "_npi_take"), take),
    **dict.fromkeys(("Embedding", "_contrib_SparseEmbedding", "_npx_embedding"), embedding),
    **dict.fromkeys(("pick", "choose_element_0index", "_npx_pick"), pick),
    "batch_take": batch_take,
    **dict.fromkeys(("gather_nd", "_npx_gather_nd", "_npi_gather_nd"), gather_nd),
    **dict.fromkeys(("one_hot", "_npx_one_hot"), one_hot),
    "where": where,
    **{f"_npi_where{end}": numpy_where for end in ("", "_lscalar", "_rscalar", "_scalar2")},
    **dict.fromkeys(("_unravel_index", "unravel_index"), unravel),
    **dict.fromkeys(("_ravel_multi_index", "ravel_multi_index"), ravel),
    "scatter_nd": scatter_nd,
    "_contrib_index_copy": index_copy,
    **dict.fromkeys(("SequenceMask", "_npx_sequence_mask", "SequenceLast", "SequenceReverse"), sequence),
}
