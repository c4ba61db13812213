"""The quality of a module: FLOPs by hand and as XLA counts them, transposes, batch norms, bytes."""

from __future__ import annotations

import numpy as np
import pytest

from gluon_neuron.hlo.loops import trip_count
from gluon_neuron.hlo.module import read
from gluon_neuron.hlo.quality import quality

from .modules import lowered, net, net_arrays, parsed, xla_flops


def ones(*shape, dtype="float32"):
    return np.ones(shape, dtype)


def convolution(stride=1, pad=0, data=1, kernel=1, groups=1, batches=1):
    def f(x, w):
        from jax import lax

        return lax.conv_general_dilated(
            *(x, w, (stride, stride), ((pad, pad), (pad, pad)), (data, data), (kernel, kernel)),
            feature_group_count=groups,
            batch_group_count=batches,
        )

    return f


def reduce_window(x):
    from jax import lax

    return lax.reduce_window(x, 0.0, lax.add, (3, 2), (2, 1), "VALID")


def loop(x):
    from jax import lax

    return lax.fori_loop(0, 7, lambda i, c: c * 2.0, x)


def branches(x):
    from jax import lax

    return lax.cond(x[0] > 0, lambda: x * 2.0, lambda: (x + 1.0) * (x - 1.0))


@pytest.mark.parametrize(
    ("function", "arrays", "by_hand"),
    [
        (lambda a, b: a @ b, (ones(3, 4), ones(4, 5)), 2 * 3 * 4 * 5),
        (lambda a, b: a @ b, (ones(2, 3, 4), ones(2, 4, 5)), 2 * 2 * 3 * 4 * 5),
        # A result of 8 x 8, each 3 x 3 x 3 multiplications and additions.
        (convolution(), (ones(1, 3, 10, 10), ones(4, 3, 3, 3)), 2 * 4 * 8 * 8 * 27),
        (convolution(stride=2), (ones(2, 3, 10, 10), ones(4, 3, 3, 3)), 2 * 2 * 4 * 4 * 4 * 27),
        # Padding is not work: of the 3 positions of the kernel the outermost results use 2.
        (convolution(pad=1), (ones(1, 3, 8, 8), ones(4, 3, 3, 3)), 2 * 4 * 3 * (8 * 3 - 2) ** 2),
        (convolution(kernel=2), (ones(1, 3, 10, 10), ones(4, 3, 3, 3)), 2 * 4 * 6 * 6 * 27),
        # Transposed, 4 to 7: every input element meets every kernel position once, but for the borders.
        (convolution(data=2), (ones(1, 3, 4, 4), ones(5, 3, 2, 2)), 2 * 5 * 3 * (3 * 2) ** 2),
        (convolution(groups=6), (ones(1, 6, 5, 5), ones(6, 1, 3, 3)), 2 * 6 * 3 * 3 * 9),
        (convolution(batches=2), (ones(4, 3, 5, 5), ones(6, 3, 3, 3)), 2 * 2 * 6 * 3 * 3 * 27),
        (lambda x: x.sum((0, 1)), (ones(4, 5),), 19),
        (lambda x: x.max(1), (ones(4, 5),), 4 * 4),
        (reduce_window, (ones(7, 4),), 3 * 3 * (6 - 1)),
        (lambda x: x.sum(0) * 2.0 + 1.0, (ones(3, 8),), 16 + 8 + 8),
        (lambda x: x + 1, (ones(8, dtype="int32"),), 0),
        (loop, (ones(6),), 7 * 6),
        (branches, (ones(6),), 18),
    ],
)
def test_flops(function, arrays, by_hand):
    assert quality(lowered(function, *arrays)).flops == by_hand


@pytest.mark.parametrize(
    ("function", "arrays"),
    [
        (lambda a, b: a @ b, (ones(2, 3, 4), ones(2, 4, 5))),
        (convolution(stride=2, pad=1), (ones(2, 3, 9, 10), ones(4, 3, 3, 2))),
        (convolution(kernel=2, pad=2, stride=3), (ones(1, 3, 11, 12), ones(4, 3, 3, 2))),
        (convolution(data=3, pad=2), (ones(1, 3, 5, 4), ones(4, 3, 3, 2))),
        (convolution(groups=2, pad=1), (ones(1, 6, 5, 5), ones(4, 3, 3, 3))),
        (lambda x: x.sum((0, 2)), (ones(4, 5, 6),)),
        (reduce_window, (ones(9, 9),)),
    ],
)
def test_flops_as_xla_counts(function, arrays):
    data = lowered(function, *arrays)
    assert quality(data).flops == xla_flops(data) > 0


def transposed(x):
    return x.transpose(0, 2, 1), x.transpose(2, 1, 0)[:, :, 0]


@pytest.mark.parametrize(("shape", "count"), [((2, 3, 4), 2), ((1, 3, 4), 2), ((2, 1, 4), 1), ((1, 1, 4), 0)])
def test_transposes_that_move_something(shape, count):
    # (2, 1, 0) of (2, 1, 4) moves, (0, 2, 1) does not.
    assert quality(lowered(transposed, ones(*shape))).transposes == count


def normalized(x, weight, gamma, beta, mean, var):
    from jax import lax

    scale = gamma / lax.sqrt(var + 1e-5)
    y = convolution()(x, weight)
    return y * scale[:, None, None] + (beta - mean * scale)[:, None, None]


