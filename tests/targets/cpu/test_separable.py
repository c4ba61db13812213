"""What is proved to be computed part by part is so in numbers, and where parts meet nothing is proved."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gluon_neuron.dialect import NumpyNamespace, OpenVINONamespace
from gluon_neuron.errors import DialectError
from gluon_neuron.targets.cpu.separable import NotSeparable, Proof, prove

PARTS, OF_PART = 3, 2
SHAPE = (6, 4, 6)
W = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")
KERNEL = np.random.default_rng(1).normal(size=(8, 4, 3)).astype("float32")


def build(function, batch):
    """The function's result in OpenVINO for a batch."""
    xp = OpenVINONamespace()
    return function(xp, xp.parameter("x", (batch, *SHAPE[1:]), "float32"))


def proved(function):
    """Whether a proof is found. Raises DialectError where the function takes no such part."""
    whole, part = build(function, SHAPE[0]), build(function, OF_PART)
    if whole.known or part.known:
        return False
    try:
        prove([whole.v], [part.v], PARTS)
    except NotSeparable:
        return False
    return True


def holds(function):
    """Whether the results of the parts, joined, are that of the whole."""
    x = np.random.default_rng(2).normal(size=SHAPE).astype("float32")

    def run(value):
        xp = NumpyNamespace({"x": value})
        return np.asarray(function(xp, xp.parameter("x", value.shape, "float32")).v)

    joined = np.concatenate([run(part) for part in np.split(x, PARTS)])
    whole = run(x)
    return joined.shape == whole.shape and np.allclose(joined, whole, 1e-4, 1e-5)


def _gram(xp, x):
    return xp.matmul(x, x, transpose_b=True)


def _attention(xp, x):
    return xp.matmul(xp.softmax(_gram(xp, x), 2), x)


