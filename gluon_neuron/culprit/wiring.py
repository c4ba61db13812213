"""Whether two graphs compute the same: pairs their nodes from the outputs down, and says where they first differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..graph.graph import VARIABLE
from ..graph.identity import graph_hash
from .found import CulpritNode


@dataclass(frozen=True)
class Mismatch:
    """Where two graphs differ: our node, by its place in the graph, and a sentence."""

    place: int
    node: CulpritNode
    sentence: str


@dataclass(frozen=True)
class Pairing:
    """The pairs of variables, ours and the reference's, and the first place where the graphs differ, None for none."""

    variables: Mapping[str, str]
    mismatch: Mismatch | None


def pair(
    ours: Mapping[str, Any], theirs: Mapping[str, Any], inputs: Sequence[str], their_inputs: Sequence[str]
) -> Pairing:
    """Pair the graphs of two JSON objects; `inputs` are the names of each one's data inputs, in order."""
    return _Walk(ours, theirs, inputs, their_inputs).result()


class _Walk:
    def __init__(
        self, ours: Mapping[str, Any], theirs: Mapping[str, Any], inputs: Sequence[str], their_inputs: Sequence[str]
    ) -> None:
        self.ours, self.theirs = ours["nodes"], theirs["nodes"]
        self.heads = ours["heads"], theirs["heads"]
        self.names = {n["name"] for n in self.ours} & {n["name"] for n in self.theirs}
        self.place = {n: i for i, n in enumerate(inputs)}, {n: i for i, n in enumerate(their_inputs)}
        self.pairs: dict[int, int] = {}
        self.found: list[Mismatch] = []

    def result(self) -> Pairing:
        if len(self.heads[0]) != len(self.heads[1]):
            counts = f"{len(self.heads[0])} outputs and the reference's {len(self.heads[1])}"
            self._say(self.heads[0][0][0] if self.heads[0] else 0, f"the model's graph has {counts}")
        waiting: list[tuple[int, int]] = []
        for k, (head, other) in enumerate(zip(*self.heads)):
            self._edge(head, other, head[0], f"output {k} of the model is", waiting)
        while waiting:
            a, b = waiting.pop()
            ours, theirs = self.ours[a], self.theirs[b]
            if not self._same(a, b):
                continue
            for k, (one, other) in enumerate(zip(ours["inputs"], theirs["inputs"])):
                self._edge(one, other, a, f"input {k} of {_named(ours)} is", waiting)
        variables = {
            self.ours[a]["name"]: self.theirs[b]["name"]
            for a, b in self.pairs.items()
            if self.ours[a]["op"] == VARIABLE and self.theirs[b]["op"] == VARIABLE
        }
        return Pairing(variables, min(self.found, key=lambda m: m.place, default=None))

    def _edge(
        self, one: Sequence[int], other: Sequence[int], reader: int, what: str, waiting: list[tuple[int, int]]
    ) -> None:
        a, b = one[0], other[0]
        ours, theirs = self.ours[a], self.theirs[b]
        names = ours["name"], theirs["name"]
        known = self.pairs.get(a)
        # Names tell apart what is alike; where the reference has others of its own, structure alone does.
        alike = names[0] == names[1] or not self.names.issuperset(names)
        places = self.place[0].get(names[0]), self.place[1].get(names[1])
        if (
            not alike
            or one[1] != other[1]
            or places[0] != places[1]
            or (known not in (None, b) and names[0] != names[1])
        ):
            self._say(reader, f"{what} {_entry(ours, one)}, and the reference's is {_entry(theirs, other)}")
        elif known is None:
            self.pairs[a] = b
            waiting.append((a, b))

    def _same(self, a: int, b: int) -> bool:
        ours, theirs = self.ours[a], self.theirs[b]
        if VARIABLE in (ours["op"], theirs["op"]) and ours["op"] == theirs["op"]:
            return True
        if _hash(ours) == _hash(theirs) and len(ours["inputs"]) == len(theirs["inputs"]):
            return True
        what = "with other attributes or inputs" if ours["op"] == theirs["op"] else ""
        self._say(a, f"{_named(ours)} stands where the reference has {_named(theirs)} {what}".rstrip())
        return False

    def _say(self, place: int, sentence: str) -> None:
        node = self.ours[place]
        self.found.append(Mismatch(place, CulpritNode(node["name"], node["op"]), sentence))


def _hash(node: Mapping[str, Any]) -> str:
    """The identity of what a node computes by itself: its operator, attributes and bodies."""
    return graph_hash({"nodes": [{**node, "inputs": []}], "heads": [[0, 0, 0]]})


def _named(node: Mapping[str, Any]) -> str:
    return f"{node['name']!r}" if node["op"] == VARIABLE else f"{node['name']!r} ({node['op']})"


def _entry(node: Mapping[str, Any], entry: Sequence[int]) -> str:
    return _named(node) + (f", output {entry[1]}" if entry[1] else "")
