"""Session: a symbol bound to the parameters' own arrays for one signature; data goes in, results are copied out."""

from __future__ import annotations

import os
import threading
from collections.abc import Container, Mapping, Sequence
from operator import attrgetter, is_

import mxnet as mx
import numpy as np

from ..graph.spec import Spec
from . import library
from .lending import LEAST_BYTES, Loan, address_of

_ARRAYS = attrgetter("_data")

# An executor runs what is not compiled through MXNet's own oneDNN fusion, and says so at every bind unless told not to.
os.environ.setdefault("MXNET_SUBGRAPH_VERBOSE", "0")


class Session:
    """An executor that holds the arrays it was bound to, so that their addresses cannot be recycled while it lives.

    MXNet's executor costs a fraction of what Gluon's cached operator costs when there are hundreds of parameters.
    Calls from several threads are pushed one after the other; MXNet's engine orders what they read and write.
    """

    def __init__(
        self,
        symbol: mx.sym.Symbol,
        inputs: Sequence[str],
        specs: Sequence[Spec],
        params: Mapping[str, mx.gluon.Parameter],
        ctx: mx.Context,
        is_np: bool,
        graphs: Sequence[str] = (),
        lendable: Container[str] = frozenset(),
    ) -> None:
        arguments = symbol.list_arguments()
        auxiliary = symbol.list_auxiliary_states()
        self._epoch = library.epoch()  # before the arrays are looked at
        self._params = [params[n] for n in (*arguments, *auxiliary) if n in params]
        self._held = [p._data for p in self._params]
        self._lock = threading.Lock()
        self._is_np = is_np
        with mx.util.np_shape(is_np):
            feeds = {
                n: mx.nd.empty(s.shape, ctx, np.dtype(s.dtype))
                for n, s in zip(inputs, specs, strict=True)
                if n in arguments
            }
            args = {n: feeds[n] if n in feeds else params[n].data(ctx) for n in arguments}
            aux = {n: params[n].data(ctx) for n in auxiliary}
            plain = {n: a.as_nd_ndarray() if isinstance(a, mx.np.ndarray) else a for n, a in args.items()}
            plain_aux = {n: a.as_nd_ndarray() if isinstance(a, mx.np.ndarray) else a for n, a in aux.items()}
            self._executor = symbol.bind(ctx, plain, grad_req="null", aux_states=plain_aux)
            self._outputs = list(self._executor.outputs)
        self._feeds = [feeds.get(n) for n in inputs]
        large = [
            f if f is not None and s.nbytes >= LEAST_BYTES else None for f, s in zip(self._feeds, specs, strict=True)
        ]
        self._loans = [None if f is None or n not in lendable else Loan(f) for n, f in zip(inputs, large, strict=True)]
        self._arrays = [*plain.values(), *plain_aux.values()]
        self._relayouts = -1
        self._graphs = tuple(graphs)
        self._owner = os.getpid()
        self.batch_size = specs[0].shape[0] if specs and specs[0].shape else None

    def __del__(self) -> None:
        # The library keeps models without a user for a while, which plain MXNet needs; here nobody will come back. In a
        # forked child they stay: ending one waits for threads that did not come along.
        if self.__dict__.pop("_executor", None) is not None and self._owner == os.getpid():
            self._outputs = []
            for graph in self._graphs:
                library.release(graph)

    def is_current(self) -> bool:
        """Whether every parameter still has the array that the executor was bound to."""
        now = library.epoch()
        if now == self._epoch:
            return True
        if all(map(is_, map(_ARRAYS, self._params), self._held)):
            self._epoch = now
            return True
        return False

    def run(self, arrays: Sequence[mx.nd.NDArray]) -> list[mx.nd.NDArray]:
        """The outputs for the given data, as new arrays; asynchronous, but waits until large data is there."""
        given = [a.as_nd_ndarray() for a in arrays] if self._is_np else arrays
        addresses = [address_of(array) if loan else 0 for loan, array in zip(self._loans, given, strict=True)]
        begun: list[tuple[Loan, mx.nd.NDArray]] = []
        with self._lock:
            if library.relayouts() != self._relayouts:
                self._restore_layout()
            try:
                for feed, loan, address, array in zip(self._feeds, self._loans, addresses, given, strict=True):
                    if loan and address:
                        loan.begin(address)
                        begun.append((loan, array))
                    elif feed is not None:
                        array.copyto(feed)
                self._executor.forward(is_train=False)
            finally:
                for loan, array in begun:
                    loan.end(array)
            results = [o.copy() for o in self._outputs]
        return [r.as_np_ndarray() for r in results] if self._is_np else results

    def _restore_layout(self) -> None:
        # MXNet's convolutions leave the weights they use in a blocked layout; if the original block shares them and has
        # run, each call of ours would be given copies. Asking for an array's address lays it out as usual, for good.
        for array in self._arrays:
            address_of(array)
        self._relayouts = library.relayouts()
