"""Finds which extents of a region's data may change, by MXNet's own shape inference, and where to look at them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import gcd
from random import Random

Shapes = Mapping[str, tuple[int, ...]]
Place = tuple[str, int]
"""An input's name and an axis of it."""

Chosen = Mapping[str, Mapping[int, tuple[int, int]]]
"""What a user says is free: by input and axis, the least and the largest extent."""

_DELTAS = (5, 2, 8, 32)
"""By how much an extent is raised to see whether it is free. Where the first is refused, it may be so in steps."""

_FEW_INPUTS = 8
"""With more inputs, those of one shape are taken to change together."""

_STRIDES = (1, 2, 3, 4, 8, 16, 32, 64)
"""What may be left of an extent, rounded in any way, has to differ between the samples by numbers without a factor in
common; otherwise a rule for some remainders alone might not show."""

_ODD_OFFSETS = (2, 13, 6, 27, 11, 40)
"""For short extents, what is added to them instead."""

_SHORT = 16

_MOST = 6
"""So many extents may be free."""

LARGEST = 4096
"""Up to here, or to four times what was compiled, an extent may go; further, a program is specialised."""


@dataclass(frozen=True)
class FreeExtent:
    """Axes of inputs that have one extent: any from `low` to `high` that is whole steps from `compiled`."""

    places: tuple[Place, ...]
    compiled: int
    step: int = 1
    low: int = 1
    high: int = LARGEST

    @property
    def asked_high(self) -> int:
        """The largest member of the range."""
        return self.high - (self.high - self.compiled) % self.step

    @property
    def asked_low(self) -> int:
        """The least member of the range."""
        return self.low + (self.compiled - self.low) % self.step


