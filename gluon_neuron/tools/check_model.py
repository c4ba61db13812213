"""`gluon-neuron check-model`: the operators of a checkpoint and what of them is, or could be, compiled."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Sequence
from pathlib import Path

from ..artifact.container import MAGIC, unpack
from ..errors import ArtifactError
from ..frontend import files
from ..graph.graph import Graph, Node
from ..graph.subgraph import ARTIFACT_SUFFIX, SUBGRAPH_OP
from ..lowering.registry import rule_of

# The numbers of cores in a NEFF's header, at bytes 168 and 476.
_NEFF = struct.Struct("<168xI304xI64B")


def check_model(
    prefix: str | os.PathLike[str], epoch: int = 0, show_names: bool = False, expand_subgraph: bool = False
) -> str:
    """The tables and totals for the checkpoint `PREFIX-symbol.json`, compiled or not.

    Raises FileNotFoundError, or GraphError for a file that is no symbol.
    """
    symbol_path, params_path = files.paths(prefix, epoch)
    if not symbol_path.exists():
        raise FileNotFoundError(f"There is no symbol file {symbol_path}.")
    graph = files.check_symbol(symbol_path.read_text(encoding="utf-8"), str(symbol_path))
    compiled = [n for n in graph.operators if n.op == SUBGRAPH_OP]
    if compiled:
        return _compiled(graph, compiled, params_path, show_names, expand_subgraph)
    supported = sum(rule_of(n) is not None for n in graph.operators)
    return "\n".join([_operators(graph.operators, show_names), "", *_totals(len(graph.operators), supported)])


def _compiled(graph: Graph, nodes: Sequence[Node], params_path: Path, show_names: bool, expand: bool) -> str:
    artifacts = _artifacts(params_path)
    inner = {n.name: Graph.from_json(json.dumps(n.raw["subgraphs"][0])).operators for n in nodes}
    programs = {n.name: _programs(artifacts.get(n.name + ARTIFACT_SUFFIX)) for n in nodes}
    cores = max(c for _, c in programs.values())
    rows = [(name, c, len(inner[name]), what) for name, (what, c) in programs.items()]
    left = [n for n in graph.operators if n.op != SUBGRAPH_OP]
    inside = sum(map(len, inner.values()))
    lines = [
        f"* Found {len(nodes)} Neuron subgraph(s) ({SUBGRAPH_OP}(s)) in this compiled model.",
        f"* On Neuron hardware it needs at least {cores} NeuronCore(s).",
        "",
        _table(rows, ("Subgraph Name", "Num Pipelined NeuronCores", "Num Operations", "Programs")),
        "",
        *_totals(inside + len(left), inside),
    ]
    if left:
        lines += ["", "Outside the subgraphs:", _operators(left, show_names, "No")]
    if expand:
        for name, operators in inner.items():
            lines += ["", f"{name}:", _operators(operators, show_names, "Yes")]
    return "\n".join(lines)


def _totals(total: int, supported: int) -> list[str]:
    return [
        f"* Total inference operations: {total}",
        f"* Total Neuron supported inference operations: {supported}",
        f"* Percent of total inference operations supported by Neuron: {100 * supported / max(total, 1):.1f}",
    ]


def _operators(nodes: Sequence[Node], show_names: bool, supported: str | None = None) -> str:
    names: dict[str, list[str]] = {}
    known = set()
    for node in nodes:
        names.setdefault(node.op, []).append(node.name)
        if rule_of(node) is not None:
            known.add(node.op)
    rows: list[tuple[object, ...]] = []
    for op, of_op in sorted(names.items()):
        answer = supported or ("Yes" if op in known else "No")
        rows.append((op, len(of_op), answer, *([", ".join(of_op)] if show_names else [])))
    return _table(rows, ("Op Type", "Num Instances", "Neuron Supported ?", *(["Names"] if show_names else [])))


def _table(rows: Sequence[tuple[object, ...]], head: Sequence[str]) -> str:
    from tabulate import tabulate

    return str(tabulate(rows, head, tablefmt="simple"))


def _artifacts(path: Path) -> dict[str, bytes]:
    if not path.exists():
        return {}
    args, _ = files.read_params(path, False)
    return {n: a.asnumpy().tobytes() for n, a in args.items() if n.endswith(ARTIFACT_SUFFIX)}


def _programs(data: bytes | None) -> tuple[str, int]:
    """What an artifact holds, in words, and how many cores it takes."""
    if data is None:
        return "missing: there is no parameters' file, or not in it", 1
    if data.startswith(MAGIC):
        try:
            artifact = unpack(data)
        except ArtifactError as error:
            return f"damaged: {error}", 1
        targets = ", ".join(sorted({p.target for p in artifact.payloads}))
        return f"{len(artifact.payloads)} for {targets}", int(artifact.options.get("pipeline_cores", 1))
    if len(data) > _NEFF.size:
        return "NEFF of the archived package", max(1, int(_NEFF.unpack_from(data)[0]))
    return "damaged", 1
