"""Every private name of MXNet that this package reads or calls, each behind a function that says what for.

MXNet 1.9 has no other way to these. Whatever breaks with another build of MXNet breaks here, and nowhere else but in
`mxnet_patches`, which replaces names, and in the classes derived from MXNet's own.
"""

from __future__ import annotations

import ctypes
import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np
from mxnet.gluon.block import _check_same_symbol_type, _flatten, _regroup

ARRAYS = "_data"
"""The attribute of a Parameter that holds its arrays, one for each context; None before it is initialized."""

arrays_of = attrgetter(ARRAYS)

flatten = _flatten
"""The arrays of nested arguments (or results) in order, and Gluon's description of the nesting."""

regroup = _regroup
"""The inverse of `flatten`: the nested values."""


def regroup_results(values: Sequence[Any], fmt: Any) -> Any:
    """As `regroup`, for values without the Nones that the nesting holds."""
    given = iter(values)

    def leaves(fmt: Any) -> Iterator[Any]:
        if isinstance(fmt, list):
            for one in fmt:
                yield from leaves(one)
        elif fmt < 0:
            yield None
        else:
            yield from islice(given, max(fmt, 1))

    return regroup(list(leaves(fmt)), fmt)


def holds_none(fmt: Any) -> bool:
    """Whether a nesting holds None."""
    return any(map(holds_none, fmt)) if isinstance(fmt, list) else fmt < 0


symbol_class = _check_same_symbol_type
"""Gluon's check that symbols are all of one front end; gives the class that groups them."""


def library_handle() -> int:
    """What dlopen gave for MXNet's library."""
    return int(mx.base._LIB._handle)


def load_library(path: Path) -> None:
    """Have MXNet load an extension library; raises MXNetError."""
    mx.base.check_call(mx.base._LIB.MXLoadLib(os.fsencode(path), 0))


def operator_names() -> list[str]:
    """The names of all operators that MXNet knows, with their aliases."""
    count = ctypes.c_uint()
    names = ctypes.POINTER(ctypes.c_char_p)()
    mx.base.check_call(mx.base._LIB.MXListAllOpNames(ctypes.byref(count), ctypes.byref(names)))
    return sorted(names[i].decode() for i in range(count.value))


def address_of(array: mx.nd.NDArray) -> int | None:
    """Where the array's data is, in the usual layout; None for an array without elements."""
    address = ctypes.c_void_p()
    mx.base.check_call(mx.base._LIB.MXNDArrayGetData(array.handle, ctypes.byref(address)))
    return address.value


def lay_out(array: mx.nd.NDArray) -> None:
    """Have an array's data in the usual layout, unless a convolution of another thread's lays it out in its own way
    again at the same time: whoever reads it otherwise is given a copy."""
    with suppress(mx.base.MXNetError):
        address_of(array)


def number_of(dtype: Any) -> int:
    """MXNet's own number of a dtype."""
    return int(mx.nd.ndarray._DTYPE_NP_TO_MX[np.dtype(dtype).type])


def view_of(array: mx.nd.NDArray) -> np.ndarray:
    """The array's own memory, read-only, once what is written to it is there; the array must outlive it."""
    array.wait_to_read()
    dtype = np.dtype(array.dtype)
    address = address_of(array)
    if address is None or array.size == 0:
        return np.empty(array.shape, dtype)
    memory = (ctypes.c_char * (array.size * dtype.itemsize)).from_address(address)
    found = np.frombuffer(memory, dtype).reshape(array.shape)
    found.flags.writeable = False
    return found


def is_np_symbol(symbol: mx.sym.Symbol) -> bool:
    """Whether the symbol is one of MXNet's NumPy front end."""
    return isinstance(symbol, mx.sym.np._Symbol)


def like(symbol: mx.sym.Symbol, made: mx.sym.Symbol) -> mx.sym.Symbol:
    """The symbol `made`, of the same front end as `symbol`."""
    return made.as_np_ndarray() if is_np_symbol(symbol) else made


def watch_operator(operator: mx.nd.CachedOp, callback: Any, monitor_all: bool) -> None:
    """Have `callback` called with what each operator of a cached one gives, or with all that it reads too."""
    operator._register_op_hook(callback, monitor_all)


def is_deferred(param: mx.gluon.Parameter) -> bool:
    """Whether the Parameter waits for its shape before it is initialized."""
    return bool(param._deferred_init)


def finish_deferred(param: mx.gluon.Parameter) -> None:
    """Initialize a Parameter whose shape is known now."""
    param._finish_deferred_init()


