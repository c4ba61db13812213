"""Finds which extents of a region's data may change, by MXNet's own shape inference, and where to look at them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import gcd
from random import Random

from ...shape_options import Range

Shapes = Mapping[str, tuple[int, ...]]
Place = tuple[str, int]
"""An input's name and an axis of it."""

Chosen = Mapping[str, Mapping[int, Range]]
"""What a user says is free: by input and axis, the least and the largest extent, or None for any."""

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

_PARTS = (0.9, 0.31, 0.63, 0.17, 0.77, 0.46)
"""Where in a range to look, too, if most of those are beyond it."""

_FACTORS = (2.31, 4.73, 7.59, 3.47)
"""How many times what was compiled, to look at extents of which deep layers leave little."""

_LOOKS, _SPAN, _TRIES = 6, 48, 1000
"""So many extents are looked at for their remainders, from a range of so many at least; and so often they are drawn."""

_ENOUGH = 4

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
    free, in its ranges.
    """
    found: list[FreeExtent] = []
    ways = (1,) if chosen is None else (1, -1)  # the sample may have the largest extent that is asked for

    def joins(extent: FreeExtent) -> bool:
        """Whether it may change together with, and otherwise than, those found so far."""
        trial = [*found, extent]
        few = (0,) if chosen is None else (0, 4)
        moved = ([_moved(e, 5 + 2 * i - less, way) for i, e in enumerate(trial)] for less in few for way in ways)
        return any(fits(at(shapes, trial, extents)) for extents in moved)

    left = [(name, axis) for name, shape in shapes.items() for axis, n in enumerate(shape) if n > 0]
    if chosen is not None:
        left = [(name, axis) for name, axis in left if axis in chosen.get(name, {})]
    for places in _first_guesses(shapes, left, chosen):
        if not set(places) <= set(left) or len(found) == _MOST:
            continue
        extent = _free(shapes, fits, _range(shapes, places, chosen), ways)
        if extent is not None and joins(extent):
            found.append(extent)
            left = [p for p in left if p not in places]
    return found


def _first_guesses(shapes: Shapes, left: Sequence[Place], chosen: Chosen | None = None) -> Iterator[tuple[Place, ...]]:
    """What may be one extent, the likeliest first; what was found free is taken no more."""
    batch = tuple(p for p in left if p[1] == 0)
    ranges = {chosen[name][axis] for name, axis in batch} if chosen is not None else {None}
    if len({shapes[name][axis] for name, axis in batch}) == 1 and len(ranges) == 1:
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


def _range(shapes: Shapes, places: tuple[Place, ...], chosen: Chosen | None) -> FreeExtent:
    """These places with the range that all of them may have."""
    compiled = shapes[places[0][0]][places[0][1]]
    asked = [chosen[name][axis] for name, axis in places] if chosen is not None else []
    low = max((r[0] for r in asked if r is not None), default=1)
    high = min((r[1] for r in asked if r is not None), default=max(LARGEST, 4 * compiled))
    return FreeExtent(places, compiled, 1, low, high)


def _free(
    shapes: Shapes, fits: Callable[[Shapes], bool], extent: FreeExtent, ways: tuple[int, ...]
) -> FreeExtent | None:
    for delta in _DELTAS:
        found = replace(extent, step=1 if delta == _DELTAS[0] else delta)
        moved = [extent.compiled + delta * way for way in ways]
        if found.step == 1 and len(ways) > 1:
            moved += near(extent)[:4]
        if any(
            extent.low <= n <= extent.high and n != extent.compiled and fits(at(shapes, [extent], [n])) for n in moved
        ):
            return found
        if all(axis < 2 for _, axis in extent.places):
            return None  # pictures alone are asked for in steps; channels are asked about once
    return None


def _moved(extent: FreeExtent, steps: int, way: int) -> int:
    """Another extent in the range: so many steps away, the other way round, or as far as it goes."""
    for far in range(steps, 0, -1):
        for n in (extent.compiled + way * far * extent.step, extent.compiled - way * far * extent.step):
            if extent.low <= n <= extent.high:
                return n
    return extent.compiled


def others(extent: FreeExtent) -> list[int]:
    """Extents to look at, of which the first four are beyond what was compiled and the last below.

    All are in the range, unless it has too few.
    """
    e = extent.compiled
    wanted = [e + n for n in _ODD_OFFSETS] if e < _SHORT else _spread(e, extent.step)
    found = list(_in_range(extent, wanted))
    if len(found) >= _ENOUGH:
        return found
    # The range is short, or what was compiled is near its end. A program that was derived from extents beyond it is
    # checked within it; a range of few is left for that.
    beyond = list(_in_range(replace(extent, low=1, high=max(LARGEST, 4 * e)), wanted))
    width = extent.high - extent.low
    inner = list(_in_range(extent, [extent.low + int(part * width) for part in _PARTS]))
    more = [*beyond, *inner] if width < _SHORT * extent.step // 2 else [*inner, *beyond]
    return [n for n in dict.fromkeys([*found, *more]) if n != e]


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
    """Extents on which to check: small ones, for it takes time, an odd one and an even one; then others."""
    e = extent.compiled
    odd = 3 if e < 3 else e // 2 | 1
    return _in_range(extent, [odd, odd + 1, odd + 2, e // 3 * 2 | 1, e + 1, e + 3, e + 4, *near(extent)])


def with_all_remainders(extent: FreeExtent) -> list[int]:
    """Extents in the range that show what is otherwise for some remainders alone, of the extent or of what deeper
    layers leave of it: a window that reaches beyond an even end, a size rounded to an even one."""
    low, step = extent.asked_low, extent.step
    high = min(extent.asked_high, max(2 * extent.compiled, low + _SPAN * step))
    members = range(low, high + 1, step)
    if len(members) <= _LOOKS:
        return list(members)
    random = Random(extent.compiled)
    strides = [s for s in _STRIDES if 4 * s <= len(members)]
    for _ in range(_TRIES):
        found = random.sample(range(len(members)), _LOOKS)
        whole = all(len({n % m for n in found}) == m for m in (2, 3, 4))
        if whole and all(seen_step([(n + add) // s for n in found]) == 1 for s in strides for add in range(s)):
            break
    return [members[n] for n in found]


def lowest(extent: FreeExtent) -> Iterator[int]:
    """Extents that may be the least that is allowed, the least first."""
    e = extent.compiled
    return _in_range(extent, [extent.asked_low, 1, 2, 3, e // 16, e // 8, e // 4, e // 3, e // 2, e])


def highest(extent: FreeExtent) -> Iterator[int]:
    """Extents that may be the largest that is allowed, the largest first."""
    e = extent.compiled
    return _in_range(extent, [extent.asked_high, *(n for n in (2048, 1024, 512, 256, 128, 64) if n > e), 4 * e])


def far(extent: FreeExtent) -> Iterator[int]:
    """Extents of which even a hundredth differs, as far as the range goes; a batch stays small."""
    if all(axis == 0 for _, axis in extent.places):
        return iter(())
    return _in_range(extent, [int(extent.compiled * factor) + 1 for factor in _FACTORS])


def steps(value: Callable[[int], int | None], extent: FreeExtent, most: int) -> list[int] | None:
    """The extents in the range from which on a value that never falls is larger than before; None for more than `most`,
    and for a value that falls or is None somewhere."""
    found: list[int] = []
    low, last = extent.asked_low, extent.asked_high
    there, end = value(low), value(last)
    while there != end:
        if there is None or end is None or there > end or len(found) == most:
            return None
        high = last
        while high - low > extent.step:
            half = low + (high - low) // (2 * extent.step) * extent.step
            at_half = value(half)
            if at_half is None or not there <= at_half <= end:
                return None
            low, high = (half, high) if at_half == there else (low, half)
        found.append(high)
        low, there = high, value(high)
    return found


def near(extent: FreeExtent) -> list[int]:
    """Extents about what was compiled, the nearest first."""
    e, s = extent.compiled, extent.step
    return list(_in_range(extent, [e + way * n * s for n in range(1, 8) for way in (1, -1)]))


def _in_range(extent: FreeExtent, wanted: Sequence[int]) -> Iterator[int]:
    """Those moved up to the next extent that is whole steps away, where they are in the range; each once."""
    moved = [n + (extent.compiled - n) % extent.step for n in wanted]
    yield from dict.fromkeys(n for n in moved if extent.low <= n <= extent.high and n > 0)


def seen_step(extents: Sequence[int]) -> int:
    """The largest step by which all of these are apart; 0 where all are the same."""
    return gcd(*[n - extents[0] for n in extents])
