"""BoundGraph: a graph whose call is one C call: MXNet's executor, with large data lent, not copied; or one region."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mxnet as mx
import numpy as np

from ..engine import native_library
from ..errors import CompileError
from ..graph.spec import Spec, mxnet_dtype
from ..graph.subgraph import CORE, STRICT, SUBGRAPH_OP
from ..graph.text import to_text
from .mxnet_private import address_of, number_of

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


@dataclass(frozen=True)
class Region:
    """A compiled node that is a whole graph: its name, its own graph's text, whether it must run on a NeuronCore, the
    names of what it reads, and which of its outputs is each of the graph's."""

    name: str
    graph: str
    strict: bool
    inputs: tuple[str, ...]
    heads: tuple[int, ...]

    def own_order(self, outputs: Sequence[Spec]) -> list[Spec]:
        """The graph's outputs in the order of the node's."""
        return [outputs[self.heads.index(k)] for k in range(len(outputs))]


def single_region(symbol: mx.sym.Symbol) -> Region | None:
    """The symbol's only operator, if that is a compiled node, each of whose outputs is one of the symbol's, once."""
    graph = json.loads(symbol.tojson(remove_amp_cast=False))
    nodes = graph["nodes"]
    found = [(i, n) for i, n in enumerate(nodes) if n["op"] != "null"]
    if len(found) != 1 or found[0][1]["op"] != SUBGRAPH_OP:
        return None
    index, node = found[0]
    inner = node["subgraphs"][0]
    heads = tuple(head[1] for head in graph["heads"])
    if any(head[0] != index for head in graph["heads"]) or sorted(heads) != list(range(len(inner["heads"]))):
        return None
    attrs = node.get("attrs", {})
    if CORE in attrs:
        return None  # it was placed by hand
    inputs = tuple(nodes[i]["name"] for i, *_ in node["inputs"])
    return Region(node["name"], to_text(inner), attrs.get(STRICT) == "1", inputs, heads)


def _address_if(array: mx.nd.NDArray | None, wanted: bool) -> int | None:
    large = array is not None and array.size * np.dtype(array.dtype).itemsize >= LEAST_LENT
    return address_of(array) if wanted and large else None


class BoundGraph:
    """A graph that the native library calls: it is made by `of_executor` or `of_region`."""

    def __init__(self, bound: int, inputs: int, order: Sequence[int]) -> None:
        self._bound, self._order = bound, order
        self._functions = native_library.functions()
        self._inputs, self._outputs = ctypes.c_void_p * inputs, ctypes.c_void_p * len(order)
        self._held: Any = None

    @classmethod
    def of_executor(
        cls,
        executor: mx.executor.Executor,
        inputs: Sequence[mx.nd.NDArray | None],
        lend: Sequence[bool],
        place: Sequence[bool],
        ctx: mx.Context,
    ) -> BoundGraph:
        """An executor and its bound arrays.

        `lend` says for which inputs callers' arrays may stand in, `place` for which outputs new arrays may.
        """
        outputs = executor.outputs
        functions = native_library.functions()
        handles = ctypes.c_void_p * len(inputs)
        places = ctypes.c_void_p * len(outputs)
        bound = functions.gn_bound_new(
            *(executor.handle, len(inputs), handles(*[a.handle if a is not None else None for a in inputs])),
            handles(*[_address_if(a, yes) for a, yes in zip(inputs, lend, strict=True)]),
            *(len(outputs), places(*[a.handle for a in outputs])),
            places(*[_address_if(a, yes) for a, yes in zip(outputs, place, strict=True)]),
            *(ctx.device_typeid, ctx.device_id),
        )
        if not bound:
            raise CompileError(functions.gn_last_error().decode(errors="replace"))
        executor.handle = None  # it is the library's now, which frees it in order with other threads' calls
        graph = cls(bound, len(inputs), range(len(outputs)))
        graph._held = list(inputs), outputs
        return graph

    @classmethod
    def of_region(
        cls,
        region: Region,
        data: Mapping[str, Spec],
        weights: Mapping[str, mx.nd.NDArray],
        outputs: Sequence[Spec],
        ctx: mx.Context,
        core: int | None,
    ) -> BoundGraph | None:
        """A graph of one region with these outputs, which reads these data, in the order of a call, and weights.

        It runs on the NeuronCore `core`, or on any. None where an executor is to be bound: this build of MXNet does not
        show what a call without one takes, or the node cannot be made, which MXNet will say too.

        Calls that do not take long run on their own thread, and then wait for the results.
        """
        names = list(data)
        numbers = described(data.values()), described(region.own_order(outputs))
        count = len(region.inputs)
        arrays = (ctypes.c_void_p * count)(*[weights[n].handle if n in weights else None for n in region.inputs])
        places = (ctypes.c_size_t * count)(*[0 if n in weights else names.index(n) for n in region.inputs])
        bound = native_library.functions().gn_region_new(
            *(region.name.encode(), region.graph.encode(), -1 if core is None else core, region.strict),
            *(count, arrays, places, len(data), numbers[0], len(outputs), numbers[1]),
            *(ctx.device_typeid, ctx.device_id),
        )
        return cls(bound, len(data), region.heads) if bound else None

    @property
    def node(self) -> int | None:
        """The region's node, for `native_library`; None where there is an executor."""
        found = self._functions.gn_bound_node(self._bound)
        return None if found is None else int(found)

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
        return [results[k] or 0 for k in self._order]

    def run(self, arrays: Sequence[mx.nd.NDArray]) -> list[int]:
        """Handles of new arrays, which the caller owns. Waits for data that it lends, or for all if it runs here."""
        native_library.makes_calls()
        results = self._outputs()
        given = self._inputs(*[a.handle for a in arrays])
        mx.base.check_call(self._functions.gn_bound_call(self._bound, given, results))
        return [results[k] or 0 for k in self._order]


def described(specs: Iterable[Spec]) -> ctypes.Array[ctypes.c_int64]:
    """Arrays' kinds as the native library takes them: for each MXNet's number of the dtype, the rank and the shape."""
    found: list[int] = []
    for spec in specs:
        found += [number_of(mxnet_dtype(spec.dtype)), len(spec.shape), *spec.shape]
    return (ctypes.c_int64 * len(found))(*found)