def at(shapes: Shapes, free: Sequence[FreeExtent], extents: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """The shapes in which the free extents are these."""
    made = {name: list(shape) for name, shape in shapes.items()}
    for extent, n in zip(free, extents, strict=True):
        for name, axis in extent.places:
            made[name][axis] = n
    return {name: tuple(shape) for name, shape in made.items()}


def free_extents(shapes: Shapes, fits: Callable[[Shapes], bool], chosen: Chosen | None = None) -> list[FreeExtent]:
    """The extents that MXNet lets change, each alone or together with others that must be equal.

    The first axes of all inputs are taken for one, the batch, where they may be. With `chosen`, only what it names is
    free in an input that it names, and in its ranges.
    """
    found: list[FreeExtent] = []

    def joins(extent: FreeExtent) -> bool:
        """Whether it may change together with, and otherwise than, those found so far."""
        trial = [*found, extent]
        return fits(at(shapes, trial, [e.compiled + e.step * (5 + 2 * i) for i, e in enumerate(trial)]))

    left = [(name, axis) for name, shape in shapes.items() for axis, n in enumerate(shape) if n > 0]
    if chosen is not None and not chosen.keys().isdisjoint(shapes):
        left = [p for p in left if any(_named(chosen, q) for q in _alike(shapes, p))]
    for places in _first_guesses(shapes, left):
        if not set(places) <= set(left) or len(found) == _MOST:
            continue
        extent = _free(shapes, fits, places)
        if extent is not None and joins(extent):
            found.append(extent)
            left = [p for p in left if p not in places]
    return [e for e in (_bounded(extent, chosen) for extent in found) if e is not None]


def _first_guesses(shapes: Shapes, left: Sequence[Place]) -> Iterator[tuple[Place, ...]]:
    """What may be one extent, the likeliest first; what was found free is taken no more."""
    batch = tuple(p for p in left if p[1] == 0)
    if len({shapes[name][axis] for name, axis in batch}) == 1:
        yield batch
    few = len(shapes) <= _FEW_INPUTS
    if few:
        yield from ((p,) for p in left)
    yield from _groups(left, lambda p: (shapes[p[0]], p[1]))
    yield from _groups(left, lambda p: (shapes[p[0]][p[1]], p[1]))
    yield from _groups(left, lambda p: shapes[p[0]][p[1]])
    if few:
        pairs = [(p, q) for i, p in enumerate(left) for q in left[i + 1 :]]
        yield from (pair for pair in pairs if len({shapes[n][a] for n, a in pair}) == 1)


def _groups(left: Sequence[Place], key: Callable[[Place], object]) -> Iterable[tuple[Place, ...]]:
    groups: dict[object, list[Place]] = {}
    for place in left:
        groups.setdefault(key(place), []).append(place)
    return [tuple(g) for g in groups.values() if len(g) > 1]


def _free(shapes: Shapes, fits: Callable[[Shapes], bool], places: tuple[Place, ...]) -> FreeExtent | None:
    compiled = shapes[places[0][0]][places[0][1]]
    for delta in _DELTAS:
        step = 1 if delta == _DELTAS[0] else delta
        extent = FreeExtent(places, compiled, step, 1, max(LARGEST, 4 * compiled))
        if fits(at(shapes, [extent], [compiled + delta])):
            return extent
        if all(axis < 2 for _, axis in places):
            return None  # pictures alone are asked for in steps; channels are asked about once
    return None


def _named(chosen: Chosen, place: Place) -> bool:
    return place[1] in chosen.get(place[0], {})


def _alike(shapes: Shapes, place: Place) -> list[Place]:
    """The places that may have the extent of this one."""
    n = shapes[place[0]][place[1]]
    return [(name, axis) for name, shape in shapes.items() for axis, m in enumerate(shape) if m == n]


def _bounded(extent: FreeExtent, chosen: Chosen | None) -> FreeExtent | None:
    if chosen is None or not any(name in chosen for name, _ in extent.places):
        return extent
    ranges = [chosen[name][axis] for name, axis in extent.places if _named(chosen, (name, axis))]
    if not ranges:
        return None
    return replace(extent, low=max(low for low, _ in ranges), high=min(high for _, high in ranges))


def others(extent: FreeExtent) -> Iterator[int]:
    """Extents to look at, of which the first four are beyond what was compiled and the last below; all in the range."""
    e = extent.compiled
    wanted = [e + n for n in _ODD_OFFSETS] if e < _SHORT else _spread(e, extent.step)
    return _in_range(extent, wanted)


def _spread(compiled: int, step: int) -> list[int]:
    random = Random(compiled)
    width = max(0.4 * compiled, 80)
    for _ in range(1000):
        found = [int(1.1 * compiled + width * (i + random.random())) for i in range(4)]
        found = [n + (compiled - n) % step for n in found]
        rounded = [[(n + add) // s for n in found] for s in _STRIDES if s % step == 0 for add in (0, s // 2, s - 1)]
        if all(seen_step(r) == 1 for r in rounded):
            break
    return found + [int(compiled * part) for part in (0.4, 0.57, 0.77)]


def held_out(extent: FreeExtent) -> Iterator[int]:
    """Extents on which to check: small ones, for it takes time, and odd; then others."""
    e = extent.compiled
    return _in_range(extent, [3 if e < 3 else e // 2 | 1, e // 2 + 2 | 1, e // 3 * 2 | 1, e + 1, e + 3, e + 4])


def lowest(extent: FreeExtent) -> Iterator[int]:
    """Extents that may be the least that is allowed, the least first."""
    e = extent.compiled
    return _in_range(extent, [extent.asked_low, 1, 2, 3, e // 16, e // 8, e // 4, e // 3, e // 2, e])


def highest(extent: FreeExtent) -> Iterator[int]:
    """Extents that may be the largest that is allowed, the largest first."""
    e = extent.compiled
    return _in_range(extent, [extent.asked_high, *(n for n in (2048, 1024, 512, 256, 128, 64) if n > e), 4 * e])


def _in_range(extent: FreeExtent, wanted: Sequence[int]) -> Iterator[int]:
    """Those moved up to the next extent that is whole steps away, where they are in the range; each once."""
    moved = [n + (extent.compiled - n) % extent.step for n in wanted]
    yield from dict.fromkeys(n for n in moved if extent.low <= n <= extent.high and n > 0)


def seen_step(extents: Sequence[int]) -> int:
    """The largest step by which all of these are apart; 0 where all are the same."""
    return gcd(*[n - extents[0] for n in extents])
