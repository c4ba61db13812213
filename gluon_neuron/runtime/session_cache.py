"""SessionCache: the sessions of one compiled model, one for each context and signature of its data."""

from __future__ import annotations

import logging
import os
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from functools import cached_property
from typing import Any

import mxnet as mx
import numpy as np

from ..engine import native_library
from ..engine.forks import Lock
from ..errors import BlockError, CompileError, GraphError
from ..graph.identity import BAKED
from ..graph.inline import has_compiled_nodes
from ..graph.spec import Spec, dtype_name, mxnet_dtype
from . import background, placement
from .asked import own_array
from .belonging import checked_before
from .bound_graph import Region, lendable, placeable, single_region
from .compiled_nodes import CompiledNode, compiled_nodes
from .first_calls import FirstCalls
from .misfit import misfit, recast, refuses, unseen
from .mxnet_private import lay_out
from .original_call import OriginalCall
from .session import Session

MAX_BOUND = 512
"""How many signatures stay bound that were not compiled beforehand."""

MAX_BYTES = 64 << 20
"""Bytes that these may hold in all, with their arrays and their copies of the graph; one stays in any case."""

_MOST_WAITING = 1
"""So many shapes wait to be made ready as long as there is something to measure: each was bound within a call."""

_ENGINES_OWN = (np.float16, np.float32, "float16", "float32")
"""Types to which weights may be cast: a program is made for them."""

_MOST_STARVED = 3
"""So often a shape is tried in the background, where MXNet's own use of the weights is always in the way."""

_logger = logging.getLogger(__name__)

_caches: weakref.WeakSet[SessionCache] = weakref.WeakSet()

