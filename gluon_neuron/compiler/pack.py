"""Makes the programs of a region, and packs them into its artifact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .._version import __version__
from ..artifact.container import Artifact, Payload, graph_hash, pack
from ..graph.subgraph import NODE_NAME, Replacement
from ..graph.text import to_text
from ..options import CompileOptions
from ..stitch.node_placement import placing
from ..targets.base import Program, Target, Task
from ..targets.registry import fallback_target
from .cut_region import CutRegion


@dataclass(frozen=True)
class CompiledRegion:
    """One compiled region: what replaces it, its programs, and its artifact's bytes."""

    cut: CutRegion
    replacement: Replacement
    programs: tuple[Program, ...]
    artifact: bytes

    @property
    def payloads(self) -> tuple[Payload, ...]:
        """What the artifact holds."""
        return tuple(p.payload for p in self.programs)


def prepare(cut: CutRegion, target: Target) -> list[Program | Task]:
    """Each program of a region, all batch sizes of it, or what is left to do for it; those for any machine come first.

    Raises CompileError when the region cannot be lowered.
    """
    companion = fallback_target(target)
    targets = [target] if companion is None else [companion, target]
    return [t.prepare(job) for t in targets for job in cut.jobs]


def finish(cut: CutRegion, programs: Sequence[Program], options: CompileOptions, is_np: bool) -> CompiledRegion:
    """The region with its artifact, which holds the programs."""
    identity = {**options.identity(), "np_shape": is_np}
    payloads = tuple(p.payload for p in programs)
    artifact = pack(Artifact(graph_hash(to_text(cut.visible)), identity, payloads, __version__))
    cores = str(options.pipeline_cores)  # scripts for pipelines read it, to set MXNET_CPU_WORKER_NTHREADS
    attrs = {"__ext_extra_inputs__": "1", NODE_NAME: cut.name, "__subgraph_opt_neuroncore__": cores}
    attrs |= placing(payloads, options)
    entries = tuple(cut.inputs.values())
    region = cut.region
    replacement = Replacement(cut.name, region.nodes, region.outputs, entries, cut.visible, len(artifact), attrs)
    return CompiledRegion(cut, replacement, tuple(programs), artifact)
