"""The specs of what branches, and loops with a condition, give: MXNet infers none before it has computed them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import GraphError
from .bodies import FOREACH, sliced, sources
from .branches import COND, WHILE
from .graph import Graph, Node
from .rewrite import variables_of
from .spec import Spec
from .text import to_text

Annotate = Callable[[str, Mapping[str, Spec]], Graph]
"""Infers the specs of a body, given as JSON, from those of its variables."""

Specs = list[Spec | None]

OPEN = (COND, WHILE, FOREACH)
"""The operators that this answers for; `foreach` as far as its body holds others."""


def open_results(node: Node, annotate: Annotate) -> Specs | None:
    """The specs of the node's outputs; None for an output where they depend on the data, and for all where unknown.

    A loop gives its results for max_iterations steps, however many it takes. Raises GraphError when a body does not
    fit the attributes of its node.
    """
    if None in node.ins:
        return None
    if node.op == COND:
        first, second = (_heads(node, k, _ints(node, key), annotate) for k, key in ((1, "then"), (2, "else")))
        return [a if a == b else None for a, b in zip(first, second, strict=True)]
    if node.op == WHILE:
        locations = _ints(node, "func")
        variables = [node.ins[locations[k]] for k in node.attrs.ints("func_var_locs")]
        found = _heads(node, 1, locations, annotate)
        return _loop(found, node.attrs.integer("num_out_data", 0), node.attrs.integer("max_iterations"), variables)
    places, count = sources(node), sliced(node)
    if not count:
        return None
    steps = node.in_spec(0).shape[0]
    results = node.attrs.integer("num_out_data", 0)
    stepped = {k: Spec(node.in_spec(k).shape[1:], node.in_spec(k).dtype) for k in range(count)}
    found = _heads(node, 0, places, annotate, stepped)
    return _loop(found, results, steps, list(node.ins[count : count + len(found) - results]))


def _loop(found: Specs, results: int, steps: int, variables: Sequence[Spec | None]) -> Specs:
    rows = [Spec((steps, *s.shape), s.dtype) if s else None for s in found[:results]]
    if found[results:] != list(variables):  # then what the next step sees is of other shapes
        return [None] * len(found)
    return [*rows, *found[results:]]


def _ints(node: Node, which: str) -> tuple[int, ...]:
    return node.attrs.ints(f"{which}_input_locs", ())


def _heads(
    node: Node, which: int, places: Sequence[int], annotate: Annotate, stepped: Mapping[int, Spec] | None = None
) -> Specs:
    bodies = node.raw.get("subgraphs", ())
    if which >= len(bodies):
        raise GraphError(f"{node} has {len(bodies)} bodies; export the model again.")
    body: Mapping[str, Any] = bodies[which]
    variables = variables_of(body["nodes"], body["heads"])
    if len(variables) != len(places) or any(place >= len(node.ins) for place in places):
        raise GraphError(
            f"{node} has a body of {len(variables)} inputs, but names {list(places)} of {len(node.ins)}; "
            "export the model again."
        )
    specs = {}
    for variable, place in zip(variables, places, strict=True):
        spec = (stepped or {}).get(place, node.ins[place])
        if spec is not None:
            specs[body["nodes"][variable]["name"]] = spec
    graph = annotate(to_text(body), specs)
    return [graph.nodes[h.node].outs[h.output] for h in graph.heads]
