"""`gluon-neuron check-model`: the operators of a checkpoint and what of them is, or could be, compiled."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..artifact.container import MAGIC, unpack
from ..errors import ArtifactError
from ..graph.graph import Graph, Node
from ..graph.model_files import find, paths
from ..graph.subgraph import ARTIFACT_SUFFIX, NAMING, SUBGRAPH_OP
from ..lowering.registry import rule_of
from ..stitch import files
from .answer import Answer
from .symbol_file import read_symbol

# The numbers of cores in a NEFF's header, at bytes 168 and 476.
_NEFF = struct.Struct("<168xI304xI64B")
_MAX_CORES = 64


def check_model(
    prefix: str | os.PathLike[str], epoch: int | None = None, show_names: bool = False, expand_subgraph: bool = True
) -> Answer:
    """The tables and totals for the checkpoint `PREFIX-symbol.json`, compiled or not.

    Without an epoch it is that of the only parameters that there are, or 0. An operator is supported when there is a
    rule for it; whether a node's attributes and shapes are is for `analyze` to say, which knows the inputs. Raises
    FileNotFoundError, or GraphError for a file that is not a symbol.
    """
    symbol_path, params_path = _files(prefix, epoch)
    _, graph = read_symbol(symbol_path)
    # A copy that keeps an output's name is not an operation of the model.
    operators = [n for n in graph.operators if NAMING not in n.raw.get("attrs", {})]
    compiled = [n for n in operators if n.op == SUBGRAPH_OP]
    head = {"symbol": symbol_path, "params": params_path, "compiled": bool(compiled)}
    if compiled:
        page, data = _compiled(graph, operators, compiled, params_path, show_names, expand_subgraph)
        return Answer(page, head | data)
    page = "\n".join(
        [
            "* The operations of this uncompiled model, and whether Neuron subgraphs can hold them.",
            "",
            _operators(operators, show_names),
            "",
            *_totals(operators),
        ]
    )
    return Answer(page, head | {"operators": _nodes(operators), **_counts(operators)})


def _files(given: str | os.PathLike[str], epoch: int | None) -> tuple[Path, Path]:
    try:
        return find(given, epoch)
    except FileNotFoundError as error:
        # What a model consists of can be told without its parameters.
        symbol_path, params_path = paths(given, epoch or 0)
        if not symbol_path.exists():
            raise FileNotFoundError(f"There is no symbol file {symbol_path}. {error}") from error
        return symbol_path, params_path


def _compiled(
    graph: Graph, operators: Sequence[Node], nodes: Sequence[Node], params_path: Path, names: bool, expand: bool
) -> tuple[str, dict[str, Any]]:
    artifacts = _artifacts(params_path)
    # Joined models have nodes of one name.
    inner = [Graph.from_json(json.dumps(n.raw["subgraphs"][0])).operators for n in nodes]
    programs = [_programs(artifacts.get(_artifact_name(graph, n))) for n in nodes]
    cores = max(c for _, c in programs)
    rows = [(n.name, c, len(own), what) for n, own, (what, c) in zip(nodes, inner, programs, strict=True)]
    inside = [m for members in inner for m in members]
    lines = [
        f"* Found {len(nodes)} Neuron subgraph(s) ({SUBGRAPH_OP}(s)) in this compiled model.",
        "* All operations, the Neuron subgraphs among them:",
        "",
        _operators(operators, names),
        "",
        f"* On Neuron hardware, please run this model with at least {cores} NeuronCore(s).",
        "",
        _table(rows, ("Subgraph Name", "Num Pipelined NeuronCores", "Num Operations", "Programs")),
        "",
    ]
    for node, members in zip(nodes, inner, strict=True) if expand else ():
        lines += [f"* The operations in {node.name}:", "", _operators(members, names), ""]
    everything = [*inside, *(n for n in operators if n.op != SUBGRAPH_OP)]
    lines += _totals(everything)
    lines.append(f"* Total inference operations in Neuron subgraphs: {len(inside)}")
    subgraphs = [
        {"name": node.name, "neuron_cores": used, "programs": what, "operators": _nodes(members)}
        for node, members, (what, used) in zip(nodes, inner, programs, strict=True)
    ]
    counts = {"neuron_cores": cores, **_counts(everything), "in_subgraphs": len(inside)}
    return "\n".join(lines), {"operators": _nodes(operators), "subgraphs": subgraphs, **counts}


def _nodes(nodes: Sequence[Node]) -> list[dict[str, Any]]:
    return [{"name": n.name, "op": n.op, "supported": _supported(n)} for n in nodes]


def _counts(operators: Sequence[Node]) -> dict[str, int]:
    return {"total": len(operators), "supported": sum(map(_supported, operators))}


def _totals(operators: Sequence[Node]) -> list[str]:
    total, supported = len(operators), sum(map(_supported, operators))
    return [
        f"* Total inference operations: {total}",
        f"* Total Neuron supported inference operations: {supported}",
        f"* Percent of total inference operations supported by Neuron: {100 * supported / max(total, 1):.1f}",
    ]


def _supported(node: Node) -> bool:
    return node.op == SUBGRAPH_OP or rule_of(node) is not None


def _operators(nodes: Sequence[Node], show_names: bool) -> str:
    if show_names:
        return _table(
            [(n.name, n.op, _yes(_supported(n))) for n in nodes], ("Op Name", "Op Type", "Neuron Supported ?")
        )
    of_op: dict[str, list[Node]] = {}
    for node in nodes:
        of_op.setdefault(node.op, []).append(node)
    rows = [(op, len(same), _yes(any(map(_supported, same)))) for op, same in of_op.items()]
    return _table(rows, ("Op Type", "Num Instances", "Neuron Supported ?"))


def _yes(answer: bool) -> str:
    return "Yes" if answer else "No"


def _table(rows: Sequence[tuple[object, ...]], head: Sequence[str]) -> str:
    from tabulate import tabulate

    return str(tabulate(rows, head, tablefmt="simple", disable_numparse=True))


def _artifacts(path: Path) -> dict[str, bytes]:
    if not path.exists():
        return {}
    args, _ = files.read_params(path, False)
    return {n: a.asnumpy().tobytes() for n, a in args.items() if n.endswith(ARTIFACT_SUFFIX)}


def _artifact_name(graph: Graph, node: Node) -> str:
    """The name of a compiled node's artifact: its last input's, or as the archived package named it."""
    last = graph.nodes[node.inputs[-1].node].name
    return last if last.endswith(ARTIFACT_SUFFIX) else node.name + ARTIFACT_SUFFIX


def _programs(data: bytes | None) -> tuple[str, int]:
    """A description of what an artifact holds, and how many cores it takes."""
    if data is None:
        return "missing: there is no parameters file, or the name is not in it", 1
    if data.startswith(MAGIC):
        try:
            artifact = unpack(data)
        except ArtifactError as error:
            return f"damaged: {error}", 1
        targets = ", ".join(sorted({p.target for p in artifact.payloads}))
        any_shape = sum("free" in p.program for p in artifact.payloads)
        found = f"{len(artifact.payloads) - any_shape} for {targets}" + (", 1 for any shape" if any_shape else "")
        return found, int(artifact.options.get("pipeline_cores", 1))
    cores = int(_NEFF.unpack_from(data)[0]) if len(data) > _NEFF.size else 0
    if 1 <= cores <= _MAX_CORES:
        return "NEFF of the archived package", cores
    return "damaged: neither an artifact of gluon_neuron nor a NEFF", 1
