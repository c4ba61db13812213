"""Elementwise functions agree with Python's own mathematics in every namespace."""

from __future__ import annotations

import math

import numpy as np
import pytest

from .conformance import Case, check, ints, parameters, random

X = random(3, 5)
POSITIVE = random(3, 5, low=0.01, high=9)
UNIT = random(3, 5, low=-0.99, high=0.99)
HALVES = np.float32([-2.5, -1.5, -0.5, -0.2, 0, 0.2, 0.5, 1.5, 2.5, 1e6 + 0.5])
BOOLS = np.array([[True, True, False, False], [True, False, True, False]])
NEGATIVE_AND_POSITIVE = np.int32([-7, 7, -7, 7, -8, 8, 0]), np.int32([2, -2, -2, 2, 3, -3, 5])
# Neighbours that float32 cannot tell apart.
LARGE = np.int32([2**24 + 1, 2**24, -(2**24) - 1, 5]), np.int32([2**24, 2**24 + 1, -(2**24), 5])

# Neighbours, and numbers so far apart that their difference leaves int32.
FAR = (
    np.int32([2 * 10**9, -2 * 10**9, -(2**31), 2**31 - 1, 5]),
    np.int32([-2 * 10**9, 2 * 10**9, 2**31 - 1, -(2**31), 5]),
)

UNARY = {
    "abs": (X, abs),
    "negative": (X, lambda v: -v),
    "sign": (X, lambda v: math.copysign(1, v)),
    "square": (X, lambda v: v * v),
    "floor": (HALVES, math.floor),
    "ceil": (HALVES, math.ceil),
    "trunc": (HALVES, math.trunc),
    "round": (HALVES, round),
    "sqrt": (POSITIVE, math.sqrt),
    "rsqrt": (POSITIVE, lambda v: 1 / math.sqrt(v)),
    "reciprocal": (POSITIVE, lambda v: 1 / v),
    "exp": (X, math.exp),
    "expm1": (X, math.expm1),
    "log": (POSITIVE, math.log),
    "log1p": (POSITIVE, math.log1p),
    "log2": (POSITIVE, math.log2),
    "log10": (POSITIVE, math.log10),
    "sin": (X, math.sin),
    "cos": (X, math.cos),
    "tan": (UNIT, math.tan),
    "asin": (UNIT, math.asin),
    "acos": (UNIT, math.acos),
    "atan": (X, math.atan),
    "sinh": (X, math.sinh),
    "cosh": (X, math.cosh),
    "tanh": (X, math.tanh),
    "asinh": (X, math.asinh),
    "acosh": (POSITIVE + 1, math.acosh),
    "atanh": (UNIT, math.atanh),
    "erf": (X, math.erf),
    "sigmoid": (np.float32([-80, -9, -1, 0, 1, 9, 80]), lambda v: 1 / (1 + math.exp(-v))),
    "relu": (X, lambda v: max(v, 0)),
    "selu": (X, lambda v: 1.0507009873554805 * (v if v > 0 else 1.6732632423543772 * math.expm1(v))),
    "gelu": (X, lambda v: v * (1 + math.erf(v / math.sqrt(2))) / 2),
    "softplus": (np.float32([-80, -9, -1, 0, 1, 9, 80]), lambda v: math.log1p(math.exp(v))),
    "softsign": (X, lambda v: v / (1 + abs(v))),
}


def _each(fn, result=float):
    return np.vectorize(fn, otypes=[result])