Key = tuple[Any, ...]
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
        # While MXNet partitions a model, what stands for its parameters runs nothing.
        self._types = {n: np.dtype(p.dtype) for n, p in params.items() if isinstance(p, mx.gluon.Parameter)}
        self._typed: tuple[int, tuple[str, str, str, str] | None] = -1, None
        self._is_np = is_np
        self._static = frozenset(static)
        self._kinds = tuple(np.dtype(mxnet_dtype(s.dtype)) for s in compiled)
        self._graphs = graphs
        self._passing: tuple[Collection[str], tuple[bool, ...], Region | None] | None = None
        self._hashes: tuple[int, Sequence[str]] | None = None
        self._nodes: tuple[CompiledNode, ...] = ()
        self._graph_bytes = 0
        self._sessions: OrderedDict[Any, Session] = OrderedDict()
        self._changing: set[str] = set()
        self._lock = Lock()
        self._asking = Lock()
        self.owner = os.getpid()
        self.last: Session | None = None
        """The session of the last call; None when it may not be used without another look."""
        self._first_calls = FirstCalls()
        self._original: OriginalCall | None = None
        self._cleared = 0
        self._laid_out = True
        self._starved = 0
        _caches.add(self)

    def run(self, arrays: Sequence[mx.nd.NDArray]) -> list[mx.nd.NDArray]:
        """The outputs for the given data, in a session for its signature. Raises InputError when it does not fit.

        A signature that nothing is ready for is run by MXNet, until what takes long was done in the background.
        """
        session = self._found(arrays)
        if session is None:
            return self._run_unbound(arrays)
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

    def ready(self, arrays: Sequence[mx.nd.NDArray]) -> None:
        """Bind the signature of these arrays, if it is not, and have its programs loaded or made now.

        Raises CompileError where there is none, so that MXNet runs such calls, and InputError where they do not fit.
        """
        session = self._session(arrays)
        try:
            session.prepare()
        except CompileError:
            with self._lock:
                self._forget(self._key(arrays))
            raise

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
            self._cleared += 1
            self._sessions.clear()
            self._original = None

    def _key(self, arrays: Sequence[mx.nd.NDArray]) -> Key:
        # A model of parameters alone has no data.
        ctx = arrays[0].ctx if arrays else next(iter(self._params.values())).list_ctx()[0]
        return (ctx, *((a.shape, a.dtype) for a in arrays))

    def _found(self, arrays: Sequence[mx.nd.NDArray]) -> Session | None:
        """The session for these arrays, bound now if that takes no time; None if there is none."""
        key = self._key(arrays)
        with self._lock:
            session = self._current(key)
        if session is None and not self._takes_time(key):
            session = self._session(arrays)
        return session

    def _current(self, key: Key) -> Session | None:
        if self.owner != os.getpid():
            self._forget_parent()
        session = self._sessions.get(key)
        if session is None or not session.is_current():
            return None
        self._sessions.move_to_end(key)
        return session

    def _session(self, arrays: Sequence[mx.nd.NDArray]) -> Session:
        key = self._key(arrays)
        with self._lock:
            session = self._current(key)
            if session is None:
                self._drop_stale()
                specs = _specs(arrays)
                session = self._bind(specs, key[0])
                if specs != list(self._compiled) and self._baked:
                    self._try(session, specs, arrays)
                self._keep(key, session)
            return session

    def _drop_stale(self) -> None:
        # Before another is bound, so that two sets of intermediate results never coexist.
        self.last = None
        for stale in [k for k, s in self._sessions.items() if not s.is_current()]:
            del self._sessions[stale]

    def _keep(self, key: Key, session: Session) -> None:
        self._sessions[key] = session
        self._sessions.move_to_end(key)
        passing = [k for k in self._sessions if not self._is_compiled(k)]
        held = sum(self._sessions[k].held + self._graph_bytes for k in passing)
        while len(passing) > 1 and (len(passing) > MAX_BOUND or held > MAX_BYTES):
            oldest = passing.pop(0)
            held -= self._sessions[oldest].held + self._graph_bytes
            self._forget(oldest)

    def _forget(self, key: Key) -> None:
        """Drop a session, but not what others have of its programs."""
        session = self._sessions.pop(key)
        session.kept = True
        if self.last is session:
            self.last = None

    def _is_compiled(self, key: Key) -> bool:
        shapes, kinds = tuple(shape for shape, _ in key[1:]), tuple(np.dtype(kind) for _, kind in key[1:])
        return shapes in self._static and kinds == self._kinds

    def _takes_time(self, key: Key) -> bool:
        """Whether binding may have to wait for a program, or cannot be, and MXNet can run the model meanwhile."""
        # MXNet has no dense layer of float16 on the CPU.
        if self._baked or not self._has_programs or any(np.dtype(kind) == np.float16 for _, kind in key[1:]):
            return False
        if self._recast is not None:
            return True
        if self._is_compiled(key):
            return False
        # To MXNet's own arrays a length of 0 is an unknown one.
        return all(0 not in shape for shape, _ in key[1:])

    def _run_unbound(self, arrays: Sequence[mx.nd.NDArray]) -> list[mx.nd.NDArray]:
        # MXNet takes a third of a millisecond for a small net: what is not needed at each call is not made here.
        key = self._key(arrays)
        self.last = None
        background.asked()
        first_calls = self._first_calls
        original = self._original
        if original is None:
            try:
                original = self._original_call()
            except (GraphError, BlockError) as why:
                _logger.info("a program is waited for, for MXNet itself does not run the model: %s", why)
                return self._run_in(self._session(arrays), arrays)
        if self._recast is not None:
            return self._run_original(original, arrays)
        if self._starved >= _MOST_STARVED:
            self._lay_out(key[0])
        if first_calls.program_is_quick or self._starved >= _MOST_STARVED:
            session = self._session_for_any_shape(key, arrays)
            if session is not None:
                return self._run_in(session, arrays)
        with self._lock:
            worth = first_calls.call(key)
            measuring = first_calls.measuring
        start = time.perf_counter()
        results = self._run_original(original, arrays)
        if measuring:
            self._measure(key, start, results)
        if _logger.isEnabledFor(logging.INFO):
            _logger.info("MXNet itself runs %s, for no program is ready for it", _shown(_specs(arrays)))
        if worth and not (measuring and background.waiting() >= _MOST_WAITING):
            self._have_made_ready(key, _specs(arrays), measuring)
        return results

    def _have_made_ready(self, key: Key, specs: Sequence[Spec], measuring: bool) -> None:
        """Bind a signature, and have its programs loaded or made by a thread that nobody waits for.

        MXNet's engine is given operations over the weights when something is bound, and when that goes: of two that are
        given by two threads at the same time, each may come to wait for the other. So the background gives it none.
        """
        name = id(self), key
        if background.has(name):
            return
        if self._laid_out:
            self._lay_out(key[0])
        start = time.perf_counter()
        try:
            session = self._bind(specs, key[0])
            session.kept = True  # until it is among the others
            session.specify()
        except Exception:
            _logger.exception("MXNet goes on running %s, which cannot be bound", _shown(specs))
            return
        bound = time.perf_counter() - start
        itself = weakref.ref(self)
        background.submit(name, lambda: _make_ready(itself, key, specs, session, bound, measuring))

    def _lay_out(self, ctx: mx.Context) -> None:
        # MXNet's convolutions leave the weights that they use in a layout of their own. What lays them out as usual is
        # seen by whoever reads them meanwhile, so it is done on the caller's thread, and not in the background.
        self._laid_out = False
        for name in self._readers.keys() & self._params.keys():
            array = own_array(self._params[name], ctx)
            if array is not None:
                lay_out(array)

    def _run_original(self, original: OriginalCall, arrays: Sequence[mx.nd.NDArray]) -> list[mx.nd.NDArray]:
        try:
            return original(arrays)
        except mx.base.MXNetError as error:
            self.blame(arrays, error)
            raise

    def blame(self, arrays: Sequence[mx.nd.NDArray], error: mx.base.MXNetError) -> None:
        """Raise InputError unless the error is another operation's: these are asynchronous, any call may raise it."""
        self._blame(_specs(arrays), error)

    def _blame(self, specs: Sequence[Spec], error: mx.base.MXNetError) -> None:
        same_dtypes = [s.dtype for s in specs] == [s.dtype for s in self._compiled]
        without_elements = not self._is_np and any(0 in s.shape for s in specs)
        if not same_dtypes or without_elements or refuses(self._symbol, self._inputs, specs, self._params, self._is_np):
            raise misfit(self._inputs, self._compiled, specs, error) from error

    def _run_in(self, session: Session, arrays: Sequence[mx.nd.NDArray]) -> list[mx.nd.NDArray]:
        return self._run_asking(session, arrays) if session.asks else session.run(arrays)

    def _session_for_any_shape(self, key: Key, arrays: Sequence[mx.nd.NDArray]) -> Session | None:
        """A session in which programs for any shape run, if they take these."""
        session = self._bind(_specs(arrays), key[0])
        if session.serves() == native_library.NOTHING:
            session.kept = True
            return None
        with self._lock:
            self._drop_stale()
            self._keep(key, session)
        return session

    def _measure(self, key: Key, start: float, results: Sequence[mx.nd.NDArray]) -> None:
        # An error in the data is told once, to whoever waits first: so it is for the caller.
        for result in results:
            result.wait_to_read()
        with self._lock:
            self._first_calls.took(key, time.perf_counter() - start)

    def _original_call(self) -> OriginalCall:
        with self._lock:
            if self._original is None:
                self._original = OriginalCall(self._symbol, self._inputs, self._params)
            return self._original

    def make_ready(self, key: Key, specs: Sequence[Spec], session: Session, bound: float, measuring: bool) -> None:
        """Load a session's programs, or have them made; for a thread that nobody waits for.

        `bound` is how many seconds it took to bind it. `measuring`: it is of use only while it is not known yet which
        way is the faster one.
        """
        cleared = self._cleared
        with self._lock:
            if self._current(key) is not None or (measuring and self._first_calls.program_is_quick):
                return
            self._drop_stale()
        if not session.is_current():
            return  # its parameters were moved or cast meanwhile
        try:
            any_shape = session.serves() != native_library.NOTHING
            if not session.prepare():
                self._laid_out = True
                self._starved += 1
                return  # and is asked for again
            start = time.perf_counter()
            if any_shape:
                session.meet_shapes()
            took = bound + time.perf_counter() - start
        except CompileError as why:
            with self._lock:
                self._first_calls.never(key)
            _logger.warning("MXNet goes on running %s, for which there is no program: %s", _shown(specs), why)
            return
        with self._lock:
            if any_shape:
                self._first_calls.program_took(key, took, session.is_whole)
            self._first_calls.any_shape = any_shape or bool(self._first_calls.any_shape)
            if cleared == self._cleared and session.is_current():
                session.kept = False
                self._keep(key, session)
        kind = "the program for any shape" if any_shape else "a program that was made for it"
        _logger.info("%s runs %s from now on", kind, _shown(specs))
        for cache in list(_caches):
            cache.drop_evicted()

    def drop_evicted(self) -> None:
        """Let go of the sessions whose programs have given their room to others."""
        with self._lock:
            for key in [k for k, s in self._sessions.items() if not self._is_compiled(k) and s.evicted()]:
                self._forget(key)
                self._first_calls.evict(key)

    def _forget_parent(self) -> None:
        # A forked child: engine threads of the parent's executors did not come along.
        self._sessions.clear()
        self._original = None
        self.last = None
        self.owner = os.getpid()

    @cached_property
    def _has_programs(self) -> bool:
        return has_compiled_nodes(self._symbol.tojson(remove_amp_cast=False))

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
        if self._recast is not None:
            raise recast(*self._recast)

    @property
    def is_recast(self) -> bool:
        """Whether a weight that a compiled node reads was cast since, so that MXNet runs the model."""
        return self._recast is not None

    @property
    def _recast(self) -> tuple[str, str, str, str] | None:
        # The cast weight, its reader, and both dtypes. A cast replaces the weight's array.
        epoch = native_library.epoch()
        if epoch != self._typed[0]:
            self._typed = epoch, self._find_recast()
        return self._typed[1]

    def _find_recast(self) -> tuple[str, str, str, str] | None:
        for name, node in self._readers.items():
            param = self._params.get(name)
            if name not in self._types or param is None or param.dtype in _ENGINES_OWN:
                continue
            if np.dtype(param.dtype) != self._types[name]:
                found = name, node, str(self._types[name]), str(np.dtype(param.dtype))
                _logger.warning("MXNet itself runs the model. %s", recast(*found))
                return found
        return None

    @cached_property
    def _readers(self) -> dict[str, str]:
        """The compiled node that reads a variable as it is, by the names of such variables."""
        nodes = self._nodes or compiled_nodes(self._symbol)
        return {name: node.name for node in nodes for name in node.inputs if name is not None}

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
            self._nodes = compiled_nodes(symbol)
            self._graph_bytes = len(symbol.tojson(remove_amp_cast=False))
            self._passing = lendable(self._symbol), placeable(self._symbol), single_region(self._symbol)
        epoch = native_library.epoch()
        before = self._hashes is not None and self._hashes[0] == epoch
        if self._hashes is None or not before:
            self._hashes = epoch, self._graphs()
        try:
            with checked_before() if before else nullcontext():
                return Session(
                    *(symbol, self._inputs, specs, self._params, ctx, self._is_np, self._hashes[1], core),
                    *self._passing,
                    self._nodes,
                    changing=self._changing,
                )
        except mx.base.MXNetError as error:
            self._blame(specs, error)
            raise


def _make_ready(
    itself: weakref.ref[SessionCache],
    key: Key,
    specs: Sequence[Spec],
    session: Session,
    bound: float,
    measuring: bool,
) -> None:
    cache = itself()
    if cache is not None and cache.owner == os.getpid():
        cache.make_ready(key, specs, session, bound, measuring)


def _specs(arrays: Sequence[mx.nd.NDArray]) -> list[Spec]:
    return [Spec(tuple(a.shape), dtype_name(a.dtype)) for a in arrays]


def _shown(specs: Sequence[Spec]) -> str:
    return ", ".join(map(str, specs))
