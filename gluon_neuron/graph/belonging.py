"""Whether each compiled node of a symbol has its own artifact, and not another node's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import ArtifactMismatchError
from .graph import VARIABLE
from .identity import FORM, graph_hash, variables
from .subgraph import NODE_NAME, SUBGRAPH_OP


class Owner(NamedTuple):
    """What an artifact says of the node it was compiled for: its graph's hash, and the names of its inputs."""

    graph: str
    inputs: Sequence[str]


def check_artifacts(text: str, owner_of: Callable[[str], Owner | None], where: str = "") -> None:
    """Raise ArtifactMismatchError when a compiled node of a symbol's JSON reads an artifact of another.

    `owner_of` tells by the name of an artifact's variable for whom it is, or None when that is not known yet. Artifacts
    of release 0.1.0 are known by the names of their inputs, and models of that release all call them the same.
    """
    raw = json.loads(text)
    read: dict[str, str] = {}
    for node in raw["nodes"]:
        if node["op"] != SUBGRAPH_OP or NODE_NAME not in node.get("attrs", {}):
            continue
        artifact = raw["nodes"][node["inputs"][-1][0]] if node["inputs"] else None
        if artifact is None or artifact["op"] != VARIABLE:
            continue
        name, graph = artifact["name"], node["subgraphs"][0]
        found = graph_hash(graph)
        if read.setdefault(name, found) != found:
            raise ArtifactMismatchError(
                f"{where}{_said(node)} and another node, whose operators differ, both read the artifact {name!r}: the "
                f"symbol joins several models under one name. {_ADVICE}"
            )
        owner = owner_of(name)
        if owner is not None and not _fits(owner, found, graph):
            raise ArtifactMismatchError(
                f"{where}The artifact {name!r} of {_said(node)} is another node's. The node reads "
                f"{_names(variables(graph))} and has the graph {_short(found)}; the artifact was compiled for "
                f"{_names(owner.inputs)} and the graph {_short(owner.graph)}. {_ADVICE}"
            )


_ADVICE = (
    "Use the parameters that were exported with this symbol. Where several compiled models are joined, or a compiled "
    "symbol was edited, compile the whole: gluon_neuron.compile takes it, and compiles its operators anew."
)


def _fits(owner: Owner, found: str, graph: Mapping[str, Any]) -> bool:
    return owner.graph == found if owner.graph.startswith(FORM) else list(owner.inputs) == variables(graph)


def _said(node: Mapping[str, Any]) -> str:
    return f"node {node['name']!r} ({node['op']})"


def _short(graph: str) -> str:
    return graph.removeprefix(FORM)[:12]


def _names(names: Sequence[str]) -> str:
    return ", ".join(map(str, names[:4])) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
