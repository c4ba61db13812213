"""Case, one drawn example of an operator, and Draw, by which the strategies of the families make one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from .metadata import arguments, choices, is_required

FLOATS = ("float32", "float16", "float64")
INTS = ("int32", "int64", "int8", "uint8")
NUMBERS = FLOATS + INTS
ANY = (*NUMBERS, "bool")
KINDS = ("plain", "whole", "unit", "positive", "wide")
MOVED = (*KINDS, "big")
"""For operators that move values: they keep integers that float32 does not hold."""
OMIT = object()
"""The value of an attribute that is not given, so that MXNet's default counts."""


def repeatable(examples: int, shrink: bool = True) -> settings:
    """Settings of a test that draws the same examples in every run, whatever has been drawn before."""
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
        phases=(Phase.generate, *((Phase.shrink,) if shrink else ())),
    )


@dataclass(frozen=True)
class Case:
    """The inputs and attributes of one call, and which outputs are read.

    `weights` are the inputs that OpenVINO has as constants, so that it folds what hangs on them alone.
    `elementwise`: each element has its own error, rather than one that hangs on the largest of all. `single`: MXNet
    computes it in 32 bits, of float64 too.
    """

    inputs: Sequence[np.ndarray]
    attrs: dict[str, Any] = field(default_factory=dict)
    outputs: Sequence[int] = (0,)
    elementwise: bool = False
    single: bool = False
    weights: Sequence[int] = ()

    def __repr__(self) -> str:
        inputs = ", ".join(f"{v.dtype}{list(v.shape)}" for v in self.inputs)
        return f"Case({inputs}, {self.attrs}, outputs={tuple(self.outputs)}, weights={tuple(self.weights)})"


Strategy = Callable[["Draw"], Case]


def drawn(strategy: Strategy, draw: Callable[[Any], Any], op: str) -> Case:
    """A case of an operator; at times some inputs but the first are weights."""
    d = Draw(draw, op)
    case = strategy(d)
    return replace(case, weights=[i for i in range(1, len(case.inputs)) if d.flag()])


class Draw:
    """Draws the parts of a case of one operator; names in `mx.np` may have arrays without axes or elements."""

    def __init__(self, draw: Callable[[Any], Any], op: str) -> None:
        self.draw, self.op, self.numpy = draw, op, op.startswith("_np")

    def pick(self, *options: Any) -> Any:
        """One of the options; failures shrink to the first."""
        return self.draw(st.sampled_from(options))

    def integer(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def flag(self) -> bool:
        return self.draw(st.booleans())

    def often(self) -> bool:
        """True three times of four."""
        return self.integer(0, 3) < 3

    def shape(self, low: int | None = None, high: int = 5, longest: int = 7, elements: int = 600) -> tuple[int, ...]:
        """Between `low` and `high` axes; at least one unless the operator is one of mx.np."""
        low = (0 if self.numpy else 1) if low is None else low
        sizes = self.draw(st.lists(st.integers(1, longest), min_size=low, max_size=high))
        while prod(sizes) > elements:
            sizes[sizes.index(max(sizes))] //= 2
        if self.numpy and sizes and self.integer(0, 19) == 19:
            sizes[self.integer(0, len(sizes) - 1)] = 0
        return tuple(sizes)

    def broadcast(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """A shape that broadcasts to `shape`, in mx.np with fewer axes too."""
        sizes = [self.pick(d, 1) for d in shape]
        return tuple(sizes[self.integer(0, len(sizes)) :] if self.numpy and self.flag() else sizes)

    def pair(self, high: int = 4) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Two shapes that broadcast to one."""
        shape = self.shape(high=high)
        return self.broadcast(shape), self.broadcast(shape)

    def axis(self, ndim: int) -> int:
        """An axis, counted from either end."""
        return self.integer(-ndim, ndim - 1) if ndim else 0

    def axes(self, ndim: int) -> tuple[int, ...]:
        """Different axes in any order, counted from either end; there may be none."""
        found = self.draw(st.lists(st.integers(0, max(ndim - 1, 0)), unique=True, max_size=ndim))
        return tuple(a - ndim if self.flag() else a for a in found)

    def permutation(self, ndim: int) -> tuple[int, ...]:
        return tuple(self.draw(st.permutations(range(ndim))))

    def array(self, shape: Sequence[int], dtype: str = "float32", *kinds: str) -> np.ndarray:
        """Values of one of the kinds (of any, if none is said)."""
        return values(shape, dtype, self.pick(*(kinds or KINDS)), self.integer(0, 9999))

    def attrs(self, **given: Any) -> dict[str, Any]:
        """All attributes that MXNet documents: as given, or else drawn from the values that it lists.

        Fails for one that is neither, so that no attribute is forgotten, and for a name that MXNet does not know.
        """
        documented = arguments(self.op)
        assert given.keys() <= documented.keys(), f"{self.op} has no {given.keys() - documented.keys()}"
        found = dict(given)
        for key, kind in documented.items():
            if key in given or key == "ctx":
                continue
            options: list[Any] | None = choices(kind)
            assert options is not None, f"nothing draws {self.op}'s attribute {key}, which is {kind!r}"
            found[key] = self.pick(*([] if is_required(kind) else [OMIT]), *options)
        return {key: value for key, value in found.items() if value is not OMIT}

    def documented(self) -> set[str]:
        """The attributes that MXNet documents for the operator."""
        return set(arguments(self.op))


def names(text: str) -> list[str]:
    """Names with spaces between them."""
    return text.split()


def values(shape: Sequence[int], dtype: str, kind: str, seed: int) -> np.ndarray:
    """Repeatable finite values: "plain" within 2 of zero, "whole" with ties and zeros, "edge" the dtype's extremes."""
    random = np.random.RandomState(seed)
    if dtype == "bool":
        return random.randint(1 if kind == "nonzero" else 0, 2, shape).astype(bool)
    if kind == "distinct":
        low = 0 if dtype == "uint8" else -(prod(shape) // 2)
        if dtype in ("int32", "int64") and seed % 2:
            low += 2**24
        return (random.permutation(prod(shape)) + low).reshape(shape).astype(dtype)
    if dtype in INTS:
        info = np.iinfo(dtype)
        if kind in ("edge", "big"):
            # MXNet computes some int64 in double, so that what lies beyond 2**53 is not kept.
            last = min(info.max, 2**52) // (8 if kind == "big" else 1)
            return random.randint(max(info.min, -last), last, shape, dtype=dtype)
        low, high = {"positive": (1, 6), "wide": (-50, 51), "nonzero": (1, 6)}.get(kind, (-5, 6))
        found = random.randint(max(low, info.min), high, shape)
        if kind == "nonzero" and info.min < 0:
            found = found * random.choice([-1, 1], shape)
        return np.asarray(found).astype(dtype)
    if kind == "edge":
        exponents = random.uniform(*((-5, 3) if dtype == "float16" else (-30, 30)), shape)
        return np.asarray(10.0**exponents * random.choice([-1, 1], shape)).astype(dtype)
    if kind == "whole":
        return np.asarray(random.randint(-6, 7, shape) / 2).astype(dtype)
    low, high = {"unit": (-1, 1), "positive": (0.1, 3), "nonzero": (0.1, 3), "wide": (-50, 50), "big": (-900, 900)}.get(
        kind, (-2, 2)
    )
    return np.asarray(random.uniform(low, high, shape)).astype(dtype)
