"""Exports a HybridBlock to an ExportedModel: its symbol, inputs and parameters; the block stays as it was."""

from __future__ import annotations

from typing import Any

import mxnet as mx

from ..errors import BlockError, InputError, UninitializedError
from ..graph.spec import Spec, dtype_name
from ..runtime import mxnet_private
from ..runtime.front_end import front_end
from ..runtime.mxnet_private import arrays_of, is_deferred, untouched
from .first_states import with_open_batch
from .inputs import arguments, check_dtypes, flatten, prepares_arguments
from .model import ExportedModel
from .one_at_a_time import one_at_a_time
from .symbol import original


def export(block: Any, sample: Any) -> ExportedModel:
    """Trace `block` with the sample input, in inference mode.

    Raises BlockError when it is not a HybridBlock or cannot be traced, UninitializedError when parameters have no
    values, InputError when the sample does not fit.
    """
    if not isinstance(block, mx.gluon.HybridBlock):
        raise BlockError(
            f"compile() takes a HybridBlock or a Symbol, not {_describe(block)}. "
            + (
                "A plain Block runs Python at every call and cannot be exported: derive it from gluon.HybridBlock."
                if isinstance(block, mx.gluon.Block)
                else "Build the model with gluon.HybridBlock, or load one with gluon.SymbolBlock.imports."
            )
        )
    with one_at_a_time():
        return _exported(block, sample)


def _exported(block: mx.gluon.HybridBlock, sample: Any) -> ExportedModel:
    is_np = _takes_np(block, sample)
    args = arguments(block, sample, is_np)
    flat, in_format = flatten(args)
    check_dtypes(flat)
    _check_initialized(block)
    with (
        front_end(is_np),
        untouched(block),
        mx.autograd.pause(train_mode=False),
    ):
        if _deferred(block) and prepares_arguments(block):
            block(*args)  # only the call itself knows what the parameters' shapes follow from
        symbols, symbol, out_format = _trace(block, args)
        if _deferred(block):
            _finish_deferred(block, args)
    with front_end(is_np):
        symbol = with_open_batch(original(symbol)) if is_np else original(symbol)
    inputs = tuple(s.name for s in symbols)
    if len(inputs) != len(flat):
        raise InputError(f"The model takes {len(inputs)} arrays ({', '.join(inputs)}), but the sample has {len(flat)}.")
    specs = {n: Spec(tuple(a.shape), dtype_name(a.dtype)) for n, a in zip(inputs, flat, strict=True)}
    names = set(symbol.list_arguments()) | set(symbol.list_auxiliary_states())
    params = {p.name: p for p in _parameters(block) if p.name in names}
    missing = sorted(names - set(params) - set(inputs))
    if missing:
        raise BlockError(
            f"The block's graph reads {', '.join(missing)}, which are neither inputs nor parameters of it."
        )
    return ExportedModel(symbol, inputs, specs, params, in_format, out_format, is_np)


def _takes_np(block: Any, sample: Any) -> bool:
    if mx.util.is_np_array():
        return True
    first: Any = sample
    while isinstance(first, tuple | list | dict) and first:
        first = next(iter(first.values())) if isinstance(first, dict) else first[0]
    return isinstance(first, mx.np.ndarray)


def _describe(thing: Any) -> str:
    return f"a {type(thing).__module__}.{type(thing).__name__}"


def _parameters(block: mx.gluon.HybridBlock) -> list[mx.gluon.Parameter]:
    return list(block.collect_params().values())


def _check_initialized(block: mx.gluon.HybridBlock) -> None:
    missing = [p.name for p in _parameters(block) if arrays_of(p) is None and not is_deferred(p)]
    if missing:
        shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        raise UninitializedError(
            f"{len(missing)} parameter{'s' if len(missing) > 1 else ''} of the block have no value: {shown}. "
            "Call net.initialize() or net.load_parameters(file) before compiling."
        )


def _deferred(block: mx.gluon.HybridBlock) -> bool:
    return any(is_deferred(p) for p in _parameters(block))


def _finish_deferred(block: mx.gluon.HybridBlock, args: list[Any]) -> None:
    try:
        try:
            block.infer_shape(*args)
        except mx.base.MXNetError:
            block(*args)  # each layer may know what the whole graph does not say: see first_states
        for param in _parameters(block):
            mxnet_private.finish_deferred(param)
    except (mx.base.MXNetError, ValueError, AssertionError) as error:
        raise InputError(f"The shapes of the parameters do not follow from the sample input: {error}") from error


def _trace(block: mx.gluon.HybridBlock, args: list[Any]) -> tuple[Any, mx.sym.Symbol, Any]:
    """The inputs' symbols, the outputs' symbol, and the outputs' nesting."""
    if not isinstance(block, mx.gluon.SymbolBlock):
        mxnet_private.forget_graph(block)
    try:
        if prepares_arguments(block):
            return _trace_call(block, args)
        return mxnet_private.trace(block, args)
    except Exception as error:
        raise BlockError(
            f"The block {block.name!r} ({type(block).__name__}) cannot be exported to a symbol: "
            f"{type(error).__name__}: {str(error).strip()}. "
            "Its hybrid_forward must work with symbols: no shapes, values or asnumpy()."
        ) from error


def _trace_call(block: mx.gluon.HybridBlock, args: list[Any]) -> tuple[Any, mx.sym.Symbol, Any]:
    # As Block._get_graph does, but through the block's own call.
    flat, fmt = mxnet_private.flatten(args, "input")
    count = sum(a is not None for a in flat)
    names = iter(["data"] if count == 1 else [f"data{i}" for i in range(count)])
    variables = [None if a is None else mx.sym.var(next(names)) for a in flat]
    if mx.util.is_np_array():
        variables = [v if v is None else v.as_np_ndarray() for v in variables]
    found, out_format = mxnet_private.flatten(block(*mxnet_private.regroup(variables, fmt)), "output")
    symbols = [v for v in variables if v is not None]
    return symbols, mx.sym.Group(found, mxnet_private.symbol_class(found)), out_format
