"""Decides for every operator whether it is compiled, and records the reason when it is not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from ..errors import OptionError, nearest
from ..graph.graph import Graph, Node
from ..options import CompileOptions
from ..refusal import Category, Refusal
from ..report import Outside
from .regions import Region, grow

WhyNot = Callable[[Node], Refusal | None]
"""Why a node cannot be compiled, or None."""

Worth = Callable[[Sequence[Node]], bool]
"""Whether operators are together worth a compiled region."""


@dataclass(frozen=True)
class Partition:
    """The regions to compile, in order, and what stays in MXNet."""

    regions: tuple[Region, ...]
    outside: tuple[Outside, ...]


def partition(
    graph: Graph,
    inputs: Collection[str],
    refusal: WhyNot,
    worth: Worth,
    options: CompileOptions,
    banned: Mapping[int, Outside] | None = None,
) -> Partition:
    """Partition `graph`, whose specs are filled in; `inputs` are the names of its data inputs.

    `refusal(node)` says why a node cannot be compiled, `worth(nodes)` whether a region of them is worth a call.
    `banned` are nodes, by id, refused for a reason found later, such as a failed compile. Raises OptionError when an
    option names a node that does not exist.
    """
    _check_names(graph, options)
    outside: dict[int, Outside] = {}
    banned = banned or {}
    for node in graph.operators:
        why = _why_not(node, refusal, options)
        if node.id in banned:
            outside[node.id] = banned[node.id]
        elif why is not None:
            outside[node.id] = Outside(node.name, node.op, *why)
    regions = []
    for region in grow(graph, [n.id for n in graph.operators if n.id not in outside]):
        if _kept(graph, region, inputs, worth, options):
            regions.append(region)
        else:
            for i in region.nodes:
                node = graph.nodes[i]
                sentence = "too little work to be worth a call of its own"
                outside[i] = Outside(node.name, node.op, Category.SMALL, sentence)
    return Partition(tuple(regions), tuple(outside[i] for i in sorted(outside)))


def _why_not(node: Node, refusal: WhyNot, options: CompileOptions) -> Refusal | None:
    if node.name in options.exclude_nodes:
        return Refusal(Category.EXCLUDED, "excluded by the option exclude_nodes")
    if node.op in options.exclude_operators:
        return Refusal(Category.EXCLUDED, "excluded by the option exclude_operators")
    why = refusal(node)
    asked_for = why is not None and why.category is Category.SLOWER and node.name in options.include_nodes
    return None if asked_for else why


def _kept(graph: Graph, region: Region, inputs: Collection[str], worth: Worth, options: CompileOptions) -> bool:
    if not region.outputs:
        return False
    nodes = [graph.nodes[i] for i in region.nodes]
    if any(n.name in options.include_nodes for n in nodes):
        return True
    # A region that reads only parameters would compute the same at every call, and has no batch to be called with.
    if all(graph.nodes[e.node].is_variable and graph.nodes[e.node].name not in inputs for e in region.inputs):
        return False
    return worth(nodes)


def _check_names(graph: Graph, options: CompileOptions) -> None:
    names = {n.name for n in graph.operators}
    operators = {n.op for n in graph.operators}
    for option, wanted, known in (
        ("exclude_nodes", options.exclude_nodes, names),
        ("include_nodes", options.include_nodes, names),
        ("exclude_operators", options.exclude_operators, operators),
    ):
        for name in wanted:
            if name not in known:
                raise OptionError(
                    f"Option {option} names {name!r}, which the model does not have.{nearest(name, known)}"
                )
