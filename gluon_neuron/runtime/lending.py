"""Lends a caller's array to a bound graph for one call, where copying it into the bound array would take long."""

from __future__ import annotations

import ctypes
import json

import mxnet as mx

from ..graph.subgraph import SUBGRAPH_OP
from . import library

LEAST_BYTES = 1 << 20
"""Smaller arrays are copied sooner than lent."""


class _Context(ctypes.Structure):
    # mxnet::Context, as the engine reads it.
    _fields_ = [("device", ctypes.c_int), ("number", ctypes.c_int32)]


def lendable(symbol: mx.sym.Symbol) -> frozenset[str]:
    """The variables that only compiled regions read: MXNet's operators would look for the data in the bound array."""
    graph = json.loads(symbol.tojson(remove_amp_cast=False))
    elsewhere = {i for n in graph["nodes"] if n["op"] != SUBGRAPH_OP for i, *_ in n["inputs"]}
    elsewhere |= {head[0] for head in graph["heads"]}
    return frozenset(n["name"] for i, n in enumerate(graph["nodes"]) if n["op"] == "null" and i not in elsewhere)


class Loan:
    """One bound array, and what the engine needs to hear around each call.

    MXNet's engine orders what it is told: the first function waits for the previous call's readers of the bound array,
    the second for this call's, and nothing writes the lent array before the second has run.
    """

    def __init__(self, bound: mx.nd.NDArray) -> None:
        functions = library.functions()
        self._bound = bound
        self._handle = (ctypes.c_void_p * 1)(bound.handle)
        self._address = address_of(bound)
        self._context = _Context(bound.ctx.device_typeid, bound.ctx.device_id)
        self._new = functions.gn_loan_new
        self._begin = ctypes.cast(functions.gn_loan_begin, ctypes.c_void_p)
        self._end = ctypes.cast(functions.gn_loan_end, ctypes.c_void_p)
        self._free = ctypes.cast(functions.gn_loan_free, ctypes.c_void_p)

    def begin(self, address: int) -> None:
        """From here on in the engine's order, regions bound to the array read the data at `address`."""
        loan = ctypes.c_void_p(self._new(self._address, address))
        self._push(self._begin, loan, self._free, None)

    def end(self, lent: mx.nd.NDArray) -> None:
        """From here on they read the bound array again, and `lent` may be written."""
        self._push(self._end, ctypes.c_void_p(self._address), None, (ctypes.c_void_p * 1)(lent.handle))

    def _push(
        self,
        function: ctypes.c_void_p,
        argument: ctypes.c_void_p,
        free: ctypes.c_void_p | None,
        read: ctypes.Array[ctypes.c_void_p] | None,
    ) -> None:
        context, written = ctypes.byref(self._context), self._handle
        mx.base.check_call(
            mx.base._LIB.MXEnginePushSyncND(
                function,
                argument,
                free,
                context,
                read,
                int(read is not None),
                written,
                1,
                None,
                0,
                b"gluon_neuron loan",
            )
        )


def address_of(array: mx.nd.NDArray) -> int:
    """Where the array's data is, in the usual layout; waits for what writes it."""
    address = ctypes.c_void_p()
    array.wait_to_read()
    mx.base.check_call(mx.base._LIB.MXNDArrayGetData(array.handle, ctypes.byref(address)))
    return address.value or 0
