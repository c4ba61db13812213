"""InputSpec: what one input of a compiled model takes: its name, shape and dtype, and which of its axes may change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..report import DynamicDimension, RegionReport

if TYPE_CHECKING:
    from .metadata import Metadata

_ANY = 2**31 - 1
"""From here on a bound is none: MXNet itself has no larger extents."""


@dataclass(frozen=True)
class InputSpec:
    """One input of a compiled model.

    `shape` is the sample's and `dtype` NumPy's name (or "bfloat16"). `dynamic_axes` says which axes may change within
    the compiled programs, by axis: each from `min` to `max` in steps of `step`, together with all of its `axes`, which
    are (input, axis). `buckets` has the extents of each axis that is padded up to the next of them, and `batch_axis` is
    the axis along which any number of samples is split and padded (option `dynamic_batch`). Any other shape that the
    original takes runs as well, in MXNet until a program for it is ready.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    dynamic_axes: Mapping[int, DynamicDimension] = field(default_factory=dict)
    buckets: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    batch_axis: int | None = None

    def __str__(self) -> str:
        return f"{self.name} {self.dtype}[{', '.join(map(self._extent, range(len(self.shape))))}]"

    def _extent(self, axis: int) -> str:
        said = str(self.shape[axis])
        if axis in self.buckets:
            return f"{said} of {'|'.join(map(str, self.buckets[axis]))}"
        if axis == self.batch_axis:
            return f"{said} of 1.."
        found = self.dynamic_axes.get(axis)
        if found is None:
            return said
        most = "" if found.max >= _ANY else found.max
        return f"{said} of {found.min}..{most}" + (f" by {found.step}" if found.step > 1 else "")

    def to_dict(self) -> dict[str, Any]:
        """As JSON-compatible values, with the axes as text."""
        dynamic = {
            str(axis): {"min": d.min, "max": d.max, "step": d.step, "axes": d.axes}
            for axis, d in self.dynamic_axes.items()
        }
        return {
            "shape": self.shape,
            "dtype": self.dtype,
            "dynamic_axes": dynamic,
            "buckets": {str(axis): extents for axis, extents in self.buckets.items()},
            "batch_axis": self.batch_axis,
        }


def input_specs(metadata: Metadata) -> tuple[InputSpec, ...]:
    """A spec for each input of a compiled model, in the order of its flattened arguments."""
    batch = metadata.batch_axes.inputs if metadata.batch_axes else (None,) * len(metadata.inputs)
    padded: dict[str, dict[int, tuple[int, ...]]] = {}
    for bucket in metadata.report.buckets:
        for name, axis in bucket.axes:
            padded.setdefault(name, {})[axis] = bucket.extents
    return tuple(
        InputSpec(n, s.shape, s.dtype, _dynamic(n, metadata), padded.get(n, {}), at)
        for n, s, at in zip(metadata.inputs, metadata.specs, batch, strict=True)
    )


def _dynamic(name: str, metadata: Metadata) -> dict[int, DynamicDimension]:
    """The axes that every region which reads the input takes in one program, each in the range of all of them."""
    readers = [r for r in metadata.report.regions if name in r.inputs]
    axes = range(len(metadata.specs[metadata.inputs.index(name)].shape)) if readers else ()
    found = {axis: _common(name, axis, readers, metadata.inputs) for axis in axes}
    return {axis: dimension for axis, dimension in found.items() if dimension is not None}


def _common(name: str, axis: int, readers: Sequence[RegionReport], inputs: Sequence[str]) -> DynamicDimension | None:
    each = [next((d for d in r.dynamic_dimensions if (name, axis) in d.axes), None) for r in readers]
    known = [d for d in each if d is not None]
    if len(known) < len(each) or len({d.step for d in known}) > 1:
        return None
    places = dict.fromkeys(place for d in known for place in d.axes if place[0] in inputs)
    least, most = max(d.min for d in known), min(d.max for d in known)
    return DynamicDimension(tuple(places), least, most, known[0].step) if least <= most else None
