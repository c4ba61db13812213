"""Target: what every target answers, and the table of those that exist."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..artifact.container import Payload
from ..errors import OptionError
from ..graph.graph import Graph, Node
from ..lowering.known import known_from_shapes
from ..lowering.registry import refusal as rule_refusal
from ..options import CompileOptions
from ..refusal import Category, Refusal
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
class Compilation:
    """What a target compiles: a region's graph with specs, its inputs' names in the node's order, and their roles.

    `values` holds the bytes of weights that are to be baked in, by name. `name` is what messages call it; `checkpoint`
    gives it as MXNet's two files; `keep` is the directory that is to hold what a compiler was given and what it said,
    None for one that is removed. `smaller` gives the same graph for data of which the first axes hold only one of so
    many equal parts, None where MXNet infers no shapes for them.
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
    smaller: Callable[[int], Graph | None] | None = None

    @property
    def data(self) -> tuple[str, ...]:
        """The names of the inputs that are no weights."""
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

    def prepare(self, work: Compilation) -> Program | Task:
        """Lower the region, here and now; raises CompileError."""


def get_target(name: str) -> Target:
    """The target called `name`; "auto" is the CPU where no NeuronCore is present."""
    from .cpu.target import CpuTarget
    from .neuron.inf1 import Inf1Target
    from .neuron.neuronx import TARGETS, NeuronxTarget

    if name in ("auto", "cpu"):
        return CpuTarget()
    if name == "inf1":
        return Inf1Target()
    if name in TARGETS:
        return NeuronxTarget(name)
    raise OptionError(f"There is no target {name!r}.")


def beside(target: Target) -> Target | None:
    """The target whose program every artifact for `target` holds too, so that its files run on any machine."""
    return None if target.name == "cpu" else get_target("cpu")


def without_rule(target: Target, node: Node) -> Refusal | None:
    """Why the node, or one in its body, has no rule that serves it, or the target refuses one in its body."""
    found = rule_refusal(node)
    if found is not None:
        return found
    for inner in (n for body in node.bodies for n in body.operators):
        found = target.refusal(inner)
        if found is not None:
            return Refusal(found.category, f"in its body, {inner}: {found.sentence}")
    return None


def refusals(target: Target, graph: Graph) -> Callable[[Node], Refusal | None]:
    """The refusals for the nodes of `graph`: the target's, and those of the target whose program stands beside its own.

    Nodes whose values follow from shapes alone are spared where they fold in NumPy while the region is lowered, so that
    what an engine computes wrongly does not matter.
    """
    known = known_from_shapes(graph)
    companion = beside(target)

    def refusal(node: Node) -> Refusal | None:
        found = _ask(target, node, known)
        if found is not None or companion is None:
            return found
        other = _ask(companion, node, known)
        if other is None or other.category is Category.SLOWER:
            return None
        if other.category is not Category.TARGET:
            return other
        return Refusal(Category.TARGET, f"the artifact holds a program for the CPU too, and {other.sentence}")

    return refusal


def _ask(target: Target, node: Node, known: Collection[int]) -> Refusal | None:
    found = target.refusal(node)
    folded = target.folds and node.id in known
    return None if found is not None and found.category is Category.TARGET and folded else found


def signature(work: Compilation, roles: Mapping[str, str]) -> dict[str, Any]:
    """The I/O signature of a compilation as the artifact's header holds it."""
    specs = {n.name: n.out for n in work.graph.variables}
    heads = [work.graph.nodes[h.node].outs[h.output] for h in work.graph.heads]
    outputs = []
    for name, spec in zip(work.outputs, heads, strict=True):
        assert spec is not None
        outputs.append({"name": name, "shape": list(spec.shape), "dtype": spec.dtype})
    inputs = [
        {"name": n, "shape": list(specs[n].shape), "dtype": specs[n].dtype, "role": roles[n]} for n in work.inputs
    ]
    return {"inputs": inputs, "outputs": outputs}
