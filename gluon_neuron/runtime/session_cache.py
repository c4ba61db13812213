"""SessionCache: the sessions of one compiled model, one for each context and signature of its data."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import mxnet as mx

from ..engine import native_library
from ..engine.forks import Lock
from ..graph.identity import BAKED
from ..graph.spec import Spec, dtype_name
from . import placement
from .bound_graph import inputs_alone, lendable, placeable
from .misfit import misfit, unseen
from .session import Session

MAX_BOUND = 32
"""How many signatures stay bound that were not compiled beforehand. Each holds its intermediate results."""

MAX_SPECIALISED = 2
"""How many of them may have programs of their own. Each of these holds the weights too, as the engine arranges them."""

Shapes = tuple[tuple[int, ...], ...]


class SessionCache:
    """Binds a symbol to its parameters when a signature is first seen; what was compiled for stays bound.

    `inputs` are the names of its data inputs, `compiled` what they were compiled for, `static` all shapes of these that
    it holds programs for, `graphs` gives the hashes of the compiled regions' graphs, by which the native library knows
    their models.
    """

    def __init__(
        self,
        symbol: mx.sym.Symbol,
        inputs: Sequence[str],
        compiled: Sequence[Spec],
        params: Mapping[str, mx.gluon.Parameter],
        is_np: bool,
        static: Iterable[Shapes],
        graphs: Callable[[], Sequence[str]],
    ) -> None:
        self._symbol = symbol
        self._inputs = tuple(inputs)
        self._compiled = tuple(compiled)
        self._params = params
        self._is_np = is_np
        self._static = frozenset(static)
        self._specialisations = 0
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
                self._mark_specialised()
                if specs != list(self._compiled) and self._baked:
                    self._try(session, specs, arrays)
                self._sessions[key] = session
                self._drop()
            else:
                self._sessions.move_to_end(key)
            return session

    def _forget_parent(self) -> None:
        # A forked child: engine threads of the parent's executors did not come along.
        self._sessions.clear()
        self.last = None
        self.owner = os.getpid()

    def _mark_specialised(self) -> None:
        # A program for a session's signature is made when it is first run, which is before another is bound.
        made = native_library.stats()["specialisations"]
        if self._sessions and made != self._specialisations:
            self._sessions[next(reversed(self._sessions))].specialised = True
        self._specialisations = made

    def _drop(self) -> None:
        """Drop the signatures that were not used for the longest time; those that were compiled for stay."""
        passing = [key for key in self._sessions if tuple(shape for shape, _ in key[1:]) not in self._static]
        own = [key for key in passing if self._sessions[key].specialised]
        # The last one may turn out to need a program of its own.
        gone = own[: max(0, len(own) + 1 - MAX_SPECIALISED)]
        gone += passing[: max(0, len(passing) - MAX_BOUND)]
        for key in dict.fromkeys(gone):
            del self._sessions[key]

    @cached_property
    def _baked(self) -> bool:
        return BAKED in self._symbol.tojson(remove_amp_cast=False)

    def check(self, arrays: Sequence[mx.nd.NDArray]) -> None:
        """Raise InputError when the weights are baked into programs, and none of these is for such data."""
        if self._baked:
            self._session(arrays)

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
            raise misfit(self._inputs, self._compiled, specs, error) from error
