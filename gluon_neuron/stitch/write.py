"""Makes artifacts of a model's pieces and stitches them into a new symbol, with an artifact parameter for each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import mxnet as mx
import numpy as np

from .._version import __version__
from ..artifact.container import Artifact, Payload, graph_hash, pack
from ..compiler.region_job import Piece
from ..graph.graph import Graph
from ..graph.subgraph import ARTIFACT_SUFFIX, NAMING, NODE_NAME, SUBGRAPH_OP, Replacement, replace
from ..options import CompileOptions
from ..targets.base import Program, Target, Task
from ..targets.registry import fallback_target
from .metadata import KEY, Metadata
from .node_placement import placing


@dataclass(frozen=True)
class Compiled:
    """One compiled piece: what replaces it, its programs, and its artifact's bytes."""

    piece: Piece
    replacement: Replacement
    programs: tuple[Program, ...]
    artifact: bytes

    @property
    def payloads(self) -> tuple[Payload, ...]:
        """What the artifact holds."""
        return tuple(p.payload for p in self.programs)


def prepare(piece: Piece, target: Target) -> list[Program | Task]:
    """Each program of a piece, all batch sizes of it, or what is left to do for it; those for any machine come first.

    Raises CompileError when the piece cannot be lowered.
    """
    companion = fallback_target(target)
    targets = [target] if companion is None else [companion, target]
    return [t.prepare(job) for t in targets for job in piece.jobs]


def finish(piece: Piece, programs: Sequence[Program], options: CompileOptions, is_np: bool) -> Compiled:
    """The piece with its artifact, which holds the programs."""
    identity = {**options.identity(), "np_shape": is_np}
    payloads = tuple(p.payload for p in programs)
    artifact = pack(Artifact(graph_hash(json.dumps(piece.visible)), identity, payloads, __version__))
    cores = str(options.pipeline_cores)  # scripts for pipelines read it, to set MXNET_CPU_WORKER_NTHREADS
    attrs = {"__ext_extra_inputs__": "1", NODE_NAME: piece.name, "__subgraph_opt_neuroncore__": cores}
    attrs |= placing(payloads, options)
    entries = tuple(piece.inputs.values())
    region = piece.region
    replacement = Replacement(piece.name, region.nodes, region.outputs, entries, piece.visible, len(artifact), attrs)
    return Compiled(piece, replacement, tuple(programs), artifact)


def stitch(
    graph: Graph, compiled: Sequence[Compiled], names: Sequence[str], metadata: Metadata, is_np: bool
) -> mx.sym.Symbol:
    """The new symbol, in which every compiled piece is one node; `names` are those of its outputs."""
    raw = json.loads(replace(graph, [c.replacement for c in compiled], names))
    carrier = next(n for n in raw["nodes"] if n["op"] == "null")
    carrier.setdefault("attrs", {})[KEY] = metadata.to_json()
    symbol = mx.sym.load_json(json.dumps(raw))
    return symbol.as_np_ndarray() if is_np else symbol


def without_name_copies(symbol: mx.sym.Symbol) -> mx.sym.Symbol:
    """The same symbol without the copies that only give outputs their names; for a caller who needs none."""
    raw = json.loads(symbol.tojson(remove_amp_cast=False))
    heads: list[list[int]] = []
    for head in raw["heads"]:
        node = raw["nodes"][head[0]]
        source: list[int] = (
            node["inputs"][head[1]] if node["op"] == "_copy" or NAMING in node.get("attrs", {}) else head
        )
        direct = raw["nodes"][source[0]]["op"] == SUBGRAPH_OP and source not in heads
        heads.append(source if direct else head)
    if heads == raw["heads"]:
        return symbol
    made = mx.sym.load_json(json.dumps({**raw, "heads": heads}))
    return made.as_np_ndarray() if isinstance(symbol, mx.sym.np._Symbol) else made


def artifacts(compiled: Sequence[Compiled]) -> dict[str, np.ndarray]:
    """The artifact parameters: uint8 arrays by name."""
    return {c.replacement.name + ARTIFACT_SUFFIX: np.frombuffer(c.artifact, np.uint8) for c in compiled}
