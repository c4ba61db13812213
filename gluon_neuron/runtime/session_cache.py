"""SessionCache: the sessions of one compiled model, one for each context and signature of its data."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import mxnet as mx

from ..engine.forks import Lock
from ..errors import InputError
from ..graph.spec import Spec, dtype_name
from . import placement
from .bound_graph import inputs_alone, lendable, placeable
from .session import Session

MAX_SPECIALISED = 2
"""How many signatures stay bound that were not compiled beforehand. Each holds its intermediate results, and the
weights as the engine arranges them."""


class SessionCache:
    """Binds a symbol to its parameters when a signature is first seen; what was compiled for stays bound.

    `inputs` are the names of its data inputs, `compiled_sizes` the batch sizes that it was compiled for, `graphs` gives
    the hashes of the compiled regions' graphs, by which the native library knows their models.
    """

    def __init__(
        self,
        symbol: mx.sym.Symbol,
        inputs: Sequence[str],
        params: Mapping[str, mx.gluon.Parameter],
        is_np: bool,
        compiled_sizes: Iterable[int],
        graphs: Callable[[], Sequence[str]],
    ) -> None:
        self._symbol = symbol
        self._inputs = tuple(inputs)
        self._params = params
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

    def clear(self) -> None:
        """Forget all sessions."""
        self.last = None
        with self._lock:
            self._sessions.clear()

    def _session(self, arrays: Sequence[mx.nd.NDArray]) -> Session:
        ctx = arrays[0].ctx
        key = (ctx, *((a.shape, a.dtype) for a in arrays))
        with self._lock:
            if self.owner != os.getpid():
                # A forked child: engine threads of the parent's executors did not come along.
                self._sessions.clear()
                self.last = None
                self.owner = os.getpid()
            session = self._sessions.get(key)
            if session is None or not session.is_current():
                # Drop what is stale first, so that two sets of intermediate results never coexist.
                self.last = None
                for stale in [k for k, s in self._sessions.items() if not s.is_current()]:
                    del self._sessions[stale]
                session = self._bind([Spec(tuple(a.shape), dtype_name(a.dtype)) for a in arrays], ctx)
                self._sessions[key] = session
                self._drop_specialised()
            else:
                self._sessions.move_to_end(key)
            return session

    def _drop_specialised(self) -> None:
        """Drop what was specialised for a signature and not used for the longest time; what was asked for stays."""
        made = [key for key, s in self._sessions.items() if s.batch_size not in self._compiled_sizes]
        for key in made[: max(0, len(made) - MAX_SPECIALISED)]:
            del self._sessions[key]

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
            given = ", ".join(f"{n}: {s}" for n, s in zip(self._inputs, specs, strict=True))
            reason = str(error).split("\nStack trace")[0].strip()
            raise InputError(f"The model does not take these inputs ({given}): {reason}") from error
