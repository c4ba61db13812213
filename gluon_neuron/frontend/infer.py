"""Fills a Graph's specs by MXNet's own shape and type inference."""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import mxnet as mx
import numpy as np

from ..errors import GraphError, InputError, reason
from ..graph.bodies import with_bodies
from ..graph.graph import VARIABLE, Entry, Graph, Node
from ..graph.open_results import OPEN, open_results
from ..graph.rewrite import Places, append, moved
from ..graph.spec import Spec, dtype_name
from ..graph.text import to_text
from ..runtime.front_end import shape_rules

_BFLOAT16 = "12"
"""MXNet's number of the dtype."""


class Inference:
    """MXNet's inference over one symbol, for any specs of its variables: the symbol's JSON is read once."""

    def __init__(self, text: str, is_np: bool) -> None:
        self.is_np = is_np
        self._graph = Graph.from_json(text)
        self._raw = json.loads(text)
        self._symbols: dict[frozenset[str], mx.sym.Symbol] = {}

    def annotate(self, specs: Mapping[str, Spec]) -> Graph:
        """The graph with the spec of every entry; see `annotate`."""
        graph = self._graph
        found = self._inferred(specs)
        told: dict[int, list[Spec | None]] = {}

        def body(inner: str, known: Mapping[str, Spec]) -> Graph:
            return annotate(inner, known, self.is_np)

        while waiting := [n for n in graph.nodes if n.op in OPEN and n.id not in told and None in _outputs(n, found)]:
            annotated = graph.with_specs(found)
            results = {n.id: open_results(annotated.nodes[n.id], body) for n in waiting}
            new = {i: r for i, r in results.items() if r is not None}
            if not new:
                break
            told |= new
            found = self._inferred(specs, told)
        return with_bodies(graph.with_specs(found), body)

    def at_shapes(self, specs: Mapping[str, Spec], shapes: Mapping[str, tuple[int, ...]]) -> Graph | None:
        """The graph for variables of other `shapes`; None when MXNet infers none for it, or not all."""
        given = {**specs, **{n: Spec(shape, specs[n].dtype) for n, shape in shapes.items()}}
        try:
            graph = self.annotate(given)
        except InputError:
            return None
        if any(n.out != given[n.name] for n in graph.variables if n.name in given):
            return None  # for other channels, MXNet infers other weights of a batch norm than are given
        return None if any(s is None for n in graph.nodes for s in n.outs.values()) else graph

    def part(self, specs: Mapping[str, Spec], data: Collection[str], parts: int) -> Graph | None:
        """The graph for one of `parts` equal parts of the arrays called as one of `data`, cut along their first axes.

        None when they cannot be cut so, or when MXNet infers no shapes for a part.
        """
        if any(not specs[n].shape or specs[n].shape[0] % parts for n in data):
            return None
        cut = {n: Spec((specs[n].shape[0] // parts, *specs[n].shape[1:]), specs[n].dtype) for n in data}
        try:
            return self.annotate({**specs, **cut})
        except InputError:
            return None

    def has_open_shapes(self, specs: Mapping[str, Spec]) -> bool:
        """Whether MXNet knows some shapes only once it has computed, so that it cannot bind arrays of these before."""
        return any(shape is None for shape, _ in self._shapes_and_types(specs))

    def _inferred(
        self, specs: Mapping[str, Spec], told: Mapping[int, Sequence[Spec | None]] | None = None
    ) -> dict[Entry, Spec | None]:
        """What MXNet infers for every entry, where the specs of some nodes' outputs are `told`, by their numbers."""
        return {
            entry: Spec(shape, dtype_name(kind)) if shape is not None and kind is not None else None
            for entry, (shape, kind) in zip(self._graph.entries, self._shapes_and_types(specs, told), strict=True)
        }

    def _shapes_and_types(
        self, specs: Mapping[str, Spec], told: Mapping[int, Sequence[Spec | None]] | None = None
    ) -> list[tuple[tuple[int, ...] | None, Any]]:
        """As `_inferred`, the shape and the dtype of each entry in order, either of them None where it is not known."""
        given = dict(specs)
        with shape_rules(self.is_np):
            symbol = self._symbol(given, told or {})
            names = set(symbol.list_inputs())
            known = {n: s for n, s in given.items() if n in names}
            known_types = {n: np.dtype(s.dtype) for n, s in known.items() if s.dtype != "bfloat16"}
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    shapes = symbol.infer_shape_partial(**{n: s.shape for n, s in known.items()})[1]
                    types = symbol.infer_type_partial(**known_types)[1]
            except Exception as error:  # MXNet raises just that for arrays of more than 2^31 elements
                given_specs = ", ".join(f"{n}: {s}" for n, s in list(known.items())[:4])
                raise InputError(
                    f"The model does not take inputs of these shapes and types ({given_specs}): {reason(error)}"
                ) from error
        if shapes is None or types is None or len(shapes) != len(self._graph.entries):
            raise GraphError("MXNet's shape inference gave no answer for this symbol.")
        unknown = -1 if self.is_np else 0
        complete = [s is not None and unknown not in s and (self.is_np or len(s) > 0) for s in shapes]
        return [(tuple(s) if c else None, kind) for s, c, kind in zip(shapes, complete, types, strict=True)]

    def _symbol(self, given: dict[str, Spec], told: Mapping[int, Sequence[Spec | None]]) -> mx.sym.Symbol:
        """The symbol that gives every entry, with variables, which `given` gets, for the outputs that are told."""
        bfloat16 = frozenset(n for n, s in given.items() if s.dtype == "bfloat16")
        if not told and bfloat16 in self._symbols:
            return self._symbols[bfloat16]
        made: list[dict[str, Any]] = []
        places: Places = {}
        for number, node in enumerate(self._raw["nodes"]):
            outputs = told.get(number)
            if outputs is None:
                places[number] = append(made, node, moved(node["inputs"], places))
                continue
            cut = [f"{number}/{k} of {node['name']}" for k in range(len(outputs))]
            places[number] = [Entry(append(made, {"op": VARIABLE, "name": n, "attrs": {}}, ()), 0) for n in cut]
            given |= {n: s for n, s in zip(cut, outputs, strict=True) if s is not None}
        # Every entry becomes an output, so that one call of the inference answers for all of them, in our order.
        heads = [[e.node, e.output, 0] for e in moved(self._graph.entries, places)]
        # The one dtype that MXNet's inference is told by the variables alone.
        for i, node in enumerate(made):
            if node["op"] == VARIABLE and node["name"] in given and given[node["name"]].dtype == "bfloat16":
                made[i] = {**node, "attrs": {**node.get("attrs", {}), "__dtype__": _BFLOAT16}}
        whole = {
            "nodes": made,
            "arg_nodes": [i for i, n in enumerate(made) if n["op"] == VARIABLE],
            "heads": heads,
            # Without a version MXNet takes it for a symbol of 0.8 and says that it upgrades it.
            "attrs": {"mxnet_version": ["int", 10901], **self._raw.get("attrs", {})},
        }
        symbol = mx.sym.load_json(to_text(whole))
        if not told:
            self._symbols[bfloat16] = symbol
        return symbol


def annotate(text: str, specs: Mapping[str, Spec], is_np: bool) -> Graph:
    """The graph of a symbol's JSON with the spec of every entry.

    `specs` gives shapes and dtypes of variables; entries that cannot be inferred completely get None. MXNet infers all
    but what branches, and loops with a condition, give (see `open_results`), and what follows them. Raises InputError
    when the given shapes contradict the graph.
    """
    return Inference(text, is_np).annotate(specs)


def _outputs(node: Node, found: Mapping[Entry, Spec | None]) -> list[Spec | None]:
    return [found[Entry(node.id, k)] for k in node.outs]
