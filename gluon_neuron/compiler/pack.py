"""Makes the programs of a region, and packs them into its artifact."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._version import __version__
from ..artifact.container import Artifact, Payload, pack
from ..graph.identity import graph_hash
from ..graph.subgraph import ARTIFACT_SUFFIX, NODE_NAME, Replacement
from ..options import CompileOptions
from ..stitch.node_placement import placing
from ..targets.base import Program, Target, Task
from ..targets.registry import fallback_target
from .any_shape import program_for_any_shape
from .cut_region import CutRegion


@dataclass(frozen=True)
class CompiledRegion:
    """One compiled region: what replaces it, its programs, and its artifact's bytes."""

    cut: CutRegion
    replacement: Replacement
    programs: tuple[Program, ...]
    artifact: bytes
    why_static: str = ""
    """Why there is no program for any shape among them."""

    @property
    def payloads(self) -> tuple[Payload, ...]:
        """What the artifact holds."""
        return tuple(p.payload for p in self.programs)


def prepare(cut: CutRegion, target: Target) -> list[Program | Task]:
    """Each program of a region, for all static shapes, or what is left to do for it; those for any machine come first.

    Raises CompileError when the region cannot be lowered.
    """
    companion = fallback_target(target)
    targets = [target] if companion is None else [companion, target]
    return [t.prepare(job) for t in targets for job in cut.jobs]


def finish(cut: CutRegion, programs: Sequence[Program], options: CompileOptions, is_np: bool) -> CompiledRegion:
    """The region with its artifact, which holds the programs."""
    identity = {**options.identity(), "np_shape": is_np}
    any_shape, why = program_for_any_shape(cut)
    programs = [*programs, any_shape] if any_shape else programs
    payloads = tuple(p.payload for p in programs)
    graph = graph_hash(cut.visible)
    artifact = pack(Artifact(graph, identity, payloads, __version__))
    cores = str(options.pipeline_cores)  # scripts for pipelines read it, to set MXNET_CPU_WORKER_NTHREADS
    attrs = {"__ext_extra_inputs__": "1", NODE_NAME: cut.name, "__subgraph_opt_neuroncore__": cores}
    attrs |= placing(payloads, options)
    entries = tuple(cut.inputs.values())
    region = cut.region
    name = _artifact_name(cut.name, graph, identity, payloads)
    replacement = Replacement(cut.name, region.nodes, region.outputs, entries, cut.visible, name, len(artifact), attrs)
    return CompiledRegion(cut, replacement, tuple(programs), artifact, why)


def _artifact_name(node: str, graph: str, identity: Mapping[str, Any], payloads: Sequence[Payload]) -> str:
    """The name of the artifact's parameter. MXNet finds parameters by name, and models meet in one symbol or one block,
    so artifacts of one name are for the same graph, options, targets and shapes."""
    content = [graph, identity, [[p.target, p.signature] for p in payloads]]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return f"{node}_{digest[:16]}{ARTIFACT_SUFFIX}"
