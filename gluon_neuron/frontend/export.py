"""Exports a HybridBlock to an ExportedModel: its symbol, inputs and parameters; the block stays as it was."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import mxnet as mx
from mxnet.gluon.utils import shape_is_known

from ..errors import BlockError, InputError, UninitializedError, reason
from ..graph.spec import Spec, dtype_name
from ..runtime import mxnet_private
from ..runtime.front_end import front_end
from ..runtime.mxnet_private import arrays_of, is_deferred, untouched
from .first_states import with_open_batch
from .inputs import argument_names, arguments, check_dtypes, flatten, prepares_arguments
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
    places = [c for p in _parameters(block) for c in mxnet_private.contexts_of(p)]
    check_contexts(places, "The block's parameters are on", "net.collect_params().reset_ctx")
    args = arguments(block, sample, is_np)
    flat, in_format = flatten(args)
    check_dtypes(flat)
    with (
        front_end(is_np),
        untouched(block),
        mx.autograd.pause(train_mode=False),
    ):
        if _deferred(block) and prepares_arguments(block) and not uninitialized(block):
            _run(block, args)  # only the call itself knows what the parameters' shapes follow from
        symbols, symbol, out_format = _trace(block, args)
        _check_initialized(block, symbol)
        read = set(symbol.list_inputs())
        waiting = [p for p in _parameters(block) if p.name in read and is_deferred(p)]
        if waiting:
            _finish_deferred(block, args, waiting, symbol, {s.name: a.shape for s, a in zip(symbols, flat)})
    with front_end(is_np):
        symbol = with_open_batch(original(symbol)) if is_np else original(symbol)
    inputs = tuple(s.name for s in symbols)
    if len(inputs) != len(flat):
        raise InputError(f"The model takes {len(inputs)} arrays ({', '.join(inputs)}), but the sample has {len(flat)}.")
    specs = {n: Spec(tuple(a.shape), dtype_name(a.dtype)) for n, a in zip(inputs, flat, strict=True)}
    names = set(symbol.list_arguments()) | set(symbol.list_auxiliary_states())
    params = {p.name: p for p in _parameters(block) if p.name in names}
    sparse = {n: kind for n, p in params.items() if (kind := mxnet_private.storage_of(p)) != "default"}
    for name, kind in sparse.items():
        raise BlockError(
            f"Parameter {name!r} has storage {kind!r}, with which MXNet itself calls no HybridBlock. Make it with "
            "stype='default', or compile the symbol with its arrays."
        )
    missing = sorted(names - set(params) - set(inputs))
    if missing:
        raise BlockError(
            f"The block's graph reads {', '.join(missing)}, which are neither inputs nor parameters of it."
        )
    named = tuple(argument_names(block)[0] or ())
    return ExportedModel(symbol, inputs, specs, params, in_format, out_format, is_np, named, flat)


def check_contexts(contexts: Sequence[mx.Context], what: str, how: str) -> None:
    """Raise InputError for a GPU, where no compiled region runs; `what` begins the sentence, `how` is what to call."""
    for ctx in contexts:
        if ctx.device_type == "gpu":
            raise InputError(
                f"{what} {ctx}, and compiled models run on the host or on a NeuronCore. Use {how} with ctx=mx.cpu() "
                "or mx.neuron(i); files that were saved on a GPU load there too."
            )


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


def uninitialized(block: mx.gluon.HybridBlock) -> list[str]:
    """The names of the parameters that have no value, and do not wait for their shapes either."""
    return [p.name for p in _parameters(block) if arrays_of(p) is None and not is_deferred(p)]


def _check_initialized(block: mx.gluon.HybridBlock, symbol: mx.sym.Symbol) -> None:
    names = set(symbol.list_inputs())
    missing = [n for n in uninitialized(block) if n in names]  # MXNet lets what nothing reads be without a value
    if missing:
        shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        raise UninitializedError(
            f"{len(missing)} parameter{'s' if len(missing) > 1 else ''} of the block have no value: {shown}. "
            "Call net.initialize() or net.load_parameters(file) before compiling."
        )


def _deferred(block: mx.gluon.HybridBlock) -> bool:
    return any(is_deferred(p) for p in _parameters(block))


def _finish_deferred(
    block: Any,
    args: list[Any],
    waiting: list[mx.gluon.Parameter],
    symbol: mx.sym.Symbol,
    inputs: Mapping[str, tuple[int, ...]],
) -> None:
    """Give the `waiting` Parameters their shapes; those that nothing reads go on waiting, as MXNet leaves them."""
    try:
        found = _shapes(symbol, inputs)
        if not all(shape_is_known(found.get(p.name)) for p in waiting):
            _run(block, args)  # each layer may know what the whole graph does not say: see first_states
        for param in waiting:
            if is_deferred(param):  # the call may have done so
                param.shape = found.get(param.name, param.shape)
                mxnet_private.finish_deferred(param)
    except InputError:
        raise
    except (mx.base.MXNetError, ValueError, AssertionError) as error:
        raise InputError(f"The shapes of the parameters do not follow from the sample input: {error}") from error


def _run(block: mx.gluon.HybridBlock, args: list[Any]) -> None:
    try:
        block(*args)
    except (mx.base.MXNetError, ValueError, AssertionError) as error:
        raise InputError(f"The model does not take the sample input: {reason(error)}") from error
    except Exception as error:
        raise _not_exported(block, error) from error


def _shapes(symbol: mx.sym.Symbol, inputs: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """The shapes of the symbol's variables, as far as they follow from those of its inputs."""
    names = set(symbol.list_inputs())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            arguments, _, auxiliary = symbol.infer_shape_partial(**{n: s for n, s in inputs.items() if n in names})
    except mx.base.MXNetError:
        return {}
    return {
        **dict(zip(symbol.list_arguments(), arguments or ())),
        **dict(zip(symbol.list_auxiliary_states(), auxiliary or ())),
    }


def _trace(block: mx.gluon.HybridBlock, args: list[Any]) -> tuple[Any, mx.sym.Symbol, Any]:
    """The inputs' symbols, the outputs' symbol, and the outputs' nesting."""
    try:
        if isinstance(block, mx.gluon.SymbolBlock):
            return mxnet_private.symbols_of(block, args)
        return _trace_call(block, args)
    except Exception as error:
        raise _not_exported(block, error) from error


def _not_exported(block: mx.gluon.HybridBlock, error: Exception) -> BlockError:
    return BlockError(
        f"The block {block.name!r} ({type(block).__name__}) cannot be exported to a symbol: "
        f"{type(error).__name__}: {str(error).strip()}. "
        "Its hybrid_forward must work with symbols: no shapes, values or asnumpy()."
    )


def _trace_call(block: mx.gluon.HybridBlock, args: list[Any]) -> tuple[Any, mx.sym.Symbol, Any]:
    # As HybridBlock._get_graph does, but through the block's own call, and None may be among the results.
    flat, fmt = mxnet_private.flatten(args, "input")
    count = sum(a is not None for a in flat)
    names = iter(["data"] if count == 1 else [f"data{i}" for i in range(count)])
    variables = [None if a is None else mx.sym.var(next(names)) for a in flat]
    if mx.util.is_np_array():
        variables = [v if v is None else v.as_np_ndarray() for v in variables]
    found, out_format = mxnet_private.flatten(block(*mxnet_private.regroup(variables, fmt)), "output")
    symbols = [v for v in variables if v is not None]
    found = [f for f in found if f is not None]
    return symbols, mx.sym.Group(found, mxnet_private.symbol_class(found)), out_format