def rooted(x, gamma, beta, mean, var):
    """One that follows no convolution."""
    from jax import lax

    return (x - mean[:, None, None]) * lax.rsqrt(var + 1e-5)[:, None, None] * gamma[:, None, None] + beta[:, None, None]


def folded(x, weight):
    return convolution()(x, weight) * np.arange(1, 6, dtype="float32")[:, None, None] + 1.0


def in_the_kernel(x, weight, gamma, beta, mean, var):
    from jax import lax

    scale = gamma * lax.rsqrt(var + 1e-5)
    return convolution()(x, weight * scale[:, None, None, None]) + (beta - mean * scale)[:, None, None]


def layer_norm(x, gamma, beta):
    from jax import lax

    mean = x.mean(-1, keepdims=True)
    var = ((x - mean) ** 2).mean(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(var + 1e-5) * gamma + beta


def attention(q, k):
    return (q @ k) * np.float32(0.125)


IMAGE, KERNEL, VECTOR = ones(1, 3, 6, 6), ones(5, 3, 3, 3), ones(5)


@pytest.mark.parametrize(
    ("function", "arrays", "count"),
    [
        (normalized, (IMAGE, KERNEL, *[VECTOR] * 4), 1),
        (rooted, (ones(1, 5, 6, 6), *[VECTOR] * 4), 1),
        (folded, (IMAGE, KERNEL), 1),
        (in_the_kernel, (IMAGE, KERNEL, *[VECTOR] * 4), 0),
        (convolution(), (IMAGE, KERNEL), 0),
        (layer_norm, (ones(2, 4, 5), VECTOR, VECTOR), 0),
        (attention, (ones(2, 4, 5), ones(2, 5, 4)), 0),
    ],
)
def test_unfused_batch_norms(function, arrays, count):
    assert quality(lowered(function, *arrays)).unfused_batch_norms == count


def test_batch_norm_as_one_instruction():
    entry = """x = f32[2,5,6] parameter(0)
    s = f32[5] parameter(1)
    ROOT r = f32[2,5,6] batch-norm-inference(x, s, s, s, s), epsilon=1e-5, feature_index=1"""
    assert quality(parsed(entry)).unfused_batch_norms == 1


def test_bytes_and_counts():
    table = np.arange(300, dtype="float32").reshape(3, 100)

    def f(x, y):
        return x @ table, y.astype("int8")

    q = quality(lowered(f, ones(2, 3), ones(7, dtype="int64"), x64=True))
    assert (q.parameters, q.results) == (2 * 3 * 4 + 7 * 8, 2 * 100 * 4 + 7)
    assert (q.largest_constant, q.constants) == (1200, 1200)
    assert q.bytes == 80 + 807 + 1200
    # The dot reads 24 + 1200 and writes 800; the cast reads 56 and writes 7.
    assert q.bytes_accessed == 24 + 1200 + 800 + 56 + 7
    assert q.opcodes == {"parameter": 2, "constant": 1, "dot": 1, "convert": 1, "tuple": 1}
    assert (q.instructions, q.computations, q.narrowed) == (6, 1, 1)


def test_a_net():
    q = quality(lowered(net, *net_arrays()))
    assert q.unfused_batch_norms == 1
    convolved, pooled = 2 * 2 * 4 * 3 * 22**2, 2 * 4 * 16
    # var + eps, rsqrt, gamma *, mean *, beta -; scale and shift; 3 comparisons a window; 5 passes; the dense layer.
    vectors = 5 * 4
    assert q.flops == convolved + vectors + 2 * 512 + 3 * pooled + 5 * pooled + 2 * 2 * 64 * 5


@pytest.mark.parametrize(
    ("start", "limit", "step", "direction", "times"),
    [
        # "n LT i": the constant is on the left.
        (10, 0, "subtract", "n LT", 10),
        (0, 10, "add", "n GE", 11),
        (0, 10, "add", "n LT", 0),
        (0, 10, "add", "LT", 10),
        (0, 10, "add", "LE", 11),
        (0, 10, "add", "NE", 10),
        (10, 0, "subtract", "GT", 10),
        (10, 0, "subtract", "GE", 11),
        (5, 3, "add", "LT", 0),
        (0, 10, "subtract", "LT", None),
        (0, 10, "add", "EQ", None),
    ],
)
def test_trip_counts(start, limit, step, direction, times):
    swapped = direction.startswith("n ")
    others = f"""body {{ s = (s32[], f32[4]) parameter(0)
      i = s32[] get-tuple-element(s), index=0
      x = f32[4] get-tuple-element(s), index=1
      one = s32[] constant(1)
      j = s32[] {step}(i, one)
      ROOT t = (s32[], f32[4]) tuple(j, x) }}
    condition {{ s = (s32[], f32[4]) parameter(0)
      i = s32[] get-tuple-element(s), index=0
      n = s32[] constant({limit})
      ROOT r = pred[] compare({"n, i" if swapped else "i, n"}), direction={direction[-2:]} }}"""
    entry = f"""x = f32[4] parameter(0)
    z = s32[] constant({start})
    t = (s32[], f32[4]) tuple(z, x)
    ROOT w = (s32[], f32[4]) while(t), condition=condition, body=body"""
    assert trip_count(read(parsed(entry, others)).entry.root) == times
