"""TrainingCall: a compiled symbol's original operators, run by MXNet while autograd records or trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import mxnet as mx

from ..engine import native_library
from ..engine.forks import Lock
from ..errors import BlockError, GraphError
from ..graph.training import differs_in_training
from .open_call import OpenCall
from .original_call import original_of


class TrainingCall:
    """The symbol with its regions inlined over the parameters themselves: what MXNet does with them, gradients
    included, is what it does with those of the original block. Calls may come from several threads."""

    def __init__(self, symbol: mx.sym.Symbol, inputs: Sequence[str], params: Mapping[str, mx.gluon.Parameter]) -> None:
        self._given = symbol, inputs, params
        self._lock = Lock()

    def wanted(self) -> bool:
        """Whether a call under what autograd is told now has to be MXNet's.

        Raises BlockError where it had to be, and MXNet cannot make it.
        """
        recording, training = mx.autograd.is_recording(), mx.autograd.is_training()
        if not recording and not (training and self._differs is not None):
            return False
        why = self._call if isinstance(self._call, Exception) else None
        if why is not None and training and self._differs is not None:
            raise BlockError(
                f"{self._differs} computes something else in training, and MXNet cannot run the original operators "
                f"of this model: {why} Call it under autograd.record(train_mode=False) or autograd.predict_mode(), "
                "or train the original block."
            ) from why
        return why is None

    def __call__(
        self, arrays: Sequence[mx.nd.NDArray], callback: Any = None, monitor_all: bool = False
    ) -> list[mx.nd.NDArray]:
        """The outputs for the given data; raises MXNetError for data that do not fit."""
        assert isinstance(self._call, OpenCall), "it is asked whether it is wanted first"
        native_library.makes_calls()
        with self._lock, native_library.pushes():
            if callback is not None:
                self._call.watch(callback, monitor_all)
            return self._call(arrays)

    @cached_property
    def _call(self) -> OpenCall | GraphError | BlockError:
        symbol, inputs, params = self._given
        try:
            original, _ = original_of(symbol)
            names = set(original.list_inputs())
            return OpenCall(original, inputs, {n: p for n, p in params.items() if n in names}, follows=True)
        except (GraphError, BlockError) as why:
            return why

    @cached_property
    def _differs(self) -> str | None:
        return differs_in_training(self._given[0].tojson(remove_amp_cast=False))
