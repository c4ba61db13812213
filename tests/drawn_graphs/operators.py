"""The operators of drawn graphs: what each reads, and how its attributes and weights are drawn.

An operator is a function of `Pool`, which draws: it adds a step, or raises Unfit when no value has a shape that it
takes. Values are kept of moderate size, so that a difference is one of the computation and not of rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mxnet as mx
import numpy as np
from hypothesis import strategies as st

from .graph import DrawnGraph, Step, applied

NAMES = ("a", "b", "c", "d", "e", "fwd")
"""So few that nodes of equal names are the rule."""


class Unfit(Exception):
    """No value fits the operator."""


class Pool:
    """A graph in the making, with the arrays of its values."""

    def __init__(self, draw: Callable[[Any], Any], inputs: dict[str, np.ndarray], prefix: str = "") -> None:
        self.draw = draw
        self.graph = DrawnGraph(inputs)
        self.arrays = [mx.nd.array(v) for v in inputs.values()]
        self.prefix = prefix

    def one(self, of: Any) -> Any:
        """One of several."""
        return self.draw(st.sampled_from(list(of)))

    def value(self, fits: Callable[[tuple[int, ...]], bool] = lambda shape: True) -> int:
        """A value whose shape fits; later ones are likelier, so that graphs are deep."""
        found = [i for i, a in enumerate(self.arrays) if fits(a.shape)]
        if not found:
            raise Unfit
        recent = found[-6:]
        return int(self.one(recent if self.draw(st.booleans()) else found))

    def shape(self, value: int) -> tuple[int, ...]:
        """Of a value."""
        return tuple(self.arrays[value].shape)

    def parameter(self, shape: tuple[int, ...], low: float = -1, high: float = 1) -> int:
        """A new parameter."""
        name = f"{self.prefix}p{len(self.graph.parameters)}"
        random = np.random.default_rng(len(self.arrays))
        self.graph.parameters[name] = random.uniform(low, high, shape).astype("float32")
        self.graph.steps.append(name)
        self.arrays.append(mx.nd.array(self.graph.parameters[name]))
        return len(self.arrays) - 1

    def add(self, op: str, *reads: int, name: str | None = None, **attrs: Any) -> int:
        """Add an operator; returns its first value. Unfit where MXNet refuses, or the values are out of hand."""
        step = Step(op, reads, attrs, name or self.one(NAMES))
        try:
            made = applied(mx.nd, step, self.arrays)
            largest = max(
                (float(abs(a.astype("float32")).max().asscalar()) if a.size else 0.0 for a in made), default=0
            )
        except (mx.base.MXNetError, ValueError) as error:
            raise Unfit from error
        if not largest < 1e3:
            raise Unfit
        self.graph.steps.append(step)
        self.arrays += made
        return len(self.arrays) - len(made)

    def calm(self, value: int) -> None:
        """Keep what follows a value that may be large of moderate size."""
        self.add("tanh", value)


def _unary(op: str) -> Callable[[Pool], None]:
    return lambda pool: pool.add(op, pool.value()) and None


def _positive(op: str) -> Callable[[Pool], None]:
    def add(pool: Pool) -> None:
        inside = pool.add("abs", pool.value())
        pool.add(op, pool.add("_plus_scalar", inside, scalar=0.5))

    return add


def _binary(op: str) -> Callable[[Pool], None]:
    def add(pool: Pool) -> None:
        x = pool.value()
        y = pool.value(lambda shape: shape == pool.shape(x))
        pool.add(op, x, y)

    return add


def _broadcast(op: str) -> Callable[[Pool], None]:
    def add(pool: Pool) -> None:
        x = pool.value(lambda shape: len(shape) >= 2)
        shape = pool.shape(x)
        axis = pool.one(range(1, len(shape)))
        pool.add(op, x, pool.parameter(tuple(n if i == axis else 1 for i, n in enumerate(shape)), 0.5, 1.5))

    return add


def _scalar(op: str) -> Callable[[Pool], None]:
    return lambda pool: pool.add(op, pool.value(), scalar=pool.one((-1.5, 0.5, 2.0))) and None


def _reduction(op: str) -> Callable[[Pool], None]:
    def add(pool: Pool) -> None:
        x = pool.value(lambda shape: len(shape) >= 2)
        rank = len(pool.shape(x))
        pool.add(op, x, axis=pool.one(range(-1, rank)), keepdims=pool.draw(st.booleans()))

    return add


def _along(op: str) -> Callable[[Pool], None]:
    def add(pool: Pool) -> None:
        x = pool.value(lambda shape: len(shape) >= 2)
        pool.add(op, x, axis=pool.one(range(-1, len(pool.shape(x)))))

    return add


def _dense(pool: Pool) -> None:
    x = pool.value(lambda shape: len(shape) >= 2)
    flatten = pool.draw(st.booleans())
    shape = pool.shape(x)
    inside = int(np.prod(shape[1:])) if flatten else shape[-1]
    units, bias = pool.one((4, 6)), pool.draw(st.booleans())
    weights = [pool.parameter((units, inside), -0.5, 0.5), *([pool.parameter((units,))] if bias else [])]
    pool.add("FullyConnected", x, *weights, num_hidden=units, no_bias=not bias, flatten=flatten)


def _convolution(pool: Pool) -> None:
    x = pool.value(lambda shape: len(shape) == 4 and min(shape[2:]) >= 1)
    channels = pool.shape(x)[1]
    out = pool.one((4, 6))
    weight = pool.parameter((out, channels, 3, 3), -0.3, 0.3)
    stride = pool.one((1, 2))
    pool.add("Convolution", x, weight, kernel=(3, 3), pad=(1, 1), stride=(stride,) * 2, num_filter=out, no_bias=True)


def _pooling(pool: Pool) -> None:
    x = pool.value(lambda shape: len(shape) == 4 and min(shape[2:]) >= 2)
    kind, stride = pool.one(("max", "avg")), pool.one((1, 2))
    pool.add("Pooling", x, kernel=(2, 2), stride=(stride,) * 2, pool_type=kind)


def _instance_norm(pool: Pool) -> None:
    x = pool.value(lambda shape: len(shape) > 2)
    channels = pool.shape(x)[1]
    pool.add("InstanceNorm", x, pool.parameter((channels,), 0.5, 1.5), pool.parameter((channels,)))


def _batch_norm(pool: Pool) -> None:
    x = pool.value(lambda shape: len(shape) >= 2)
    channels = (pool.shape(x)[1],)
    gamma, beta, mean = pool.parameter(channels, 0.5, 1.5), pool.parameter(channels), pool.parameter(channels)
    pool.add(
        "BatchNorm", x, gamma, beta, mean, pool.parameter(channels, 0.5, 1.5), fix_gamma=False, use_global_stats=True
    )


def _layer_norm(pool: Pool) -> None:
    x = pool.value(lambda shape: len(shape) >= 2 and shape[-1] > 1)
    n = pool.shape(x)[-1]
    pool.add("LayerNorm", x, pool.parameter((n,), 0.5, 1.5), pool.parameter((n,)))


def _split(pool: Pool) -> None:
    x = pool.value(lambda shape: len(shape) >= 2 and shape[1] % 2 == 0 and shape[1] > 0)
    pool.add("split", x, num_outputs=2, axis=1)


def _topk(pool: Pool) -> None:
    x = pool.value(lambda shape: len(shape) >= 2 and shape[-1] >= 2)
    pool.add("topk", x, k=2, ret_typ="value")


def _concat(pool: Pool) -> None:
    x = pool.value(lambda shape: len(shape) >= 2)
    shape = pool.shape(x)
    y = pool.value(lambda s: len(s) == len(shape) and s[0] == shape[0] and s[2:] == shape[2:])
    pool.add("concat", x, y, dim=1)


def _stack(pool: Pool) -> None:
    x = pool.value(lambda shape: len(shape) <= 3)
    y = pool.value(lambda shape: shape == pool.shape(x))
    pool.add("stack", x, y, axis=pool.one((0, 1)))


def _add_n(pool: Pool) -> None:
    x = pool.value()
    more = [pool.value(lambda shape: shape == pool.shape(x)) for _ in range(2)]
    pool.add("add_n", x, *more)


def _where(pool: Pool) -> None:
    x = pool.value()
    same = [pool.value(lambda shape: shape == pool.shape(x)) for _ in range(2)]
    # Of something that is exact: what is nearly 0 would be on this side here and on the other there.
    condition = pool.value(lambda shape: shape == pool.shape(x))
    if condition >= len(pool.graph.inputs):
        raise Unfit
    pool.add("where", pool.add("_greater_scalar", condition, scalar=0.0), *same)


def _transpose(pool: Pool) -> None:
    x = pool.value(lambda shape: len(shape) >= 2)
    pool.add("transpose", x, axes=tuple(pool.draw(st.permutations(range(len(pool.shape(x)))))))


def _reshape(pool: Pool) -> None:
    x = pool.value(lambda shape: len(shape) >= 2)
    pool.add("reshape", x, shape=pool.one(((0, -1), (-1,), (-1, 1), (0, -1, 1), (-3, -2), (1, -1))))


def _slice_axis(pool: Pool) -> None:
    x = pool.value(lambda shape: len(shape) >= 2 and shape[1] >= 2)
    pool.add("slice_axis", x, axis=1, begin=pool.one((0, 1)), end=None)


def _take(pool: Pool) -> None:
    x = pool.value(lambda shape: len(shape) >= 2)
    order = np.arange(pool.shape(x)[1])[::-1]
    index = pool.parameter((len(order),))
    name = str(pool.graph.steps[-1])
    pool.graph.exact.add(name)
    pool.graph.parameters[name] = order.astype("float32")
    pool.arrays[index] = mx.nd.array(pool.graph.parameters[name])
    pool.add("take", x, index, axis=1, mode="clip")


def _batch_dot(pool: Pool) -> None:
    x = pool.value(lambda shape: len(shape) == 3)
    pool.add("batch_dot", x, x, transpose_b=True)


def _dot(pool: Pool) -> None:
    x = pool.value(lambda shape: len(shape) == 2)
    pool.add("dot", x, pool.parameter((pool.shape(x)[1], 4), -0.5, 0.5))


def _leaky(pool: Pool) -> None:
    pool.add("LeakyReLU", pool.value(), act_type=pool.one(("leaky", "elu", "gelu", "selu")), slope=0.2)


def _shared(pool: Pool) -> None:
    """One tower with one set of weights on two values, as a block that is called twice, with the same names."""
    x = pool.value(lambda shape: len(shape) == 2)
    y = pool.value(lambda shape: shape == pool.shape(x))
    width = pool.shape(x)[1]
    weight, bias = pool.parameter((width, width), -0.5, 0.5), pool.parameter((width,))
    name, kind = pool.one(NAMES), pool.one(("tanh", "sigmoid", "relu"))
    for value in (x, y):
        inside = pool.add("FullyConnected", value, weight, bias, num_hidden=width, name=name)
        pool.add("Activation", inside, act_type=kind, name=f"{name}0")


def _clip(pool: Pool) -> None:
    pool.add("clip", pool.value(), a_min=-0.7, a_max=0.9)


def _expand(pool: Pool) -> None:
    pool.add("expand_dims", pool.value(lambda shape: len(shape) <= 3), axis=pool.one((0, 1, -1)))


def _tile(pool: Pool) -> None:
    pool.add("tile", pool.value(lambda shape: len(shape) == 2), reps=(1, 2))


def _repeat(pool: Pool) -> None:
    pool.add("repeat", pool.value(lambda shape: len(shape) == 2), repeats=2, axis=1)


def _outside(pool: Pool) -> None:
    """An operator that no target compiles."""
    x = pool.value(lambda shape: len(shape) == 2)
    pool.add("Cast", pool.add("round", pool.add("Cast", x, dtype="float64")), dtype="float32")


OPERATORS: dict[str, Callable[[Pool], None]] = {
    **{op: _unary(op) for op in ("relu", "sigmoid", "tanh", "abs", "negative", "square", "sin", "cos", "arctan")},
    **{op: _unary(op) for op in ("softsign", "identity", "BlockGrad", "erf", "flatten", "zeros_like")},
    **{op: _positive(op) for op in ("sqrt", "log", "rsqrt", "reciprocal", "cbrt")},
    **{op: _binary(op) for op in ("elemwise_add", "elemwise_sub", "elemwise_mul", "broadcast_maximum")},
    **{op: _binary(op) for op in ("broadcast_minimum", "broadcast_hypot")},
    **{op: _broadcast(op) for op in ("broadcast_add", "broadcast_mul", "broadcast_div", "broadcast_sub")},
    **{op: _scalar(op) for op in ("_plus_scalar", "_mul_scalar", "_rminus_scalar", "_maximum_scalar")},
    **{op: _reduction(op) for op in ("sum", "mean", "max", "min", "prod", "norm")},
    **{op: _along(op) for op in ("softmax", "log_softmax", "reverse")},
    "FullyConnected": _dense,
    "Convolution": _convolution,
    "Pooling": _pooling,
    "InstanceNorm": _instance_norm,
    "BatchNorm": _batch_norm,
    "LayerNorm": _layer_norm,
    "split": _split,
    "topk": _topk,
    "concat": _concat,
    "stack": _stack,
    "add_n": _add_n,
    "where": _where,
    "transpose": _transpose,
    "reshape": _reshape,
    "slice_axis": _slice_axis,
    "take": _take,
    "batch_dot": _batch_dot,
    "dot": _dot,
    "LeakyReLU": _leaky,
    "clip": _clip,
    "expand_dims": _expand,
    "tile": _tile,
    "repeat": _repeat,
    "shared": _shared,
    "outside": _outside,
}


def drawn_graph(draw: Callable[[Any], Any], prefix: str = "") -> DrawnGraph:
    """A graph of 5 to 40 operators on one to three inputs, of which one to four values are outputs."""
    batch = 3
    shapes = [(batch, 4), (batch, 4), (batch, 2, 4, 4), (batch, 3, 4)]
    random = np.random.default_rng(draw(st.integers(0, 5)))
    count = draw(st.integers(1, 3))
    given = {f"{prefix}x{i}": random.normal(size=draw(st.sampled_from(shapes))).astype("float32") for i in range(count)}
    pool = Pool(draw, given, prefix)
    wanted, misses = draw(st.integers(5, 40)), 0
    while sum(not isinstance(s, str) for s in pool.graph.steps) < wanted and misses < 40:
        before = len(pool.graph.steps), len(pool.arrays)
        try:
            OPERATORS[pool.one(OPERATORS)](pool)
        except Unfit:
            misses += 1
            _forget(pool, *before)
    # Mostly late values, so that the graph is read; also inputs, parameters, and what other outputs are made of.
    last = len(pool.arrays) - 1
    pool.graph.outputs = [last, *(pool.value() for _ in range(draw(st.integers(0, 3))))]
    return pool.graph


def _forget(pool: Pool, steps: int, arrays: int) -> None:
    for step in pool.graph.steps[steps:]:
        if isinstance(step, str):
            del pool.graph.parameters[step]
            pool.graph.exact.discard(step)
    del pool.graph.steps[steps:], pool.arrays[arrays:]
