"""OpenCall: a symbol as Gluon's cached operator, which needs no arrays that are bound beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import mxnet as mx

from ..errors import BlockError
from .front_end import front_end
from .mxnet_private import is_np_symbol, watch_operator


class OpenCall:
    """A symbol as Gluon's cached operator, which makes each array once its shape is known. One call at a time.

    `inputs` are the names of its data inputs and `params` its parameters, which give their arrays at each call. It
    infers, unless it `follows` what autograd is told. Raises BlockError where MXNet has no cached operator for the
    symbol.
    """

    def __init__(
        self,
        symbol: mx.sym.Symbol,
        inputs: Sequence[str],
        params: Mapping[str, mx.gluon.Parameter],
        follows: bool = False,
    ) -> None:
        self._follows = follows
        self._is_np = is_np_symbol(symbol)
        self._kind = mx.np.ndarray if self._is_np else mx.nd.NDArray
        names = symbol.list_inputs()
        self._sources = [inputs.index(n) if n in inputs else params[n] for n in names]
        data = [i for i, n in enumerate(names) if n in inputs]
        rest = [i for i, n in enumerate(names) if n not in inputs]
        try:
            with front_end(self._is_np):
                self._operator = mx.nd.CachedOp(symbol, [("data_indices", data), ("param_indices", rest)])
        except mx.base.MXNetError as error:
            reason = str(error).split("\nStack trace")[0].strip()
            raise BlockError(
                "The shapes of some arrays follow from the data, and MXNet runs such a model only where all of its "
                f"operators have gradients: {reason} The original does not run when it is hybridized, either."
            ) from error

    def __call__(self, arrays: Sequence[mx.nd.NDArray]) -> list[mx.nd.NDArray]:
        """The outputs for the given data; asynchronous but for operators whose results' shapes follow from the data."""
        ctx = arrays[0].ctx
        as_it_is = mx.util.is_np_shape() is mx.util.is_np_array() is self._is_np
        mode = nullcontext() if self._follows else mx.autograd.pause(train_mode=False)
        with nullcontext() if as_it_is else front_end(self._is_np), ctx, mode:
            given = [arrays[s] if isinstance(s, int) else s.data(ctx) for s in self._sources]
            found = self._operator(*[a if type(a) is self._kind else self._convert(a) for a in given])
        return list(found) if isinstance(found, list | tuple) else [found]

    def watch(self, callback: Any, monitor_all: bool) -> None:
        """Have `callback` called with what operators give, as Gluon's `register_op_hook` does."""
        watch_operator(self._operator, callback, monitor_all)

    def _convert(self, array: mx.nd.NDArray) -> mx.nd.NDArray:
        return array.as_np_ndarray() if self._is_np else array.as_nd_ndarray()
