"""Placement: which NeuronCore a net runs on travels as an attribute of its compiled nodes.

The operator cannot see a context's index (MXNet shows every host context as "cpu", 0), so whatever binds a net on
`mx.neuron(i)` binds a copy of its symbol whose nodes name the core. For plain MXNet, `mxnet_patches` puts the functions
at the end of this file in the place of MXNet's: `Symbol.bind` and `simple_bind` (Module and the predictors go through
them), and the cached operator of Gluon's blocks. Each gets the function that it replaces first.
"""

from __future__ import annotations

import json
import os
import threading
import weakref
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import mxnet as mx

from ..engine.forks import Lock
from ..errors import InputError
from ..graph.subgraph import CORE, SUBGRAPH_OP
from ..graph.text import to_text
from .belonging import check_block, check_bound, with_single_variables
from .context import NeuronContext
from .mxnet_private import clear_cache, contexts_of, like
from .one_bind import one_bind

_Made = TypeVar("_Made")

_building = threading.local()
_built: weakref.WeakKeyDictionary[mx.gluon.HybridBlock, int | None] = weakref.WeakKeyDictionary()
_lock = Lock()
_binders: dict[int, ThreadPoolExecutor] = {}


def _forget_binders() -> None:
    # In a forked child: threads did not come along.
    _binders.clear()


os.register_at_fork(after_in_child=_forget_binders)


def placed(symbol: mx.sym.Symbol, core: int | None) -> mx.sym.Symbol:
    """A copy of the symbol whose compiled nodes run on the core; the symbol itself if it has none, or for None."""
    text = symbol.tojson(remove_amp_cast=False) if core is not None else ""
    if SUBGRAPH_OP not in text:
        return symbol
    raw = json.loads(text)
    for node in raw["nodes"]:
        if node["op"] == SUBGRAPH_OP:
            node.setdefault("attrs", {})[CORE] = str(core)
    return like(symbol, mx.sym.load_json(to_text(raw)))


def core_of(params: Iterable[Any], ctx: mx.Context) -> int | None:
    """The core that parameters were put on where MXNet says `ctx`; None when it is the host."""
    for param in params:
        for found in param.list_ctx():
            if isinstance(found, NeuronContext) and found == ctx:
                return int(found.device_id)
    return None


def bind_for(core: int | None, bind: Callable[[], _Made]) -> _Made:
    """What `bind` returns, called on a thread that all binding for this core happens on.

    MXNet lets two compiled nodes run at the same time only if they were bound on different threads: each thread has its
    own random generators, of which every node of an extension library is taken to need one.
    """
    if core is None:
        return bind()
    with _lock:
        if core not in _binders:
            _binders[core] = ThreadPoolExecutor(1, f"gluon_neuron core {core}")
        binder = _binders[core]
    is_np_shape, is_np_array = mx.util.is_np_shape(), mx.util.is_np_array()

    def run() -> _Made:
        with mx.util.np_shape(is_np_shape), mx.util.np_array(is_np_array):
            return bind()

    return binder.submit(run).result()


def bind(original: Callable[..., Any], symbol: mx.sym.Symbol, ctx: Any, *args: Any, **kwargs: Any) -> Any:
    """`Symbol.bind` and `simple_bind`, which know a NeuronContext, and whose node each artifact is of."""
    if check_bound(symbol, args[0] if args else kwargs.get("args")):
        symbol = with_single_variables(symbol, [*args, *kwargs.values()])
    original = one_bind()(original)
    if not isinstance(ctx, NeuronContext):
        return original(symbol, ctx, *args, **kwargs)
    core = int(ctx.device_id)
    found = placed(symbol, core)
    host = _home(ctx, [*args, kwargs.get("args"), kwargs.get("aux_states")])
    if found is symbol:  # nothing was compiled
        return original(symbol, host, *args, **kwargs)
    return bind_for(core, lambda: original(found, host, *args, **kwargs))


def _home(ctx: mx.Context, given: Iterable[Any]) -> mx.Context:
    """The context that MXNet is to bind on: where the arrays are, if that is one place, else `ctx`.

    Published scripts bind what `load_checkpoint` has put on cpu(0) to any core, and MXNet takes no array of another
    context. The core travels as an attribute, so it does not matter which host context it is.
    """
    arrays: list[Any] = []
    for group in given:
        if isinstance(group, dict | list | tuple):
            arrays += group.values() if isinstance(group, dict) else group
    places = {str(a.context): a.context for a in arrays if isinstance(a, mx.nd.NDArray)}
    return next(iter(places.values())) if len(places) == 1 else ctx


def make_cached_op(original: Callable[..., None], op: Any, sym: mx.sym.Symbol, *args: Any, **kwargs: Any) -> None:
    """`CachedOp.__init__`, for the core of the block that is being built."""
    original(op, placed(sym, getattr(_building, "core", None)), *args, **kwargs)


def build_cache(original: Callable[..., None], block: mx.gluon.HybridBlock, *args: Any) -> None:
    """`HybridBlock._build_cache`, which remembers the core that the block was built for, and checks its artifacts."""
    core = _core_of_block(block)
    before = getattr(_building, "core", None)
    _building.core = core
    try:
        original(block, *args)
    finally:
        _building.core = before
    check_block(block)
    _built[block] = core


def reset_ctx(original: Callable[..., None], param: mx.gluon.Parameter, ctx: Any) -> None:
    """`Parameter.reset_ctx`, after which blocks that were built for another core are built again."""
    moved = [*contexts_of(param), *(ctx if isinstance(ctx, list | tuple) else [ctx or mx.current_context()])]
    original(param, ctx)
    if not any(isinstance(c, NeuronContext) for c in moved):
        return
    for block in [b for b in list(_built) if any(p is param for p in b.collect_params().values())]:
        del _built[block]
        clear_cache(block)  # it was built for the core of before


def _core_of_block(block: mx.gluon.HybridBlock) -> int | None:
    contexts = [c for p in block.collect_params().values() for c in contexts_of(p)]
    cores = {int(c.device_id) if isinstance(c, NeuronContext) else None for c in contexts}
    if cores <= {None}:
        return None
    if len(cores) > 1:
        raise InputError(
            f"The block has parameters on {', '.join(sorted({repr(c) for c in contexts}))}, and Gluon runs it by one "
            "operator, which runs on one NeuronCore. Load it once for each core, or by gluon_neuron.load."
        )
    return cores.pop()
