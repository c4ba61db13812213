"""Target: what every target answers, and the records that it is given and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..artifact.container import Payload
from ..graph.graph import Graph, Node
from ..options import CompileOptions
from ..refusal import Refusal
from ..shape_options import Range
from .neuron.toolchain.process import Running

DATA, WEIGHT, UNUSED = "data", "weight", "unused"


@dataclass(frozen=True)
class Checkpoint:
    """A region as MXNet keeps it: its two `files` by name, the symbol's first; the names of the symbol's outputs; and
    the SHA-256 of each parameter's bytes."""

    files: Mapping[str, bytes]
    outputs: Sequence[str]
    digests: Mapping[str, str]


@dataclass(frozen=True)
class RegionJob:
    """What a target compiles: a region's graph with specs, its inputs' names in the node's order, and their roles.

    `values` holds the bytes of weights that are to be baked in, by name. `name` is what messages call it; `checkpoint`
    gives it as MXNet's two files; `keep` is the directory that is to hold what a compiler was given and what it said,
    None for one that is removed. `for_batch_part` gives the same graph for data of which the first axes hold only one
    of so many equal parts, and `for_shapes` for data of these shapes, None where MXNet infers no shapes for them;
    `weight` is a weight's value by its name. `dynamic_axes` has the axes of each input of data that may change, with
    their ranges, where option dynamic names axes.
    """

    graph: Graph
    inputs: Sequence[str]
    roles: Mapping[str, str]
    outputs: Sequence[str]
    options: CompileOptions
    values: Mapping[str, Any]
    name: str = "region"
    checkpoint: Callable[[], Checkpoint] | None = None
    keep: Path | None = None
    for_batch_part: Callable[[int], Graph | None] | None = None
    for_shapes: Callable[[Mapping[str, tuple[int, ...]]], Graph | None] | None = None
    weight: Callable[[str], Any] | None = None
    dynamic_axes: Mapping[str, Mapping[int, Range]] | None = None

    @property
    def data(self) -> tuple[str, ...]:
        """The names of the inputs that are not weights."""
        return tuple(n for n in self.inputs if self.roles[n] == DATA)


@dataclass(frozen=True)
class Program:
    """A payload, and how it came about: the compiler's command line, whether the cache had it, the seconds it took."""

    payload: Payload
    command: tuple[str, ...] = ()
    cached: bool = False
    seconds: float = 0.0
    quality: Mapping[str, Any] = field(default_factory=dict)


Task = Callable[[Running], Program]
"""What is left to do once a region is lowered, where that is much: it runs a compiler, in any thread. Raises
CompileError."""


class Target(Protocol):
    """A place where regions run."""

    name: str
    engine: str
    folds: bool
    """Whether nodes whose values follow from shapes alone are computed while a region is lowered, and not there."""

    def refusal(self, node: Node) -> Refusal | None:
        """Why the node cannot run here, or None."""

    def ready(self) -> None:
        """Raises CompilerMissingError or EngineError when what compiles for it is not installed."""

    def prepare(self, job: RegionJob) -> Program | Task:
        """Lower the region, here and now; raises CompileError."""


def signature(job: RegionJob, roles: Mapping[str, str]) -> dict[str, Any]:
    """The I/O signature of a compilation as the artifact's header holds it."""
    specs = {n.name: n.out for n in job.graph.variables}
    heads = [job.graph.nodes[h.node].outs[h.output] for h in job.graph.heads]
    outputs = []
    for name, spec in zip(job.outputs, heads, strict=True):
        assert spec is not None
        outputs.append({"name": name, "shape": list(spec.shape), "dtype": spec.dtype})
    inputs = [{"name": n, "shape": list(specs[n].shape), "dtype": specs[n].dtype, "role": roles[n]} for n in job.inputs]
    return {"inputs": inputs, "outputs": outputs}
