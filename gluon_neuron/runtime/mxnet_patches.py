"""Every attribute of MXNet that this package replaces, and nothing else.

What MXNet lacks on newer Pythons and NumPys is in `_gluon_neuron_hook.mxnet_names`: it is wanted before MXNet is
imported, which this folder does.
"""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Callable, Mapping
from typing import Any

import mxnet as mx

from _gluon_neuron_hook import mxnet_names

from ..engine import native_library
from . import artifact_parameters, computed_arrays, pairs, placement
from .mxnet_private import ARRAYS

_MARK = "_gluon_neuron"


class _Bulk(threading.local):
    """What the thread has asked the engine to take as one operation: so many operators."""

    size = 0


_bulk = _Bulk()


def install(array_replaced: Callable[[], None], bulk_begins: Callable[[], None]) -> None:
    """Replace them, from now on; installing twice changes nothing.

    `array_replaced` is called after every assignment of a Parameter's arrays, `bulk_begins` before MXNet's engine is
    told to take several operators as one (`mx.engine.bulk`, `mx.engine.set_bulk_size`).
    """
    mxnet_names.mend_all()  # nothing is left to do, unless MXNet was imported before the hook was there
    _wrap(mx.sym.Symbol, "bind", placement.bind)
    _wrap(mx.sym.Symbol, "simple_bind", placement.bind)
    _wrap(mx.sym.Symbol, "optimize_for", computed_arrays.optimize_for)
    _wrap(mx.nd.CachedOp, "__init__", placement.make_cached_op)
    _wrap(mx.gluon.HybridBlock, "_build_cache", placement.build_cache)
    _wrap(mx.gluon.Parameter, "reset_ctx", placement.reset_ctx)
    _wrap(mx.gluon.Parameter, "_reduce", artifact_parameters.reduce)
    _wrap(mx.gluon.Parameter, "cast", artifact_parameters.cast)
    _wrap(mx.gluon.SymbolBlock, "imports", pairs.imports, staticmethod)
    _wrap(mx.model, "load_params", pairs.load_params)
    _wrap(mx.module.bucketing_module, "load_params", pairs.load_params)
    _watch_arrays(array_replaced)
    _wrap(mx.base._LIB, "MXEngineSetBulkSize", functools.partial(_set_bulk_size, bulk_begins))
    _wrap(mx.base, "get_last_ffi_error", _last_error)
    set_before = mx.engine.set_bulk_size(0)
    if set_before > 0:
        mx.engine.set_bulk_size(set_before)


def watch_profiler(wrappers: Mapping[str, Callable[..., Any]]) -> None:
    """Replace functions of `mx.profiler` by these, each of which gets the one that it replaces first."""
    for name, wrapper in wrappers.items():
        _wrap(mx.profiler, name, wrapper)


def _wrap(owner: Any, name: str, wrapper: Callable[..., Any], kind: Callable[..., Any] | None = None) -> None:
    original = getattr(owner, name)
    if hasattr(original, _MARK):
        return

    @functools.wraps(original)
    def replacement(*args: Any, **kwargs: Any) -> Any:
        return wrapper(original, *args, **kwargs)

    setattr(replacement, _MARK, True)
    setattr(owner, name, kind(replacement) if kind else replacement)


def _watch_arrays(notify: Callable[[], None]) -> None:
    # Writes into an array raise its version number, but an array that replaces another may get the old one's address
    # and version. Gluon assigns `_data` wherever it replaces arrays: initialize, cast, reset_ctx, load_parameters.
    assign = mx.gluon.Parameter.__setattr__
    if hasattr(assign, _MARK):
        return

    def __setattr__(self: mx.gluon.Parameter, name: str, value: Any) -> None:
        assign(self, name, value)
        if name == ARRAYS:
            notify()

    _replace(mx.gluon.Parameter, "__setattr__", __setattr__)


def _set_bulk_size(begins: Callable[[], None], original: Callable[..., int], size: Any, previous: Any) -> int:
    _bulk.size = getattr(size, "value", size)
    if _bulk.size > 0:
        begins()
    return original(size, previous)


def _last_error(original: Callable[[], Exception]) -> Exception:
    # A call of Gluon's cached operator that ends with an error of oneDNN's leaves the engine in the bulk that it began:
    # whatever this thread does from then on would wait for the next fourteen operators.
    error = original()
    mx.base._LIB.MXEngineSetBulkSize(ctypes.c_int(_bulk.size), ctypes.byref(ctypes.c_int()))
    return error


class _WatchedList(list[Any]):
    """A Parameter's arrays, which says when one is replaced. Copies and pickles of it are plain lists."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        return list, (list(self),)


def _saying(name: str) -> Callable[..., Any]:
    change = getattr(list, name)

    @functools.wraps(change)
    def replacement(self: _WatchedList, *args: Any, **kwargs: Any) -> Any:
        try:
            return change(self, *args, **kwargs)
        finally:
            native_library.bump_epoch()

    return replacement


for _name in (
    *("__setitem__", "__delitem__", "__iadd__", "__imul__", "append", "clear", "extend", "insert", "pop", "remove"),
    *("reverse", "sort"),
):
    setattr(_WatchedList, _name, _saying(_name))


def watch_list(param: Any) -> None:
    """From now on, an array that is put into the Parameter's own list counts as a Parameter that got other arrays.

    A list that is assigned later is not watched, but its assignment is.
    """
    own = vars(param)
    if isinstance(param, mx.gluon.Parameter) and type(own.get(ARRAYS)) is list:
        own[ARRAYS] = _WatchedList(own[ARRAYS])  # past __setattr__: the arrays are the same


def _replace(owner: type, name: str, replacement: Any) -> None:
    setattr(replacement, _MARK, True)
    setattr(owner, name, replacement)
