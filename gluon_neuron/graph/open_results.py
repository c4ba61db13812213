"""The specs of what branches, and loops with a condition, give: MXNet infers none before it has computed them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import BlockError, GraphError
from .branches import COND, WHILE
from .graph import Graph, Node
from .rewrite import variables_of
from .spec import Spec
from .text import to_text

Annotate = Callable[[str, Mapping[str, Spec]], Graph]
"""Infers the specs of a body, given as JSON, from those of its variables."""

Specs = list[Spec | None]

OPEN = (COND, WHILE)
"""The operators that this answers for. MXNet does not run a foreach whose body holds one of them."""

_FOREACH = "_foreach"


def check_foreach(graph: Graph) -> None:
    """Raise BlockError for a foreach that MXNet runs in no symbol: it wants to know beforehand what the body gives."""
    for node in graph.nodes:
        if node.op == _FOREACH and None not in node.ins and None in node.outs.values():
            raise BlockError(
                f"{node}: MXNet infers no shapes for what its body gives, and runs no such loop in a hybridized block "
                "or a symbol, compiled or not. Branches (cond) and loops with a condition (while_loop) inside a "
                "foreach are such: choose with F.where instead of cond, or leave the block as it is, not hybridized."
            )


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
    places = _ints(node, "func")
    variables = [node.ins[places[k]] for k in node.attrs.ints("func_var_locs")]
    found = _heads(node, 1, places, annotate)
    results, steps = node.attrs.integer("num_out_data", 0), node.attrs.integer("max_iterations")
    if found[results:] != variables:  # then what the next step sees is of other shapes
        return [None] * len(found)
    return [*(Spec((steps, *s.shape), s.dtype) if s else None for s in found[:results]), *found[results:]]


def _ints(node: Node, which: str) -> tuple[int, ...]:
    return node.attrs.ints(f"{which}_input_locs", ())


def _heads(node: Node, which: int, places: Sequence[int], annotate: Annotate) -> Specs:
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
        spec = node.ins[place]
        if spec is not None:
            specs[body["nodes"][variable]["name"]] = spec
    graph = annotate(to_text(body), specs)
    return [graph.nodes[h.node].outs[h.output] for h in graph.heads]
