"""MXNet's own convention: `optimize_for` and `hybridize` with `backend="neuron"`, answered by compile()."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Iterable, Mapping
from typing import Any

import mxnet as mx
import numpy as np

from ..errors import InputError, OptionError
from ..graph.graph import Graph
from ..graph.literal import literal
from ..graph.subgraph import ARTIFACT_SUFFIX
from ..graph.text import to_text
from ..stitch.metadata import find
from ..stitch.parameters import ArtifactParameter
from .compile_args import translate

_INPUTS = "inputs"
_PARAMETER = frozenset(("__lr_mult__", "__wd_mult__", "__init__"))
_WEIGHT_ENDINGS = (
    *("_weight", "_bias", "_gamma", "_beta", "_moving_mean", "_moving_var", "_running_mean", "_running_var"),
    *("_parameters", "_alpha"),
)


def answer(graph: str, request: str) -> tuple[str, int, dict[str, bytes]]:
    """The partitioned graph's JSON, the device of the arrays, and the new arrays' bytes.

    The graph has what MXNet inferred in attributes; `request` says which arrays were given and with which options.
    MXNet does not say which of the arrays are data: variables that are neither Gluon's parameters nor called as
    a layer's (see `is_weight`) are, unless the option `inputs` names them.
    """
    from .. import api  # late: a process that only runs models does not need the compiler

    asked = json.loads(request)
    options = {n: _value(v) for n, v in asked["options"].items()}
    named = options.pop(_INPUTS, None)
    text = _plain(graph)
    symbol = mx.sym.load_json(text)
    if mx.util.is_np_array():  # then it is the block's symbol, or one that will run among arrays of mx.np
        symbol = symbol.as_np_ndarray()
    mx.nd.waitall()  # MXNet hands over addresses without waiting for what is still being written to them
    args = {a["name"]: _array(a) for a in asked["args"]}
    aux = {a["name"]: _array(a) for a in asked["aux"]}
    data = _data(text, args, named)
    missing = [n for n in symbol.list_arguments() if n not in args]
    if not data and not missing:
        raise InputError(
            "No array among the arguments looks like data. Say which are: optimize_for(..., inputs=['data'])."
        )
    held = {n: a for n, a in args.items() if n not in data}
    made = api.compile_symbol(symbol, {n: args[n] for n in data}, held, aux, translate(options))
    arrays = {n: p.data() for n, p in made.collect_params().items() if isinstance(p, ArtifactParameter)}
    device = next((a["device"] for a in asked["args"]), 0)
    return made.symbol.tojson(remove_amp_cast=False), device, {n: a.asnumpy().tobytes() for n, a in arrays.items()}


def is_weight(name: str, attrs: Mapping[str, Any]) -> bool:
    """Whether a variable is a parameter: Gluon's carry attributes of their own, a symbol's end like `_weight`."""
    return not _PARAMETER.isdisjoint(attrs) or name.endswith(_WEIGHT_ENDINGS)


def _data(text: str, args: Mapping[str, Any], named: Any) -> list[str]:
    if named is not None:
        wanted = [named] if isinstance(named, str) else list(named) if isinstance(named, Iterable) else [named]
        for name in wanted:
            if name not in args:
                raise OptionError(f"The option inputs names {name!r}, for which no array was given.")
        return wanted
    variables = {n.name: n.raw.get("attrs", {}) for n in Graph.from_json(text).variables}
    # What is compiled already is compiled anew: its artifacts are not read, and it may know its inputs.
    known = find(mx.sym.load_json(text))
    if known is not None:
        return [n for n in known.inputs if n in args]
    return [n for n in args if not n.endswith(ARTIFACT_SUFFIX) and not is_weight(n, variables.get(n, {}))]


def _plain(graph: str) -> str:
    # MXNet has written the inferred shapes into every node, where the next inference would trip over them.
    raw = json.loads(graph)
    for node in raw["nodes"]:
        attrs = node.get("attrs", {})
        for name in [n for n in attrs if n.startswith("__ext_")]:
            del attrs[name]
    raw.setdefault("attrs", {}).setdefault("mxnet_version", ["int", 10901])
    return to_text(raw)


def _value(text: str) -> Any:
    try:
        return literal(text)
    except ValueError:
        return text


def _array(given: Mapping[str, Any]) -> mx.nd.NDArray:
    """A view of the caller's memory, which it keeps for as long as it waits for the answer."""
    if given["dtype"] is None:
        raise InputError(f"The argument {given['name']!r} has a dtype that cannot be compiled.")
    dtype = np.dtype(given["dtype"])
    size = int(np.prod(given["shape"], dtype=np.int64)) * dtype.itemsize
    if size == 0:
        return mx.nd.array(np.empty(given["shape"], dtype), dtype=dtype)
    buffer = memoryview((ctypes.c_char * size).from_address(given["address"]))
    return mx.nd.from_numpy(np.frombuffer(buffer, dtype).reshape(given["shape"]), zero_copy=True)
