"""Cuts a long row of nodes into stages, where little flows from one to the next, so that a large graph can be read.

A layout of a thousand boxes takes seconds and is metres tall. Stages of some twenty, which open one by one, do not.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

LEAST, WANTED, MOST = 10, 22, 36
"""How many nodes there are in a stage."""


def stages(row: Sequence[int], edges: Iterable[tuple[int, int]]) -> list[range]:
    """The stages of a row of nodes in topological order, as ranges of positions; a single one where it has up to MOST.

    A piece of a row in topological order is convex, so that stages never read each other in a circle.
    """
    if len(row) <= MOST:
        return [range(len(row))]
    crossing = _crossing(row, edges)
    cuts = [0]
    while len(row) - cuts[-1] > MOST:
        start = cuts[-1]
        last = min(start + MOST, len(row) - LEAST)
        cuts.append(min(range(start + LEAST, last + 1), key=lambda at: (crossing[at], abs(at - start - WANTED))))
    return [range(a, b) for a, b in zip(cuts, [*cuts[1:], len(row)])]


def _crossing(row: Sequence[int], edges: Iterable[tuple[int, int]]) -> list[int]:
    """For each position, from how many nodes before it something is read behind it."""
    place = {node: at for at, node in enumerate(row)}
    last: dict[int, int] = {}
    for source, reader in edges:
        if source in place and reader in place:
            last[place[source]] = max(last.get(place[source], 0), place[reader])
    steps = [0] * (len(row) + 1)
    for source, reader in last.items():
        steps[source + 1] += 1
        steps[reader + 1] -= 1
    total, found = 0, []
    for step in steps:
        total += step
        found.append(total)
    return found


def in_order(items: Sequence[int], edges: Iterable[tuple[int, int]]) -> list[int]:
    """The items in a topological order, in which what is read late comes late; `edges` are between items.

    Where there is a choice, what follows the last one comes first: branches stay together.
    """
    readers: dict[int, list[int]] = {i: [] for i in items}
    waiting = dict.fromkeys(items, 0)
    for source, reader in set(edges):
        if source != reader:
            readers[source].append(reader)
            waiting[reader] += 1
    ready = [i for i in reversed(items) if not waiting[i]]
    found: list[int] = []
    while ready:
        item = ready.pop()
        found.append(item)
        for reader in sorted(readers[item], reverse=True):
            waiting[reader] -= 1
            if not waiting[reader]:
                ready.append(reader)
    return found


def title(names: Sequence[str], common: str) -> str:
    """What a stage is called: the first and the last of its nodes, without what all nodes of the model begin with."""
    first, last = (n.removeprefix(common).removesuffix("_fwd") or n for n in (names[0], names[-1]))
    return first if first == last else f"{first} – {last.removeprefix(prefix([first, last])) or last}"


def prefix(names: Sequence[str]) -> str:
    """What all names begin with, up to an underscore."""
    found = os.path.commonprefix([*names])
    return found[: found.rfind("_") + 1] if len(names) > 1 else ""


def most_used(counts: Mapping[str, int], shown: int = 3) -> str:
    """The most frequent operators in words."""
    ordered = sorted(counts.items(), key=lambda kv: -kv[1])
    words = [f"{n} {op}" for op, n in ordered[:shown]]
    return ", ".join(words) + (", …" if len(ordered) > shown else "")
