"""Target: what every target answers, and the table of those that exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..artifact.container import Payload
from ..errors import OptionError
from ..graph.graph import Graph, Node
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
