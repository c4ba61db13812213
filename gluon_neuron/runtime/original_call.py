"""OriginalCall: a compiled symbol's original operators, run by MXNet, for calls that no program is ready for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import mxnet as mx

from ..engine import native_library
from ..engine.forks import Lock
from ..graph.inline import inline
from .mxnet_private import like
from .open_call import OpenCall


class OriginalCall:
    """The symbol with its regions inlined, as Gluon's cached operator over the parameters' own arrays.

    Calls may come from several threads. Raises GraphError where the symbol does not hold the original operators, and
    BlockError where MXNet has no cached operator for them.
    """

    def __init__(self, symbol: mx.sym.Symbol, inputs: Sequence[str], params: Mapping[str, mx.gluon.Parameter]) -> None:
        original, text = original_of(symbol)
        names = set(original.list_inputs())
        own = _filters(text)
        given = {n: _Copied(p) if n in own else p for n, p in params.items() if n in names}
        self._call = OpenCall(original, inputs, given)
        self._shared = _shared(text)
        self._lock = Lock()

    def __call__(self, arrays: Sequence[mx.nd.NDArray]) -> list[mx.nd.NDArray]:
        """The outputs for the given data, asynchronous as MXNet's own; raises MXNetError for data that do not fit."""
        native_library.makes_calls()
        with self._lock, native_library.pushes():
            found = self._call(arrays)
            for k in self._shared:
                found[k] = found[k].copy()
            return found


def original_of(symbol: mx.sym.Symbol) -> tuple[mx.sym.Symbol, str]:
    """The symbol of the original operators, and its JSON; raises GraphError where they are not there."""
    text = inline(symbol.tojson(remove_amp_cast=False))
    return like(symbol, mx.sym.load_json(text)), text


def _filters(text: str) -> set[str]:
    """The variables that convolutions read as their weights.

    MXNet leaves these in a layout of its own when it infers, in their own memory; a program that reads them there would
    be compiled of other numbers, and each of its calls would have to lay them out again.
    """
    nodes = json.loads(text)["nodes"]
    sources = [n["inputs"][1][0] for n in nodes if "convolution" in n["op"].lower() and len(n["inputs"]) > 1]
    return {nodes[i]["name"] for i in sources if nodes[i]["op"] == "null"}


def _shared(text: str) -> list[int]:
    """The outputs for which MXNet gives the array of an input or of a weight, or that of an output before: a compiled
    program gives arrays of their own, and whoever writes to one is not to meet another, whichever runs."""
    graph = json.loads(text)
    heads = [tuple(h[:2]) for h in graph["heads"]]
    return [k for k, h in enumerate(heads) if graph["nodes"][h[0]]["op"] == "null" or h in heads[:k]]


class _Copied:
    """A Parameter of which MXNet is given copies, one as long as nothing was written to the array."""

    def __init__(self, param: Any) -> None:
        self._param = param
        self._seen: tuple[mx.nd.NDArray, list[int], mx.nd.NDArray] | None = None

    def data(self, ctx: mx.Context) -> mx.nd.NDArray:
        """A copy of what the Parameter gives in the context."""
        given = self._param.data(ctx)
        version = native_library.versions([given.handle.value])
        seen = self._seen
        if seen is not None and version is not None and seen[0] is given and seen[1] == version:
            return seen[2]
        copy = given.copy()
        self._seen = None if version is None else (given, version, copy)
        return copy
