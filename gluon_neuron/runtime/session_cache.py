"""SessionCache: the sessions of one compiled model, one for each context and signature of its data."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import mxnet as mx
import numpy as np

from ..engine.forks import Lock
from ..graph.identity import BAKED
from ..graph.spec import Spec, dtype_name
from . import placement
from .bound_graph import inputs_alone, lendable, placeable, readers
from .misfit import misfit, recast, refuses, unseen
from .session import Session

MAX_SPECIALISED = 2
"""How many signatures stay bound that were not compiled beforehand. Each holds its intermediate results, and the
weights as the engine arranges them."""


class SessionCache:
    """Binds a symbol to its parameters when a signature is first seen; what was compiled for stays bound.

    `inputs` are the names of its data inputs, `compiled` what they were compiled for, `compiled_sizes` the batch sizes
    that it was compiled for, `graphs` gives the hashes of the compiled regions' graphs, by which the native library
    knows their models.
    """

    def __init__(
        self,
        symbol: mx.sym.Symbol,
        inputs: Sequence[str],
        compiled: Sequence[Spec],
        params: Mapping[str, mx.gluon.Parameter],
        is_np: bool,
        compiled_sizes: Iterable[int],
        graphs: Callable[[], Sequence[str]],
    ) -> None:
        self._symbol = symbol
        self._inputs = tuple(inputs)
        self._compiled = tuple(compiled)
        self._params = params
        # While MXNet partitions a model, what stands for its parameters runs nothing.
        self._types = {n: np.dtype(p.dtype) for n, p in params.items() if isinstance(p, mx.gluon.Parameter)}
        self._is_np = is_np
        self._compiled_sizes = frozenset(compiled_sizes)
        self._graphs = graphs
        self._passing: tuple[Collection[str], tuple[bool, ...], tuple[str, ...] | None] | None = None
        self._sessions: OrderedDict[Any, Session] = OrderedDict()
        self._changing: set[str] = set()
        self._lock = Lock()
        self._asking = Lock()
        self.owner = os.getpid()
        self.last: Session | None = None
        """The session of the last call; None when it may not be used without another look."""

    def run(self, arrays: Sequence[mx.nd.NDArray]) -> list[mx.nd.NDArray]:
        """The outputs for the given data, in a session for its signature. Raises InputError when it does not fit."""
        session = self._session(arrays)
        if session.asks:
            return self._run_asking(session, arrays)
        self.last = session
        return session.run(arrays)

    def _run_asking(self, session: Session, arrays: Sequence[mx.nd.NDArray]) -> list[mx.nd.NDArray]:
        # One call at a time: what parameters give is written to where a call that computes here and now reads.
        self.last = None
        with self._asking:
            changed = session.follow()
            if changed:
                self._changing.update(changed)
                self.clear()
                session = self._session(arrays)
                session.follow()
            return session.run(arrays)

    def turn(self) -> Lock:
        """Held while something else runs the model that takes one call at a time."""
        if self.owner != os.getpid():
            with self._lock:
                self._forget_parent()
        return self._asking

    def clear(self) -> None:
        """Forget all sessions."""
        self.last = None
        with self._lock:
            self._sessions.clear()

    def _session(self, arrays: Sequence[mx.nd.NDArray]) -> Session:
        # A model of parameters alone has no data.
        ctx = arrays[0].ctx if arrays else next(iter(self._params.values())).list_ctx()[0]
        key = (ctx, *((a.shape, a.dtype) for a in arrays))
        with self._lock:
            if self.owner != os.getpid():
                self._forget_parent()
            session = self._sessions.get(key)
            if session is None or not session.is_current():
                # Drop what is stale first, so that two sets of intermediate results never coexist.
                self.last = None
                for stale in [k for k, s in self._sessions.items() if not s.is_current()]:
                    del self._sessions[stale]
                specs = [Spec(tuple(a.shape), dtype_name(a.dtype)) for a in arrays]
                session = self._bind(specs, ctx)
                if specs != list(self._compiled) and self._baked:
                    self._try(session, specs, arrays)
                self._sessions[key] = session
                self._drop_specialised()
            else:
                self._sessions.move_to_end(key)
            return session

    def _forget_parent(self) -> None:
        # A forked child: engine threads of the parent's executors did not come along.
        self._sessions.clear()
        self.last = None
        self.owner = os.getpid()

    def _drop_specialised(self) -> None:
        """Drop what was specialised for a signature and not used for the longest time; what was asked for stays."""
        made = [key for key, s in self._sessions.items() if s.batch_size not in self._compiled_sizes]
        for key in made[: max(0, len(made) - MAX_SPECIALISED)]:
            del self._sessions[key]

    @cached_property
    def _baked(self) -> bool:
        return BAKED in self._symbol.tojson(remove_amp_cast=False)

    def check(self, arrays: Sequence[mx.nd.NDArray]) -> None:
        """Raise InputError when the weights are baked into programs, and none of these is for such data."""
        if self._baked:
            self._session(arrays)
        self.check_types()

    def check_types(self) -> None:
        """Raise InputError when a weight that a compiled node reads was cast since."""
        for name, node in self._readers.items():
            param = self._params.get(name)
            if name in self._types and param is not None and np.dtype(param.dtype) != self._types[name]:
                raise recast(name, node, str(self._types[name]), str(np.dtype(param.dtype)))

    @cached_property
    def _readers(self) -> dict[str, str]:
        return readers(self._symbol)

    def _try(self, session: Session, specs: Sequence[Spec], arrays: Sequence[mx.nd.NDArray]) -> None:
        # Nothing can be compiled any more, so what does not fit is said here and now, not when results are read.
        try:
            for out in session.run(arrays):
                out.wait_to_read()
        except mx.base.MXNetError as error:
            if "weights are baked into the program" not in str(error):
                raise
            raise unseen(self._inputs, self._compiled, specs) from error

    def _bind(self, specs: Sequence[Spec], ctx: mx.Context) -> Session:
        self.check_types()
        core = placement.core_of(self._params.values(), ctx)
        symbol = placement.placed(self._symbol, core)
        if self._passing is None:
            self._passing = lendable(symbol), placeable(symbol), inputs_alone(symbol)
        try:
            return Session(
                *(symbol, self._inputs, specs, self._params, ctx, self._is_np, self._graphs(), core),
                *self._passing,
                changing=self._changing,
            )
        except mx.base.MXNetError as error:
            # Operations are asynchronous: what failed may be one before, which is no matter of the inputs.
            same_dtypes = [s.dtype for s in specs] == [s.dtype for s in self._compiled]
            if same_dtypes and not refuses(symbol, self._inputs, specs, self._params, self._is_np):
                raise
            raise misfit(self._inputs, self._compiled, specs, error) from error
