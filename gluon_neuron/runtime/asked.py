"""Asked: a Parameter that may give another array at each call, and where a session reads what it gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import mxnet as mx

from .mxnet_private import arrays_of, reduced

_Function = TypeVar("_Function", bound=Callable[..., Any])

_KNOWN: set[Any] = {mx.gluon.Parameter.data}


def gives_storage(function: _Function) -> _Function:
    """Marks a `data` method that returns the Parameter's own array and does nothing else that a call needs."""
    _KNOWN.add(function)
    return function


def value_of(param: Any, ctx: mx.Context | None = None) -> mx.nd.NDArray:
    """What the Parameter is at inference, in the context, or in the first of its own: as Gluon asks for it."""
    with mx.autograd.predict_mode():
        return param.data(param.list_ctx()[0] if ctx is None else ctx)


def own_array(param: Any, ctx: mx.Context) -> mx.nd.NDArray | None:
    """The Parameter's own array in the context; None for one that computes, or that has none there."""
    if getattr(getattr(param, "data", None), "__func__", None) not in _KNOWN:
        return None
    return next((a for a in arrays_of(param) or () if a.ctx == ctx), None)


def saved(param: Any) -> mx.nd.NDArray:
    """What a file is to hold of the Parameter, on the host: what it computes, or what it holds as `reduced` has it."""
    if getattr(type(param), "data", None) in _KNOWN:
        return reduced(param)
    array = value_of(param).copyto(mx.cpu())
    return array.as_np_ndarray() if mx.util.is_np_array() else array.as_nd_ndarray()


def plain(array: mx.nd.NDArray) -> mx.nd.NDArray:
    """The array as an mx.nd one, which is what executors take."""
    return array.as_nd_ndarray() if isinstance(array, mx.np.ndarray) else array


class Asked:
    """Weight drop, weight and spectral normalisation written as Parameters compute what `data()` returns.

    Such an array is copied to where the session is bound, at each call. `always` has that done even if the first array
    is the Parameter's own, which nothing may be written to.
    """

    def __init__(self, name: str, param: Any, ctx: mx.Context, always: bool) -> None:
        self.name = name
        self._param = param
        self._ctx = ctx
        given = value_of(param, ctx)
        owned = _stored(param, given)
        self.fixed = owned and getattr(param.data, "__func__", None) in _KNOWN
        """Whether nobody needs to ask again: whatever replaces the array goes through `_data`."""
        self._copied = not self.fixed and (always or not owned)
        self.bound = plain(given).copy() if self._copied else given

    def follow(self) -> bool:
        """Ask for the array again; False when the session has to be bound again to read what was given."""
        given = value_of(self._param, self._ctx)
        if given is self.bound:
            return True
        if not self._copied or (given.shape, given.dtype) != (self.bound.shape, self.bound.dtype):
            return False
        plain(given).copyto(self.bound)
        return True


def _stored(param: Any, array: mx.nd.NDArray) -> bool:
    return any(array is one for one in arrays_of(param) or ())