CASES = [Case(n, lambda xp, x, n=n: getattr(xp, n)(x), [v], _each(fn), scale=2) for n, (v, fn) in UNARY.items()]
CASES += [
    Case(f"{n}-float16", lambda xp, x, n=n: getattr(xp, n)(x), [v.astype("float16")], _each(fn))
    for n, (v, fn) in UNARY.items()
    if v is not HALVES
]
# Near 0 the naive compositions exp(x) - 1 and log(1 + x) lose all their digits.
CASES += [
    Case(f"{n}-tiny", lambda xp, x, n=n: getattr(xp, n)(x), [np.float32([1e-7, -1e-6, 3e-5])], _each(getattr(math, n)))
    for n in ("expm1", "log1p")
]
CASES += [
    Case("expm1-wide", lambda xp, x: xp.expm1(x), [np.float32([-90, -20, 80])], _each(math.expm1), scale=9),
    Case("log1p-wide", lambda xp, x: xp.log1p(x), [np.float32([-0.9, 1e5, 1e20])], _each(math.log1p)),
    Case(
        "softplus-small",
        lambda xp, x: xp.softplus(x) >= 0.0,
        [np.linspace(-90, 90, 400, dtype="float32")],
        np.array([True] * 400),
    ),
    Case("isnan", lambda xp, x: xp.isnan(x), [np.float32([1, np.nan, -np.inf])], np.array([False, True, False])),
    Case("elu", lambda xp, x: xp.elu(x, 0.7), [X], _each(lambda v: v if v > 0 else 0.7 * math.expm1(v))),
    Case("hard_sigmoid", lambda xp, x: xp.hard_sigmoid(x, 0.3, 0.6), [X], lambda x: np.clip(0.3 * x + 0.6, 0, 1)),
    # OpenVINO's own function takes a beta of 0 for its default.
    Case("hard_sigmoid-through-0", lambda xp, x: xp.hard_sigmoid(x, 0.3, 0), [X], lambda x: np.clip(0.3 * x, 0, 1)),
    Case("clip", lambda xp, x: xp.clip(x, -0.5, 1), [X], lambda x: np.clip(x, -0.5, 1)),
    Case("clip-above", lambda xp, x: xp.clip(x, -math.inf, 1), [X], lambda x: np.minimum(x, 1)),
    Case("clip-below", lambda xp, x: xp.clip(x, 0.5, math.inf), [X], lambda x: np.maximum(x, 0.5)),
    Case(
        "where-joined",
        lambda xp, a, b: xp.where(xp.not_equal(b, 5), a, b),
        LARGE,
        np.int32([2**24 + 1, 2**24, -(2**24) - 1, 5]),
    ),
    Case("clip-int", lambda xp, x: xp.clip(x, -3, 2**23), [np.int32([-9, 2**24])], np.int32([-3, 2**23])),
    *(
        Case(f"{n}-int", lambda xp, x, n=n: getattr(xp, n)(x), [np.int32([-(2**30) - 1, 0, 7])], w)
        for n, w in {
            "abs": np.int32([2**30 + 1, 0, 7]),
            "negative": np.int32([2**30 + 1, 0, -7]),
            "sign": np.int32([-1, 0, 1]),
        }.items()
    ),
    Case("logical_not", lambda xp, x: ~x, [BOOLS[0]], ~BOOLS[0]),
    # prelu broadcasts as NumPy does, from the last axis.
    Case("prelu-scalar", lambda xp, x: xp.prelu(x, 0.25), [X], lambda x: np.where(x > 0, x, 0.25 * x)),
    Case("prelu-last", lambda xp, x, s: xp.prelu(x, s), [X, random(5)], lambda x, s: np.where(x > 0, x, s * x)),
    Case("prelu-first", lambda xp, x, s: xp.prelu(x, s), [X, random(3, 1)], lambda x, s: np.where(x > 0, x, s * x)),
    Case("prelu-all", lambda xp, x, s: xp.prelu(x, s), [X, random(3, 5)], lambda x, s: np.where(x > 0, x, s * x)),
    Case("prelu-1d", lambda xp, x, s: xp.prelu(x, s), [X[0], random(1)], lambda x, s: np.where(x > 0, x, s * x)),
    Case(
        "prelu-channels",
        lambda xp, x, s: xp.prelu(x, xp.reshape(s, (1, 3, 1, 1))),
        [random(2, 3, 4, 2), random(3)],
        lambda x, s: np.where(x > 0, x, s.reshape(3, 1, 1) * x),
    ),
]

