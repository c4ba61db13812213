"""Makes an ExportedModel of a Symbol with its arrays, as `load_checkpoint` gives them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import mxnet as mx

from ..errors import InputError, UninitializedError, nearest
from ..graph.graph import Graph
from ..graph.inline import has_compiled_nodes, inline
from ..graph.merge import merge_variables
from ..graph.spec import Spec, dtype_name
from ..graph.subgraph import METADATA
from ..graph.text import to_text
from ..runtime.mxnet_private import is_np_symbol, like
from .held_array import HeldArray
from .infer import annotate
from .inputs import check_dtypes, to_array
from .model import ExportedModel

_LABELLED = frozenset(
    (
        "SoftmaxOutput",
        "Softmax",
        "LinearRegressionOutput",
        "LogisticRegressionOutput",
        "MAERegressionOutput",
        "SVMOutput",
    )
)


def from_symbol(symbol: mx.sym.Symbol, args: Any, aux: Any, sample: Any) -> ExportedModel:
    """The model of a symbol, its argument and auxiliary arrays by name, and its sample inputs by name.

    A label of an output layer (which inference ignores) needs no sample. Raises InputError for wrong names, kinds or
    shapes, UninitializedError when a parameter has no array.
    """
    symbol = original(symbol)
    if mx.util.is_np_array():  # it will be bound among the shapes of mx.np, but mx.sym.load does not say so
        symbol = symbol.as_np_ndarray()
    is_np = is_np_symbol(symbol)
    held = {**_arrays("args", args), **_arrays("aux", aux)}
    text = symbol.tojson(remove_amp_cast=False)
    names = symbol.list_inputs()
    labels = labels_of(Graph.from_json(text))
    given = _samples(symbol, sample, held, labels, is_np)
    missing = [n for n in names if n not in given and n not in held and n not in labels]
    if missing:
        raise UninitializedError(
            f"{len(missing)} of the symbol's arguments have neither an array in args or aux nor a sample in inputs: "
            f"{', '.join(missing[:5])}{' and more' if len(missing) > 5 else ''}."
        )
    params = {n: HeldArray(n, held[n]) for n in names if n in held and n not in given}
    specs = {n: Spec(tuple(a.shape), dtype_name(a.dtype)) for n, a in given.items()}
    known = {**specs, **{n: Spec(tuple(p.array.shape), dtype_name(p.array.dtype)) for n, p in params.items()}}
    unnamed = [n for n in names if n not in known]
    if unnamed:
        inferred = annotate(text, known, is_np)
        found = {n.name: n.outs[0] for n in inferred.variables}
        for name in unnamed:
            spec = found[name]
            if spec is None:
                raise InputError(f"The shape of the label {name!r} does not follow from the inputs; give it a sample.")
            specs[name] = spec
    inputs = tuple(n for n in names if n in specs)
    count = len(symbol.list_outputs())
    out_format = 0 if count == 1 else [0] * count
    arrays = [given[n] for n in inputs] if given.keys() >= set(inputs) else None
    return ExportedModel(symbol, inputs, specs, params, [0] * len(inputs), out_format, is_np, sample=arrays)


def original(symbol: mx.sym.Symbol) -> mx.sym.Symbol:
    """The symbol with the operators that compiled nodes, ours or the archived package's, hold, and one variable a name.

    So a compiled model can be compiled again, for another target or with other options. Any other symbol is returned as
    it is. Raises GraphError when the weights are baked in.
    """
    text = symbol.tojson(remove_amp_cast=False)
    names = symbol.list_inputs()
    twice = len(set(names)) < len(names)
    compiled = has_compiled_nodes(text)
    if not twice and not compiled:
        return symbol
    if compiled:
        raw = json.loads(inline(text))
        for node in raw["nodes"]:
            node.get("attrs", {}).pop(METADATA, None)
        text = to_text(raw)
    return like(symbol, mx.sym.load_json(merge_variables(text) if twice else text))


def _arrays(which: str, value: Any) -> dict[str, mx.nd.NDArray]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InputError(f"{which} must be a dict of name to mx.nd.NDArray, not a {type(value).__name__}.")
    for name, array in value.items():
        if not isinstance(array, mx.nd.NDArray):
            raise InputError(f"{which}[{name!r}] is a {type(array).__name__}; it must be an mx.nd.NDArray.")
    return dict(value)


def _samples(
    symbol: mx.sym.Symbol, sample: Any, held: Mapping[str, Any], labels: set[str], is_np: bool
) -> dict[str, mx.nd.NDArray]:
    names = symbol.list_inputs()
    free = [n for n in symbol.list_arguments() if n not in held and n not in labels]
    if not isinstance(sample, Mapping):
        values = [] if sample is None else list(sample) if isinstance(sample, tuple | list) else [sample]
        if len(values) != len(free):
            raise InputError(
                f"{len(free)} arguments of the symbol have no array in args ({', '.join(free[:5])}), but the sample "
                f"has {len(values)}. Give a dict of input name to array."
            )
        sample = dict(zip(free, values, strict=True))
    if not sample and free:
        raise InputError("The sample inputs are empty; give a dict of input name to array.")
    for name in sample:
        if name not in names:
            raise InputError(
                f"The symbol has no argument {name!r}.{nearest(str(name), names)} Its arguments without an array are: "
                f"{', '.join(free[:5]) or 'none'}."
            )
    given = {n: to_array(v, is_np, f"Input {n!r}") for n, v in sample.items()}
    check_dtypes(list(given.values()))
    return given


def labels_of(graph: Graph) -> set[str]:
    """The variables that output layers read as labels, which inference ignores."""
    found = set()
    for node in graph.operators:
        if node.op in _LABELLED and len(node.inputs) > 1:
            label = graph.nodes[node.inputs[1].node]
            if label.is_variable:
                found.add(label.name)
    return found