def storage_of(param: mx.gluon.Parameter) -> str:
    """How the Parameter's arrays are stored: "default", "row_sparse" or "csr"."""
    return str(param._stype)


def contexts_of(param: mx.gluon.Parameter) -> list[mx.Context]:
    """Where the Parameter's arrays are; none before it is initialized."""
    return list(param._ctx_list or ())


def reduced(param: Any) -> mx.nd.NDArray:
    """The Parameter's value on the host, of all its contexts: their mean, or the first where a sum might wrap."""
    if not isinstance(param, mx.gluon.Parameter):
        return first_copy(param)  # an array of a checkpoint: one, and no copies
    if len(contexts_of(param)) > 1 and not np.issubdtype(np.dtype(param.dtype), np.floating):
        return first_copy(param)
    return param._reduce()


def first_copy(param: Any) -> mx.nd.NDArray:
    """The Parameter's first array on the host, of the kind that the front end in use saves."""
    array = param.list_data()[0].copyto(mx.cpu())
    return array.as_np_ndarray() if mx.util.is_np_array() else array.as_nd_ndarray()


def same_kind(array: mx.nd.NDArray, param: mx.gluon.Parameter) -> mx.nd.NDArray:
    """The array as one of the front end that the Parameter's own arrays are of: neither takes the other's."""
    is_np = isinstance((arrays_of(param) or [None])[0], mx.np.ndarray)
    return array.as_np_ndarray() if is_np else array.as_nd_ndarray()


def own_parameters(block: mx.gluon.Block) -> set[str]:
    """The names by which the block itself holds Parameters, without those of its children."""
    return set(block._reg_params)


def clear_cache(block: mx.gluon.HybridBlock) -> None:
    """Have the block build its cached operator again at its next call."""
    block._clear_cached_op()


def cached_parameters(block: mx.gluon.HybridBlock) -> tuple[mx.sym.Symbol, list[mx.gluon.Parameter]]:
    """The symbol of a block's cached operator, and the Parameters that it is called with."""
    return block._cached_graph[1], [p for is_data, p in block._cached_op_args if not is_data]


def adopt(block: mx.gluon.SymbolBlock, param: mx.gluon.Parameter) -> None:
    """Make a Parameter that a backend has added to a block's graph one of the block's own."""
    block.params._params.setdefault(param.name, param)
    block._reg_params.setdefault(param.name, param)


def input_structure(block: mx.gluon.HybridBlock) -> Any:
    """The inputs of a traced block, nested as its call takes them."""
    return regroup(list(block._cached_graph[0]), block._in_format)


def traced_symbol(block: mx.gluon.HybridBlock) -> mx.sym.Symbol | None:
    """The outputs' symbol of a block that was traced, or made of a symbol; else None."""
    return block._cached_graph[1] if block._cached_graph else None


def symbols_of(block: mx.gluon.SymbolBlock, args: Sequence[Any]) -> tuple[Any, mx.sym.Symbol, Any]:
    """The inputs' symbols, the outputs' symbol, and the outputs' nesting, of a block that was made of a symbol."""
    return *block._get_graph(*args), block._out_format


@contextmanager
def untouched(block: mx.gluon.HybridBlock) -> Iterator[None]:
    """What is traced or called inside leaves no trace in the block, its children and its Parameters' symbols.

    Hooks are not called, and no block goes through a cached operator of its own. Layers that a call adds stay, so do
    the values of Parameters that waited for their shapes.
    """
    blocks = _with_children(block)
    saved = [dict(vars(b)) for b in blocks]
    symbols = [(p, p._var) for p in block.collect_params().values()]
    for one in blocks:
        vars(one).update(_forward_hooks=OrderedDict(), _forward_pre_hooks=OrderedDict(), _callback=None, _active=False)
    try:
        yield
    finally:
        for one, before in zip(blocks, saved, strict=True):
            _restore(vars(one), before)
        for param, var in symbols:
            param._var = var  # it is of one front end, and shows the shape and dtype of when it was made


def _with_children(block: mx.gluon.Block) -> list[mx.gluon.Block]:
    found: dict[int, mx.gluon.Block] = {}
    waiting = [block]
    while waiting:
        one = waiting.pop()
        if id(one) not in found:
            found[id(one)] = one
            waiting += one._children.values()
    return list(found.values())


def _restore(attributes: dict[str, Any], before: dict[str, Any]) -> None:
    for name, value in list(attributes.items()):
        if name not in before and not isinstance(value, mx.gluon.Block | mx.gluon.Parameter):
            del attributes[name]
    attributes.update(before)
