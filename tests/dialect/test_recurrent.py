"""Recurrent layers agree with their definitions, written out for one element after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gluon_neuron.dialect import NumpyNamespace
from gluon_neuron.errors import DialectError

from .conformance import Case, check, parameters, random

STEPS, BATCH, WIDTH, SIZE = 4, 3, 5, 2


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def naive(
    mode: str, x: Any, states: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, reverse: bool
) -> list[np.ndarray]:
    """y and the last states, in float64."""
    x, w_ih, w_hh, b_ih, b_hh, *states = (np.float64(a) for a in (x, w_ih, w_hh, b_ih, b_hh, *states))
    y = np.zeros((*x.shape[:2], states[0].shape[1]))
    for n in range(x.shape[1]):
        h, *c = (s[n].copy() for s in states)
        for t in range(x.shape[0] - 1, -1, -1) if reverse else range(x.shape[0]):
            a, b = w_ih @ x[t, n] + b_ih, w_hh @ h + b_hh
            if mode == "lstm":
                i, f, g, o = np.split(a + b, 4)
                c[0] = sigmoid(f) * c[0] + sigmoid(i) * np.tanh(g)
                h = sigmoid(o) * np.tanh(c[0])
            elif mode == "gru":
                (ar, az, an), (br, bz, bn) = np.split(a, 3), np.split(b, 3)
                z = sigmoid(az + bz)
                h = (1 - z) * np.tanh(an + sigmoid(ar + br) * bn) + z * h
            else:
                h = np.tanh(a + b) if mode == "tanh" else np.maximum(a + b, 0)
            y[t, n] = h
        for state, last in zip(states, (h, *c), strict=True):
            state[n] = last
    return (y, *states)


def layer(mode: str, reverse: bool, dtype: str, steps: int = STEPS) -> Case:
    gates = {"lstm": 4, "gru": 3}.get(mode, 1)
    states = [random(BATCH, SIZE, seed=k) for k in range(2 if mode == "lstm" else 1)]
    shapes = (gates * SIZE, WIDTH), (gates * SIZE, SIZE), (gates * SIZE,), (gates * SIZE,)
    arrays = [random(steps, BATCH, WIDTH), *states, *[random(*s, seed=7 + k) for k, s in enumerate(shapes)]]
    function = mode if gates > 1 else "rnn"
    extra = () if gates > 1 else (mode,)
    count = len(states)

    def build(xp: Any, *given: Any) -> Any:
        return getattr(xp, function)(*given, reverse, *extra)

    def want(x: Any, *rest: Any) -> Any:
        return naive(mode, x, rest[:count], *rest[count:], reverse)

    return Case(f"{mode}-{reverse}-{dtype}-{steps}", build, [a.astype(dtype) for a in arrays], want, scale=4.0)


CASES = [layer(m, r, d) for m in ("lstm", "gru", "tanh", "relu") for r in (False, True) for d in ("float32", "float16")]
CASES += [layer("lstm", True, "float32", 1), layer("gru", False, "float32", 9)]


@pytest.mark.parametrize(("mode", "case"), parameters(CASES))
def test_layers(mode: str, case: Case) -> None:
    check(mode, case)


def test_arrays_that_do_not_fit() -> None:
    arrays = [random(*s) for s in ((4, 3, 5), (3, 2), (2, 5), (2, 2), (2,), (3,))]
    names = [f"p{i}" for i in range(len(arrays))]
    xp = NumpyNamespace(dict(zip(names, arrays, strict=True)))
    leaves = [xp.parameter(n, v.shape, v.dtype.name) for n, v in zip(names, arrays, strict=True)]
    with pytest.raises(DialectError, match="do not fit"):
        xp.rnn(*leaves)
    with pytest.raises(DialectError, match="neither tanh nor relu"):
        xp.rnn(*leaves[:-1], leaves[-2], activation="gelu")
