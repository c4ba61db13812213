"""Fills a Graph's specs by MXNet's own shape and type inference."""

from __future__ import annotations

import json
import warnings
from collections.abc import Collection, Mapping

import mxnet as mx
import numpy as np

from ..errors import GraphError, InputError, reason
from ..graph.bodies import with_bodies
from ..graph.graph import Entry, Graph
from ..graph.spec import Spec, dtype_name
from ..graph.text import to_text
from ..runtime.front_end import shape_rules

_BFLOAT16 = "12"
"""MXNet's number of the dtype."""


def annotate_part(text: str, specs: Mapping[str, Spec], data: Collection[str], is_np: bool, parts: int) -> Graph | None:
    """The graph for one of `parts` equal parts of the arrays called as one of `data`, cut along their first axes.

    None when they cannot be cut so, or when MXNet infers no shapes for a part.
    """
    if any(not specs[n].shape or specs[n].shape[0] % parts for n in data):
        return None
    cut = {n: Spec((specs[n].shape[0] // parts, *specs[n].shape[1:]), specs[n].dtype) for n in data}
    try:
        return annotate(text, {**specs, **cut}, is_np)
    except InputError:
        return None


def annotate(text: str, specs: Mapping[str, Spec], is_np: bool) -> Graph:
    """The graph of a symbol's JSON with the spec of every entry.

    `specs` gives shapes and dtypes of variables; entries that MXNet cannot infer completely get None. Raises
    InputError when the given shapes contradict the graph.
    """
    graph = Graph.from_json(text)
    entries = graph.entries
    raw = json.loads(text)
    # Without a version MXNet takes it for a symbol of 0.8 and says that it upgrades it.
    raw["attrs"] = {"mxnet_version": ["int", 10901], **raw.get("attrs", {})}
    # Every entry becomes an output, so that one call of the inference answers for all of them, in our order.
    raw["heads"] = [[e.node, e.output, 0] for e in entries]
    # The one dtype that MXNet's inference is told by the variables alone.
    for node in raw["nodes"]:
        if node["op"] == "null" and node["name"] in specs and specs[node["name"]].dtype == "bfloat16":
            node["attrs"] = {**node.get("attrs", {}), "__dtype__": _BFLOAT16}
    with shape_rules(is_np):
        symbol = mx.sym.load_json(to_text(raw))
        names = set(symbol.list_inputs())
        known = {n: s for n, s in specs.items() if n in names}
        known_types = {n: np.dtype(s.dtype) for n, s in known.items() if s.dtype != "bfloat16"}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                shapes = symbol.infer_shape_partial(**{n: s.shape for n, s in known.items()})[1]
                types = symbol.infer_type_partial(**known_types)[1]
        except (mx.base.MXNetError, ValueError) as error:
            given = ", ".join(f"{n}: {s}" for n, s in list(known.items())[:4])
            raise InputError(
                f"The model does not take inputs of these shapes and types ({given}): {reason(error)}"
            ) from error
    if shapes is None or types is None or len(shapes) != len(entries):
        raise GraphError("MXNet's shape inference gave no answer for this symbol.")
    unknown = -1 if is_np else 0
    found: dict[Entry, Spec | None] = {}
    for entry, shape, kind in zip(entries, shapes, types, strict=True):
        complete = shape is not None and unknown not in shape and (is_np or len(shape) > 0) and kind is not None
        found[entry] = Spec(tuple(shape), dtype_name(kind)) if complete else None
    return with_bodies(graph.with_specs(found), lambda body, known: annotate(body, known, is_np))
