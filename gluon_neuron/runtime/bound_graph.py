"""BoundGraph: an executor whose call is one C call; large data that only compiled regions touch is lent, not copied."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Sequence

import mxnet as mx
import numpy as np

from ..engine import native_library
from ..graph.subgraph import SUBGRAPH_OP
from .mxnet_private import address_of

LEAST_LENT = 1 << 17
"""Bytes. Smaller arrays are copied sooner than lent."""

_NOT_AS_BOUND = 1  # in native/boundary/c_api.h


def lendable(symbol: mx.sym.Symbol) -> frozenset[str]:
    """The variables that only compiled regions read: MXNet's operators would look for the data in the bound array."""
    graph = json.loads(symbol.tojson(remove_amp_cast=False))
    elsewhere = {i for n in graph["nodes"] if n["op"] != SUBGRAPH_OP for i, *_ in n["inputs"]}
    elsewhere |= {head[0] for head in graph["heads"]}
    return frozenset(n["name"] for i, n in enumerate(graph["nodes"]) if n["op"] == "null" and i not in elsewhere)


def placeable(symbol: mx.sym.Symbol) -> tuple[bool, ...]:
    """For each output, whether the only region alone writes it and nobody reads it, so that it can be written in place.

    Arrays are known by their addresses, and MXNet gives an output the memory of a result that nobody reads any more:
    with several regions, such a result may be what an earlier one writes or reads.
    """
    graph = json.loads(symbol.tojson(remove_amp_cast=False))
    heads = [tuple(head[:2]) for head in graph["heads"]]
    read = {tuple(entry[:2]) for n in graph["nodes"] for entry in n["inputs"]}
    regions = [i for i, n in enumerate(graph["nodes"]) if n["op"] == SUBGRAPH_OP]
    return tuple([h[0]] == regions and h not in read and heads.count(h) == 1 for h in heads)


def inputs_alone(symbol: mx.sym.Symbol) -> tuple[str, ...] | None:
    """The inputs of the symbol's only operator, if that is a compiled node with the symbol's outputs, in order."""
    graph = json.loads(symbol.tojson(remove_amp_cast=False))
    nodes = graph["nodes"]
    found = [(i, n) for i, n in enumerate(nodes) if n["op"] != "null"]
    if len(found) != 1 or found[0][1]["op"] != SUBGRAPH_OP:
        return None
    index, node = found[0]
    if [tuple(head[:2]) for head in graph["heads"]] != [(index, k) for k in range(len(node["subgraphs"][0]["heads"]))]:
        return None
    return tuple(nodes[i]["name"] for i, *_ in node["inputs"])


def _address_if(array: mx.nd.NDArray | None, wanted: bool) -> int | None:
    large = array is not None and array.size * np.dtype(array.dtype).itemsize >= LEAST_LENT
    return address_of(array) if wanted and large else None


class BoundGraph:
    """An executor and its bound arrays, for the native library.

    `lend` says for which inputs callers' arrays may stand in, `place` for which outputs new arrays may.
    """

    def __init__(
        self,
        executor: mx.executor.Executor,
        inputs: Sequence[mx.nd.NDArray | None],
        lend: Sequence[bool],
        place: Sequence[bool],
        ctx: mx.Context,
    ) -> None:
        self.alone = False
        """Whether the graph is one compiled node."""
        outputs = executor.outputs
        self._held = list(inputs), outputs
        self._functions = native_library.functions()
        self._inputs, self._outputs = ctypes.c_void_p * len(inputs), ctypes.c_void_p * len(outputs)
        addresses = [_address_if(a, yes) for a, yes in zip(inputs, lend, strict=True)]
        places = [_address_if(a, yes) for a, yes in zip(outputs, place, strict=True)]
        self._bound = self._functions.gn_bound_new(
            *(executor.handle, len(inputs), self._inputs(*[a.handle if a is not None else None for a in inputs])),
            *(self._inputs(*addresses), len(outputs), self._outputs(*[a.handle for a in outputs])),
            self._outputs(*places),
            *(ctx.device_typeid, ctx.device_id),
        )
        executor.handle = None  # it is the library's now, which frees it in order with other threads' calls

    def run_here(self, node: int, inputs: Sequence[mx.nd.NDArray]) -> None:
        """From now on, a call may run the graph, which is this node, on its own thread, and then waits for the results.

        That is done where waking MXNet's thread would take a share of the time of a run. `inputs` are the arrays bound
        to the node's.
        """
        self.alone = True
        handles = (ctypes.c_void_p * len(inputs))(*[a.handle for a in inputs])
        self._functions.gn_bound_alone(self._bound, node, len(inputs), handles)

    def __del__(self) -> None:
        if "_bound" in self.__dict__:
            native_library.free_bound(self._bound)

    def run_if(self, epoch: int, relayouts: int, arrays: Sequence[mx.nd.NDArray]) -> list[int] | None:
        """As `run`; None when the arrays are not as the bound ones, a gradient is recorded, or a number rose."""
        results = self._outputs()
        given = self._inputs(*[a.handle for a in arrays])
        status = self._functions.gn_bound_call_if(self._bound, epoch, relayouts, given, results)
        if status == _NOT_AS_BOUND:
            return None
        mx.base.check_call(status)
        return [r or 0 for r in results]

    def run(self, arrays: Sequence[mx.nd.NDArray]) -> list[int]:
        """Handles of new arrays, which the caller owns. Waits for data that it lends, or for all if it runs here."""
        native_library.makes_calls()
        results = self._outputs()
        given = self._inputs(*[a.handle for a in arrays])
        mx.base.check_call(self._functions.gn_bound_call(self._bound, given, results))
        return [r or 0 for r in results]
