"""Numbers of a region's programs in terms of extents: found from their values at several shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Values = tuple[int, ...]
"""A number at each of the samples."""


@dataclass(frozen=True)
class Extent:
    """An extent of a value: the number of its node in the listing, the node's output, and the axis."""

    node: int
    output: int
    axis: int


@dataclass(frozen=True)
class Number:
    """factor * extents[0] * extents[1] ... + offset."""

    factor: int
    extents: tuple[Extent, ...]
    offset: int


class Extents:
    """The extents met so far that change with the shapes, by what they are at the samples."""

    def __init__(self) -> None:
        self.known: dict[Values, Extent] = {}

    def add(self, values: Values, extent: Extent) -> None:
        """Note an extent, unless one that is always the same is known."""
        if len(set(values)) > 1:
            self.known.setdefault(values, extent)

    def number(self, values: Values) -> Number | None:
        """What gives these values: a constant, an extent, a number times one plus another, or a product of two."""
        if len(set(values)) == 1:
            return Number(0, (), values[0])
        same = self.known.get(values)
        if same is not None:
            return Number(1, (same,), 0)
        for of, extent in self.known.items():
            line = _line(of, values)
            if line is not None:
                return Number(line[0], (extent,), line[1])
        items = list(self.known.items())
        for i, (a, first) in enumerate(items):
            for b, second in items[i:]:
                factor = _ratio([x * y for x, y in zip(a, b, strict=True)], values)
                if factor is not None:
                    return Number(factor, (first, second), 0)
        return None

    def follows(self, values: Values) -> bool:
        """Whether an extent lies on a line over a known one, so that no rounding of its own is in it."""
        return values in self.known or any(_on_a_line(of, values) for of in self.known)


def _on_a_line(of: Sequence[int], values: Sequence[int]) -> bool:
    other = next((i for i in range(1, len(of)) if of[i] != of[0]), None)
    if other is None:
        return False
    run, rise = of[other] - of[0], values[other] - values[0]
    return all((v - values[0]) * run == (n - of[0]) * rise for n, v in zip(of, values, strict=True))


def _line(of: Sequence[int], values: Sequence[int]) -> tuple[int, int] | None:
    """Whole a and b with a * of + b == values everywhere, a not 0."""
    other = next((i for i in range(1, len(of)) if of[i] != of[0]), None)
    if other is None:
        return None
    factor, rest = divmod(values[other] - values[0], of[other] - of[0])
    offset = values[0] - factor * of[0]
    fits = rest == 0 and factor != 0 and all(factor * n + offset == v for n, v in zip(of, values, strict=True))
    return (factor, offset) if fits else None


def _ratio(of: Sequence[int], values: Sequence[int]) -> int | None:
    if not of[0] or values[0] % of[0]:
        return None
    factor = values[0] // of[0]
    return factor if factor and all(factor * n == v for n, v in zip(of, values, strict=True)) else None


Scalar = Callable[[Number, str], Any]
"""Builds a number as an array of one element of a dtype."""
