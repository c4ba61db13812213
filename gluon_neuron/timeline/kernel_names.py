"""Which operators of a region each kernel of its program computes: from the names that the engine has kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from ..engine.timed_runs import TimedKernel
from ..targets.cpu.kernels import Kernel

VARIABLE = "null"
_UNSELECTED = "undef"
"""What executes a node that the engine has fused into the one before it."""

_COPIES = frozenset(("Reorder", "Input", "Output", "Parameter", "Result"))


@dataclass(frozen=True)
class Named:
    """A kernel with the mean of its runs, in microseconds, and the operators that it computes, by their places in the
    region's graph; none for what the engine has put in itself, of which `copies` only copies or changes a layout.

    Such a kernel reads what those of `behind` give.
    """

    kernel: TimedKernel
    kind: str
    nodes: tuple[int, ...]
    copies: bool
    behind: tuple[int, ...] = ()


def name_kernels(
    graph: Mapping[str, Any], data: Set[str], timed: Sequence[TimedKernel], described: Sequence[Kernel] | None
) -> list[Named]:
    """The kernels of a program that was timed, with the operators of `graph` (a region's JSON object).

    `data` are the names of its variables that are no weights. `described` are the same program's kernels, with what
    went into each; without them names alone tell.
    """
    owners = _owners(graph)
    own = [k for k in timed if k.implementation != _UNSELECTED]
    fitting = _side_by_side(own, described or ())
    named = [_nodes_of([k.name] if d is None else d.sources, owners) for k, d in zip(own, fitting)]
    _take_in_unnamed(graph, named, depending(graph, data))
    made = {d.name: nodes for d, nodes in zip(fitting, named) if d is not None}
    reads = {d.name: d.reads for d in described or ()}
    found = []
    for kernel, what, nodes in zip(own, fitting, named):
        copies = not nodes and kernel.kind in _COPIES
        behind = () if nodes or copies or what is None else _behind(what.name, made, reads)
        kind = kernel.kind if what is None else what.kind
        found.append(Named(kernel, kind, tuple(sorted(nodes)), copies, behind))
    return found


def _behind(name: str, made: Mapping[str, set[int]], reads: Mapping[str, tuple[str, ...]]) -> tuple[int, ...]:
    """The operators of the nearest kernel with some, up from this one."""
    todo, seen = [*reads.get(name, ())], {name}
    while todo:
        other = todo.pop(0)
        if made.get(other):
            return tuple(sorted(made[other]))
        if other not in seen:
            seen.add(other)
            todo += reads.get(other, ())
    return ()


def label_of(graph: Mapping[str, Any], nodes: Sequence[int]) -> tuple[str, str]:
    """The names of some operators, and their MXNet operators, each joined by " + "."""
    found = [graph["nodes"][i] for i in nodes]
    return " + ".join(n["name"] for n in found), " + ".join(n["op"] for n in found)


def _side_by_side(timed: Sequence[TimedKernel], described: Sequence[Kernel]) -> list[Kernel | None]:
    """The description of each kernel: of the same name, or in the same place of the order of what executes them.

    The engine counts up, over the life of a process, for names of its own, which so differ between two compilations.
    """
    ways = [k.implementation for k in timed], [d.implementation for d in described]
    if ways[0] == ways[1]:
        return list(described)
    by_name = {d.name: d for d in described}
    found = [by_name.get(k.name) for k in timed]
    for block in SequenceMatcher(None, *ways, autojunk=False).get_matching_blocks():
        for i in range(block.size):
            if found[block.a + i] is None:
                found[block.a + i] = described[block.b + i]
    return found


def _owners(graph: Mapping[str, Any]) -> dict[str, list[int]]:
    """The operators by name; those inside a body are the operator's that has the body."""
    owners: dict[str, list[int]] = {}
    for place, node in enumerate(graph["nodes"]):
        if node["op"] == VARIABLE:
            continue
        for name in (node["name"], *_inner_names(node)):
            if place not in owners.setdefault(name, []):
                owners[name].append(place)
    return owners


def _inner_names(node: Mapping[str, Any]) -> Iterator[str]:
    for body in node.get("subgraphs", ()):
        for inner in body["nodes"]:
            if inner["op"] != VARIABLE:
                yield inner["name"]
                yield from _inner_names(inner)


def _nodes_of(sources: Sequence[str], owners: Mapping[str, list[int]]) -> set[int]:
    found: set[int] = set()
    for source in sources:
        # What is built for a node is called "node", "node/1", "node/1/product", ...
        parts = source.split("/")
        longest = next((n for n in range(len(parts), 0, -1) if "/".join(parts[:n]) in owners), 0)
        found.update(owners.get("/".join(parts[:longest]), ()) if not parts[-1].startswith("const") else ())
    return found


def depending(graph: Mapping[str, Any], data: Set[str]) -> set[int]:
    """The operators that a call computes: those that depend on data. What follows from weights is computed once."""
    found: set[int] = set()
    for place, node in enumerate(graph["nodes"]):
        if node["name"] in data if node["op"] == VARIABLE else any(entry[0] in found for entry in node["inputs"]):
            found.add(place)
    return {place for place in found if graph["nodes"][place]["op"] != VARIABLE}


def _take_in_unnamed(graph: Mapping[str, Any], named: Sequence[set[int]], computed: Set[int]) -> None:
    """Give operators of no kernel to the one that computes all who read them: into it they were folded, as a
    convolution whose kernel bears the batch norm's name."""
    kernels: dict[int, set[int]] = {}
    for number, nodes in enumerate(named):
        for node in nodes:
            kernels.setdefault(node, set()).add(number)
    readers: dict[int, set[int]] = {}
    for place, node in enumerate(graph["nodes"]):
        for entry in node["inputs"]:
            readers.setdefault(entry[0], set()).add(place)
    outputs = {head[0] for head in graph["heads"]}
    for place in sorted(computed, reverse=True):
        if place in kernels or place in outputs or place not in readers:
            continue
        into = [kernels.get(reader, set()) for reader in readers[place]]
        common = set.intersection(*into)
        if not common:
            continue
        # Of a reader in several kernels, the first one reads.
        first = min(common)
        named[first].add(place)
        kernels[place] = {first}