def _columns(xp, x):
    product = xp.matmul(xp.constant(W), xp.reshape(x, (x.size // 6, 6)), transpose_a=True, transpose_b=True)
    return xp.permute_dims(product, (1, 0))


def _time_first(xp, x):
    y = xp.permute_dims(x, (1, 0, 2))
    y = xp.reshape(y, (4, x.shape[0], 2, 3))
    return xp.reshape(xp.permute_dims(y, (1, 2, 0, 3)), (x.shape[0] * 2, 12))


APART = {
    "itself": lambda xp, x: xp.relu(x),
    "with a weight": lambda xp, x: xp.add(x, xp.constant(W[:, 0])),
    "rows": lambda xp, x: xp.matmul(x, xp.constant(W)),
    "columns": _columns,
    "attention": _attention,
    "time first": _time_first,
    "flat": lambda xp, x: xp.reshape(x, (x.shape[0], 24)),
    "merged": lambda xp, x: xp.reshape(x, (x.size // 6, 6)),
    "mean": lambda xp, x: xp.mean(x, axes=(1, 2)),
    "mean, kept": lambda xp, x: xp.subtract(x, xp.mean(x, axes=(2,), keepdims=True)),
    "joined with itself": lambda xp, x: xp.concat([x, x], 1),
    "cut": lambda xp, x: x[:, 1:3, ::-1],
    "padded": lambda xp, x: xp.pad(x, ((0, 0), (1, 0), (0, 2)), "constant", 0.0),
    "chosen": lambda xp, x: xp.take(x, xp.constant(np.int32([2, 0])), 1),
    "looked up": lambda xp, x: xp.take(xp.constant(W), xp.astype(xp.greater(x, xp.constant(W[:, 1])), "int32"), 0),
    "convolved": lambda xp, x: xp.conv(x, xp.constant(KERNEL), (1,), ((1, 1),), (1,), 1),
    "largest": lambda xp, x: xp.max_pool(x, (2,), (2,), ((0, 0),)),
    "normalized": lambda xp, x: xp.layer_norm(x, (1, 2), 1e-5),
    "broadcast": lambda xp, x: xp.broadcast_to(x[:, :1, :], (x.shape[0], 9, 6)),
    "ranks": lambda xp, x: xp.top_k(x, 2, 2, True)[0],
}

MEET = {
    "a mean over the batch": lambda xp, x: xp.subtract(x, xp.mean(x, axes=(0,), keepdims=True)),
    "a batch reversed": lambda xp, x: x[::-1],
    "a batch rolled": lambda xp, x: xp.concat([x[1:], x[:1]], 0),
    "a batch doubled": lambda xp, x: xp.concat([x, x], 0),
    "its length": lambda xp, x: xp.multiply(x, float(x.shape[0])),
    "its positions": lambda xp, x: xp.add(x, xp.constant(np.arange(x.shape[0], dtype="float32").reshape(-1, 1, 1))),
    "time first": lambda xp, x: xp.permute_dims(x, (1, 0, 2)),
    "one of all": lambda xp, x: x[0],
    "softmax over the batch": lambda xp, x: xp.softmax(x, 0),
    "products of rows": lambda xp, x: _gram(xp, xp.reshape(x, (x.shape[0], 24))),
    "a sum over all": lambda xp, x: xp.add(x, xp.sum(x, axes=(0, 1, 2), keepdims=True)),
    "a running sum": lambda xp, x: xp.cumsum(x, 0),
    "memory that is another's": lambda xp, x: xp.reshape(xp.permute_dims(x, (1, 0, 2)), x.shape),
}


@pytest.mark.parametrize("name", APART)
def test_what_keeps_parts_apart_is_proved(name):
    assert proved(APART[name])
    assert holds(APART[name])


@pytest.mark.parametrize("name", MEET)
def test_where_parts_meet_nothing_is(name):
    assert not proved(MEET[name])


ORDERED = {
    **{name: APART[name] for name in ("itself", "rows", "time first", "merged", "mean", "convolved", "broadcast")},
    "a running sum": MEET["a running sum"],
}


@pytest.mark.parametrize("name", [*ORDERED, *(n for n in MEET if n not in ORDERED)])
def test_what_may_depend_on_those_before(name):
    """In order, a part may read what is in front of it: then the whole begins with what the first part gives."""
    function = {**MEET, **ORDERED}[name]
    # The time first is no meeting: its axis is another one.
    assert begins_alike(function) is (name in ORDERED or name == "time first")


def begins_alike(function):
    """Whether it is proved that the whole begins with what the first part gives; asserts that it is so in numbers."""
    whole, part = build(function, SHAPE[0]), build(function, OF_PART)
    if whole.known or part.known:
        return False
    try:
        axis = Proof(PARTS, in_order=True).axis(whole.v, part.v)
    except NotSeparable:
        return False
    x = np.random.default_rng(2).normal(size=SHAPE).astype("float32")
    first, short = (_run(function, value) for value in (x, x[:OF_PART]))
    if axis is not None:
        first = np.take(first, range(short.shape[axis]), axis)
    assert first.shape == short.shape and np.allclose(first, short, 1e-4, 1e-5)
    return True


def _run(function, value):
    xp = NumpyNamespace({"x": value})
    return np.asarray(function(xp, xp.parameter("x", value.shape, "float32")).v)


def test_every_output_is_to_be_proved():
    outputs = []
    for batch in (SHAPE[0], OF_PART):
        xp = OpenVINONamespace()
        x = xp.parameter("x", (batch, *SHAPE[1:]), "float32")
        outputs.append([xp.relu(x).v, xp.sum(x, axes=(0,)).v])
    with pytest.raises(NotSeparable):
        prove(*outputs, PARTS)


def test_why_not():
    whole, part = (build(MEET["softmax over the batch"], n) for n in (SHAPE[0], OF_PART))
    with pytest.raises(NotSeparable, match=r"The parts meet in program \(Softmax\)"):
        prove([whole.v], [part.v], PARTS)


@st.composite
def steps(draw):
    """A few operations, each a function of the namespace and an array whose shape it adapts to."""
    return [(draw(st.sampled_from(sorted(STEPS))), draw(st.integers(0, 10**6))) for _ in range(draw(st.integers(1, 7)))]


def _axis(x, n):
    return n % len(x.shape)


def _merge(xp, x, n):
    if len(x.shape) < 2:
        return x
    a = n % (len(x.shape) - 1)
    return xp.reshape(x, (*x.shape[:a], x.shape[a] * x.shape[a + 1], *x.shape[a + 2 :]))


def _split(xp, x, n):
    a, by = _axis(x, n), (2, 3)[n // 7 % 2]
    if x.shape[a] % by or len(x.shape) > 4:
        return x
    inner = n // 14 % 2
    pair = (by, x.shape[a] // by) if inner else (x.shape[a] // by, by)
    return xp.reshape(x, (*x.shape[:a], *pair, *x.shape[a + 1 :]))


def _permute(xp, x, n):
    return xp.permute_dims(x, tuple(int(i) for i in np.random.default_rng(n).permutation(len(x.shape))))


def _constant(xp, x, n):
    rng = np.random.default_rng(n)
    shape = [int(e) if rng.integers(2) else 1 for e in x.shape][rng.integers(len(x.shape)) :]
    return xp.multiply(x, xp.constant(rng.normal(size=shape).astype("float32")))


def _product(xp, x, n):
    if len(x.shape) < 2:
        return x
    w = np.random.default_rng(n).normal(size=(x.shape[-1], 2)).astype("float32")
    return xp.matmul(x, xp.constant(w))


def _itself(xp, x, n):
    return xp.matmul(x, x, transpose_a=bool(n % 2), transpose_b=not n % 2) if len(x.shape) >= 2 else x


def _cut(xp, x, n):
    a = _axis(x, n)
    cuts = (slice(1, None), slice(None, None, -1), slice(0, 1), slice(None, None, 2))
    return x[(slice(None),) * a + (cuts[n // 7 % 4],)] if x.shape[a] > 1 else x


STEPS = {
    "tanh": lambda xp, x, n: xp.tanh(x),
    "constant": _constant,
    "merge": _merge,
    "split": _split,
    "permute": _permute,
    "sum": lambda xp, x, n: xp.sum(x, axes=(_axis(x, n),), keepdims=len(x.shape) == 1 or bool(n // 7 % 2)),
    "centre": lambda xp, x, n: xp.subtract(x, xp.mean(x, axes=(_axis(x, n),), keepdims=True)),
    "softmax": lambda xp, x, n: xp.softmax(x, _axis(x, n)),
    "concat": lambda xp, x, n: xp.concat([x, xp.tanh(x)], _axis(x, n)),
    "cut": _cut,
    "product": _product,
    "itself": _itself,
    "running sum": lambda xp, x, n: xp.cumsum(x, _axis(x, n)),
    "first": lambda xp, x, n: xp.multiply(x, x[(slice(None),) * _axis(x, n) + (slice(0, 1),)]),
}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps())
def test_whatever_is_proved_holds(chosen):
    def function(xp, x):
        for name, n in chosen:
            x = STEPS[name](xp, x, n)
        return x

    try:
        found = proved(function)
    except DialectError:
        return
    assert not found or holds(function)
    assert begins_alike(function) >= found
