"""BatchAxes: along which axis the samples of each input and output of a model lie, where that was proved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple


class OutputAxis(NamedTuple):
    """The axis along which samples lie in an output, and how many rows each of them has there."""

    axis: int
    rows: int


@dataclass(frozen=True)
class BatchAxes:
    """The samples' axis of each input (None for one that all samples share), that of each output (None for one that
    does not depend on them), and how many samples the compiled programs take."""

    inputs: tuple[int | None, ...]
    outputs: tuple[OutputAxis | None, ...]
    size: int

    def samples(self, compiled: Sequence[Sequence[int]], shapes: Sequence[Sequence[int]]) -> int | None:
        """How many samples arrays of `shapes` hold, where `compiled` are those the model was compiled for.

        None when the shapes differ in more than the number of samples: nothing was proved for them.
        """
        counts = set()
        for axis, before, now in zip(self.inputs, compiled, shapes, strict=True):
            wanted = list(before)
            if axis is not None and len(now) == len(wanted):
                wanted[axis] = now[axis]
                counts.add(now[axis])
            if list(now) != wanted:
                return None
        return counts.pop() if len(counts) == 1 else None

    def to_json(self) -> Any:
        """As lists, for `from_json`."""
        return {"inputs": list(self.inputs), "outputs": [list(o) if o else None for o in self.outputs]}

    @classmethod
    def from_json(cls, raw: Any, compiled: Sequence[Sequence[int]]) -> BatchAxes:
        """The inverse of `to_json`; `compiled` are the shapes of the inputs."""
        inputs = tuple(raw["inputs"])
        size = next(shape[axis] for axis, shape in zip(inputs, compiled, strict=True) if axis is not None)
        return cls(inputs, tuple(OutputAxis(*o) if o else None for o in raw["outputs"]), size)


def with_batch(shape: Sequence[int], size: int) -> tuple[int, ...]:
    """The shape with another length of its first axis, as option `batch_sizes` means it; a scalar's stays."""
    return (size, *shape[1:]) if shape else ()
