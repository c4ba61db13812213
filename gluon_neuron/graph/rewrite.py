"""What rewriting a symbol's JSON takes: nodes put behind others, edges that follow them, and what is read of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .graph import VARIABLE, Entry

# Where a node went: the number of its successor, whose outputs are the same, or an entry for each of its outputs.
Places = dict[int, int | list[Entry]]


def moved(entries: Sequence[Sequence[int]], places: Places) -> list[Entry]:
    """Where what edges or heads name is now."""
    found = []
    for node, output, *_ in entries:
        place = places[node]
        found.append(Entry(place, output) if isinstance(place, int) else place[output])
    return found


def append(made: list[dict[str, Any]], node: Mapping[str, Any], sources: Sequence[Entry]) -> int:
    """Put a copy of the node with other inputs at the end of `made`; its number."""
    made.append({**node, "inputs": [[e.node, e.output, 0] for e in sources]})
    return len(made) - 1


def variables_of(nodes: Sequence[Mapping[str, Any]], heads: Sequence[Sequence[int]]) -> list[int]:
    """The variables in MXNet's order: depth first from the outputs, each node's inputs before it."""
    seen: set[int] = set()
    found = []
    stack = [h[0] for h in reversed(heads)]
    while stack:
        number = stack[-1]
        pending = [i[0] for i in nodes[number]["inputs"] if i[0] not in seen]
        if number in seen or not pending:
            stack.pop()
            if number not in seen and nodes[number]["op"] == VARIABLE:
                found.append(number)
            seen.add(number)
        else:
            stack.append(pending[0])
    return found


def reachable(made: Sequence[Mapping[str, Any]], heads: Sequence[Entry], attrs: Mapping[str, Any]) -> dict[str, Any]:
    """The symbol of the nodes that the heads need."""
    wanted = {h.node for h in heads}
    for number in range(len(made) - 1, -1, -1):
        if number in wanted:
            wanted.update(i[0] for i in made[number]["inputs"])
    new = {old: k for k, old in enumerate(sorted(wanted))}
    nodes = [{**made[old], "inputs": [[new[i[0]], i[1], 0] for i in made[old]["inputs"]]} for old in new]
    return {
        "nodes": nodes,
        "arg_nodes": [k for k, n in enumerate(nodes) if n["op"] == VARIABLE],
        "heads": [[new[h.node], h.output, 0] for h in heads],
        "attrs": dict(attrs),
    }
