"""The bodies of loops: which input of the node each variable of a body stands for, and with what spec."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ..errors import GraphError
from .graph import Graph, Node
from .spec import Spec
from .text import to_text

FOREACH = "_foreach"


def sources(node: Node) -> list[int]:
    """For each variable of the body, in order, the number of the node's input that it stands for.

    The node reads data, states and the rest, and its attributes say where in the body each of them is.
    """
    places = [p for key in ("in_data_locs", "in_state_locs", "remain_locs") for p in node.attrs.ints(key, ())]
    if sorted(places) != list(range(len(node.inputs))):
        raise GraphError(f"{node} has {len(node.inputs)} inputs, but names {places}; export the model again.")
    return [places.index(p) for p in range(len(places))]


def sliced(node: Node) -> int:
    """How many of the node's first inputs the body sees one step of, without their first axis."""
    return len(node.attrs.ints("in_data_locs", ()))


def steps(node: Node) -> int:
    """How often the body is run; 0 when it steps through no data."""
    return node.in_spec(0).shape[0] if sliced(node) else 0


def with_bodies(graph: Graph, annotate: Callable[[str, Mapping[str, Spec]], Graph]) -> Graph:
    """The graph with the bodies of its loops as graphs, their specs inferred by `annotate(text, specs)`.

    Raises GraphError when a body does not fit the attributes of its node.
    """
    if not any(n.op == FOREACH for n in graph.nodes):
        return graph
    found = [replace(n, bodies=(_body(n, annotate),)) if n.op == FOREACH else n for n in graph.nodes]
    return Graph(found, graph.heads, graph.attrs)


def _body(node: Node, annotate: Callable[[str, Mapping[str, Spec]], Graph]) -> Graph:
    bodies = node.raw.get("subgraphs", ())
    if len(bodies) != 1:
        raise GraphError(f"{node} has {len(bodies)} bodies instead of 1; export the model again.")
    text, places = to_text(bodies[0]), sources(node)
    variables = Graph.from_json(text).variables
    if len(variables) != len(places):
        raise GraphError(f"{node} has a body of {len(variables)} inputs instead of {len(places)}; export it again.")
    specs = {}
    for variable, place in zip(variables, places, strict=True):
        spec = node.ins[place]
        if spec is not None:
            specs[variable.name] = Spec(spec.shape[1:], spec.dtype) if place < sliced(node) else spec
    return annotate(text, specs)
