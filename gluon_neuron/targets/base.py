"""Target: what every target answers, and the table of those that exist."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..artifact.container import Payload
from ..errors import OptionError
from ..graph.graph import Graph, Node
from ..graph.known import known_from_shapes
from ..options import CompileOptions

DATA, WEIGHT, UNUSED = "data", "weight", "unused"


@dataclass(frozen=True)
class Compilation:
    """What a target compiles: a region's graph with specs, its inputs' names in the node's order, and their roles.

    `values` holds the bytes of weights that are to be baked in, by name.
    """

    graph: Graph
    inputs: Sequence[str]
    roles: Mapping[str, str]
    outputs: Sequence[str]
    options: CompileOptions
    values: Mapping[str, Any]


class Target(Protocol):
    """A place where regions run."""

    name: str
    engine: str

    def refusal(self, node: Node) -> tuple[str, str] | None:
        """Why the node cannot run here, as (category, sentence), or None."""

    def compile(self, work: Compilation) -> Payload:
        """The region's program; raises CompileError."""


def get_target(name: str) -> Target:
    """The target called `name`; "auto" is the CPU where no NeuronCore is present."""
    from .cpu import CpuTarget

    if name in ("auto", "cpu"):
        return CpuTarget()
    raise OptionError(f"Target {name!r} cannot be compiled for by this version; use target='cpu' or 'auto'.")


def refusals(target: Target, graph: Graph) -> Callable[[Node], tuple[str, str] | None]:
    """The target's refusal for the nodes of `graph`, which spares those whose values follow from shapes alone.

    Such nodes fold in NumPy while the region is lowered, so that what an engine computes wrongly does not matter.
    """
    known = known_from_shapes(graph)

    def refusal(node: Node) -> tuple[str, str] | None:
        found = target.refusal(node)
        return None if found is not None and found[0] == "target" and node.id in known else found

    return refusal


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