BINARY = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
}
CASES += [
    Case(f"{n}-{kind}", lambda xp, a, b, n=n: getattr(xp, n)(a, b), values, fn)
    for n, fn in BINARY.items()
    for kind, values in {
        "float": (np.float32([[1, 2, 3]]), np.float32([[1], [2.5]])),
        "half": (np.float16([[1, 2, 3]]), np.float16([[1], [2.5]])),
        "int": (ints(2, 1, 3), ints(4, 1)),
        "large": LARGE,
        "far": FAR,
    }.items()
    if kind != "far" or fn(*values).dtype == bool
    # 2**24 + 1 doubled, or squared, leaves int32; the language promises wrapping there, and nothing more is tested.
]
# Bits of numbers that float32 cannot hold.
BITS = np.int32([2**30 + 5, 7 - 2**31, 123456789, -1]), np.int32([2**30 + 4, -1, 987654321, 2**31 - 1])
CASES += [
    Case(f"{n}-{kind}", lambda xp, a, b, n=n: getattr(xp, n)(a, b), values, getattr(np, n)(*values))
    for n in ("bitwise_and", "bitwise_or", "bitwise_xor")
    for kind, values in {"int": BITS, "broadcast": (BITS[0][:, None], BITS[1][:3])}.items()
]
CASES += [
    Case("bitwise-scalar", lambda xp, a: xp.bitwise_xor(a, -1), BITS[:1], ~BITS[0]),
    Case("divide", lambda xp, a, b: a / b, [X, POSITIVE], np.divide),
    Case(
        "trunc_divide",
        lambda xp, a, b: xp.trunc_divide(a, b),
        NEGATIVE_AND_POSITIVE,
        np.int32([-3, -3, 3, 3, -2, -2, 0]),
    ),
    Case(
        "trunc_divide-by",
        lambda xp, a: xp.trunc_divide(a, 2),
        NEGATIVE_AND_POSITIVE[:1],
        np.int32([-3, 3, -3, 3, -4, 4, 0]),
    ),
    Case(
        "trunc_divide-of",
        lambda xp, a: xp.trunc_divide(-9, a),
        NEGATIVE_AND_POSITIVE[1:],
        np.int32([-4, 4, 4, -4, -3, 3, -1]),
    ),
    Case(
        "abs-half",
        lambda xp, a, w: xp.add(a, xp.abs(xp.astype(w, "float32"))),
        [np.float32([1, 2, 3]), np.float16([-2.5, 0.5, -0.125])],
        lambda a, w: a + np.abs(w),
    ),
    Case(
        "remainder-half",
        lambda xp, a, b: a % b,
        [np.float16([-0.9, 46, -49, 7]), np.float16([-2, -1.5, 0.3, 2.5])],
        lambda a, b: a - b * np.floor(a / b),
    ),
    Case("remainder-int", lambda xp, a, b: a % b, NEGATIVE_AND_POSITIVE, np.int32([1, -1, -1, 1, 1, -1, 0])),
    Case(
        "remainder",
        lambda xp, a, b: a % b,
        [X, np.float32([2, -2, 0.7, -0.3, 5])],
        lambda a, b: a - b * np.floor(a / b),
    ),
    Case("pow", lambda xp, a, b: a**b, [POSITIVE, X], np.power, scale=9),
    Case("pow-sign", lambda xp, a: a**3, [X], lambda a: a * a * a),
    Case(
        "pow-int",
        lambda xp, a, b: a**b,
        [np.int32([2, -3, 10, 7]), np.int32([10, 3, 0, 2])],
        np.int32([1024, -27, 1, 49]),
    ),
    Case("pow-of", lambda xp, a: 2**a, [X], np.exp2),
    *(
        Case(f"logical_{n}", lambda xp, a, b, n=n: getattr(xp, f"logical_{n}")(a, b), BOOLS, fn)
        for n, fn in {"and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor}.items()
    ),
    Case("equal-bool", lambda xp, a, b: a == b, BOOLS, lambda a, b: a == b),
    Case("where", lambda xp, c, a, b: xp.where(c, a, b), [BOOLS[:, :3], X[:1, :3], X[:1, :1]], np.where),
    Case(
        "where-large",
        lambda xp, c, a: xp.where(c, a, 2**24 + 3),
        [BOOLS[0], LARGE[0]],
        np.where(BOOLS[0], LARGE[0], 2**24 + 3).astype("int32"),
    ),
    Case("operators", lambda xp, a: (1 - a) * 2 + 3 / (a + 9) - (-a), [X], lambda a: (1 - a) * 2 + 3 / (a + 9) + a),
    Case(
        "scalars",
        lambda xp, a: (a < 1) & (a >= -1) | (a == 7) | (a != a) | (a > 8) | (a <= -8),
        [ints(20)],
        lambda a: (abs(a) <= 8) & (a < 1) & (a >= -1) | (a > 6) & (a != 8) | (a <= -8),
    ),
]
TYPED = {
    "float32": np.float32([-2.9, -0.5, 0, 0.5, 100.7]),
    "float16": np.float16([-2.9, -0.5, 0, 0.5, 100.7]),
    "int32": np.int32([-3, 0, 1, 5, 100]),
    "bool": np.array([True, False]),
}
CASES += [
    Case(f"astype-{a}-{b}", lambda xp, x, b=b: xp.astype(x, b), [v], v.astype(b))
    for a, v in TYPED.items()
    for b in TYPED
]


@pytest.mark.parametrize("mode, case", parameters(CASES))
def test_elementwise(mode: str, case: Case) -> None:
    check(mode, case)


@pytest.mark.parametrize("mode", ["numpy", "composed", "openvino", "folded"])
def test_bfloat16_is_rounded_to_nearest_even(mode: str) -> None:
    x = np.float32([1 + 2**-9, 1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-12, 3.14159, -(2**99)])
    want = np.float32([1, 1, 1 + 2**-6, 1 + 2**-7, 3.140625, -(2**99)])
    check(mode, Case("round", lambda xp, v: xp.astype(xp.astype(v, "bfloat16"), "float32"), [x], want))


def test_bfloat16_stays_bfloat16_through_functions() -> None:
    def build(xp, a, b):
        a, b = xp.astype(a, "bfloat16"), xp.astype(b, "bfloat16")
        y = xp.relu(xp.matmul(a, b) + 1.0)
        assert y.dtype == "bfloat16"
        return xp.astype(y, "float32")

    case = Case("bf16", build, [random(4, 6), random(6, 3)], lambda a, b: np.maximum(a @ b + 1, 0), scale=1e4)
    for mode in ("numpy", "openvino", "weights", "folded"):
        check(mode, case)
