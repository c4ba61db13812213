"""Writes branches and loops with a condition as plain operators: all is computed, and the condition chooses.

MXNet infers no shape for the results of `_cond` and `_while_loop`, so that neither its executor nor a compiled node can
hold them. A loop is unrolled up to its max_iterations; once its condition has failed nothing changes any more, the
condition included.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import GraphError
from .graph import VARIABLE, Entry
from .rewrite import Places, append, moved, reachable, variables_of
from .text import to_text

COND, WHILE = "_cond", "_while_loop"
LONGEST = 5000
"""The most operators that a loop may become; a longer one stays as it is."""

_LOCATIONS = {
    COND: ("cond_input_locs", "then_input_locs", "else_input_locs"),
    WHILE: ("cond_input_locs", "func_input_locs"),
}


def has_branches(text: str) -> bool:
    """Whether a symbol's JSON holds branches, or loops with a condition, that can be written as plain operators."""
    return any(op in text for op in _LOCATIONS) and any(_expandable(node) for node in json.loads(text)["nodes"])


def unbranch(text: str) -> str:
    """The symbol's JSON with plain operators in the place of `_cond` and `_while_loop`; outputs keep their order.

    Raises GraphError when a body does not fit the attributes of its node.
    """
    raw = json.loads(text)
    writer = _Writer()
    places = writer.write(raw["nodes"], {}, "")
    return to_text(reachable(writer.made, moved(raw["heads"], places), raw.get("attrs", {})))


def _expandable(node: Mapping[str, Any]) -> bool:
    if node["op"] != WHILE:
        return node["op"] == COND
    size = sum(len(body["nodes"]) for body in node["subgraphs"])
    return int(node["attrs"]["max_iterations"]) * size <= LONGEST


def _ints(node: Mapping[str, Any], key: str) -> list[int]:
    return list(json.loads(node["attrs"][key]))


class _Writer:
    """The nodes written so far. Control flow is the classic API's only: no array is without axes."""

    def __init__(self) -> None:
        self.made: list[dict[str, Any]] = []

    def write(self, nodes: Sequence[Mapping[str, Any]], places: Places, prefix: str) -> Places:
        """Put nodes behind the others, `prefix` before their names; `places` has variables that stand for others."""
        places = dict(places)
        for number, node in enumerate(nodes):
            if number in places:
                continue
            sources, named = moved(node["inputs"], places), {**node, "name": prefix + node["name"]}
            if _expandable(node):
                places[number] = (self._branch if node["op"] == COND else self._loop)(named, sources)
            else:
                places[number] = append(self.made, named, sources)
        return places

    def _add(self, op: str, name: str, sources: Sequence[Entry], **attrs: str) -> Entry:
        return Entry(append(self.made, {"op": op, "name": name, "attrs": attrs}, sources), 0)

    def _body(self, node: Mapping[str, Any], which: int, values: Mapping[int, Entry], prefix: str) -> list[Entry]:
        """The results of a body, where `values` are those of the node's inputs."""
        body, locations = node["subgraphs"][which], _ints(node, _LOCATIONS[node["op"]][which])
        variables = variables_of(body["nodes"], body["heads"])
        if len(variables) != len(locations) or not set(locations) <= set(values):
            raise GraphError(
                f"node {node['name']!r} ({node['op']}) has a body of {len(variables)} inputs, but names {locations} of "
                f"{len(values)}; export the model again."
            )
        given: Places = {v: [values[place]] for v, place in zip(variables, locations, strict=True)}
        given |= {k: [] for k, n in enumerate(body["nodes"]) if n["op"] == VARIABLE and k not in given}
        return moved(body["heads"], self.write(body["nodes"], given, prefix))

    def _choose(self, name: str, test: Entry, yes: Entry, no: Entry) -> Entry:
        return self._add("_npi_where", name, (test, yes, no))

    def _test(self, node: Mapping[str, Any], values: Mapping[int, Entry], prefix: str) -> Entry:
        """The condition, which may have any number of axes of size 1, in a shape that broadcasts to all."""
        (test,) = self._body(node, 0, values, prefix)
        return self._add("Reshape", f"{prefix}whole", [test], shape="(1,)")

    def _branch(self, node: Mapping[str, Any], sources: Sequence[Entry]) -> list[Entry]:
        values, name = dict(enumerate(sources)), node["name"]
        test = self._test(node, values, f"{name}_if_")
        both = zip(*(self._body(node, k, values, f"{name}_{k}_") for k in (1, 2)), strict=True)
        count = int(node["attrs"]["num_outputs"])
        # A single output keeps its name.
        return [self._choose(name if count == 1 else f"{name}_{k}", test, a, b) for k, (a, b) in enumerate(both)]

    def _loop(self, node: Mapping[str, Any], sources: Sequence[Entry]) -> list[Entry]:
        values, name = dict(enumerate(sources)), node["name"]
        inputs = _ints(node, "func_input_locs")
        variables = [inputs[place] for place in _ints(node, "func_var_locs")]
        results = int(node["attrs"]["num_out_data"])
        rows: list[list[Entry]] = [[] for _ in range(results)]
        for step in range(int(node["attrs"]["max_iterations"])):
            prefix = f"{name}_{step}_"
            test = self._test(node, values, prefix)
            found = self._body(node, 1, values, prefix)
            for k, (row, x) in enumerate(zip(rows, found[:results], strict=True)):
                nothing = self._add("zeros_like", f"{prefix}zeros{k}", [x])
                row.append(self._choose(f"{prefix}out{k}", test, x, nothing))
            chosen = {
                place: self._choose(f"{prefix}state{k}", test, x, values[place])
                for k, (place, x) in enumerate(zip(variables, found[results:], strict=True))
            }
            values.update(chosen)
        stacked = [
            self._add("stack", f"{name}_{k}", row, axis="0", num_args=str(len(row))) for k, row in enumerate(rows)
        ]
        return [*stacked, *(values[place] for place in variables)]
