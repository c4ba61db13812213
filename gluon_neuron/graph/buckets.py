"""Buckets: the extents that a model has programs for, how calls are padded to the next one, and how results are cut."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

from .spec import Spec

Shapes = tuple[tuple[int, ...], ...]


class CutAxis(NamedTuple):
    """An axis of an output that follows an extent of the inputs: it has `rows` for each step, and `offset` more."""

    output: int
    axis: int
    rows: int
    offset: int = 0


@dataclass(frozen=True)
class BucketAxis:
    """Axes of inputs, as (input, axis), that have one extent; the extents of buckets; the outputs' axes that follow.

    `values` are what each of the axes is padded with where that is declared to be harmless. None: it is proved, and the
    last step is repeated, so that a model that divides by its data meets no other values than it would have.
    """

    places: tuple[tuple[int, int], ...]
    extents: tuple[int, ...]
    cuts: tuple[CutAxis, ...]
    values: tuple[float, ...] | None = None

    def moved(self, shapes: Shapes, extent: int) -> Shapes:
        """The shapes with this extent there."""
        found = [list(shape) for shape in shapes]
        for at, axis in self.places:
            found[at][axis] = extent
        return tuple(map(tuple, found))


@dataclass(frozen=True)
class Buckets:
    """What is padded, and `sizes`: the extents of each bucket, one for each of the axes, the smallest bucket first.

    `strict`: a call that no bucket holds is an error.
    """

    axes: tuple[BucketAxis, ...]
    sizes: tuple[tuple[int, ...], ...]
    strict: bool = False

    def shapes(self, sample: Shapes, size: Sequence[int]) -> Shapes:
        """The inputs' shapes in a bucket; `sample` are those that the model was compiled for."""
        return shapes_at(self.axes, sample, size)

    def extents(self, compiled: Sequence[Spec], given: Sequence[Spec]) -> tuple[int, ...] | None:
        """The extents of a call; None where it differs from what was compiled in more than these."""
        found: list[int] = []
        for axis in self.axes:
            seen = {given[at].shape[k] for at, k in axis.places if k < len(given[at].shape)}
            if len(seen) != 1 or 0 in seen:
                return None
            found.append(seen.pop())
        wanted = self.shapes(tuple(s.shape for s in compiled), found)
        same = all(g == Spec(s, c.dtype) for g, s, c in zip(given, wanted, compiled, strict=True))
        return tuple(found) if same else None

    def smallest(self, extents: Sequence[int]) -> tuple[int, ...] | None:
        """The smallest bucket that holds a call of these extents; None where none does."""
        return next((size for size in self.sizes if all(n <= m for n, m in zip(extents, size, strict=True))), None)

    def cut(self, outputs: Shapes, extents: Sequence[int]) -> Shapes:
        """The shapes of the outputs for a call of these extents; `outputs` are those of a bucket."""
        found = [list(shape) for shape in outputs]
        for axis, extent in zip(self.axes, extents, strict=True):
            for place in axis.cuts:
                found[place.output][place.axis] = place.rows * extent + place.offset
        return tuple(map(tuple, found))

    def to_json(self) -> Any:
        """As lists, for `from_json`."""
        return {
            "axes": [[a.places, a.extents, [list(c) for c in a.cuts], a.values] for a in self.axes],
            "sizes": self.sizes,
            "strict": self.strict,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Buckets:
        """The inverse of `to_json`."""
        axes = tuple(
            BucketAxis(
                tuple((at, axis) for at, axis in places),
                tuple(extents),
                tuple(CutAxis(*c) for c in cuts),
                None if values is None else tuple(values),
            )
            for places, extents, cuts, values in raw["axes"]
        )
        return cls(axes, tuple(map(tuple, raw["sizes"])), raw["strict"])


def shapes_at(axes: Sequence[BucketAxis], sample: Shapes, size: Sequence[int]) -> Shapes:
    """The inputs' shapes with these extents, one for each of the axes."""
    for axis, extent in zip(axes, size, strict=True):
        sample = axis.moved(sample, extent)
    return sample


def by_size(
    axes: Sequence[BucketAxis], sample: Shapes, sizes: Iterable[tuple[int, ...]]
) -> tuple[tuple[int, ...], ...]:
    """Sizes of buckets, the one with the fewest elements in the inputs first, each once."""

    def elements(size: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
        return sum(map(prod, shapes_at(axes, sample, size))), size

    return tuple(sorted(dict.fromkeys(sizes), key=elements))
