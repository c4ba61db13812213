"""SteppedCall: a symbol that MXNet runs operator by operator, waiting for each, which tells how long each takes."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mxnet as mx

from . import placement
from .asked import Asked, plain
from .front_end import shape_rules
from .open_call import OpenCall
from .unfused import unfused


@dataclass(frozen=True)
class Step:
    """An operator's run: the name of its node, from when to when in nanoseconds of `time.perf_counter_ns`.

    It begins when the operator before is done, so what MXNet does between the two is in it.
    """

    node: str
    begin: int
    end: int


class SteppedCall:
    """A symbol with its parameters, for data of the shapes and types of `arrays`.

    With `open_shapes`, where results' shapes follow from the data, it is run by Gluon's cached operator, else by an
    executor: both as such a model's calls are.
    """

    def __init__(
        self,
        symbol: mx.sym.Symbol,
        inputs: Sequence[str],
        params: Mapping[str, mx.gluon.Parameter],
        arrays: Sequence[mx.nd.NDArray],
        is_np: bool,
        open_shapes: bool,
    ) -> None:
        ctx = arrays[0].ctx if arrays else next(iter(params.values())).list_ctx()[0]
        core = placement.core_of(params.values(), ctx)
        placed = placement.placed(symbol, core)
        inner = placed.get_internals()
        self._nodes = dict(zip(inner.list_outputs(), (s.name for s in inner)))
        self._steps: list[Step] = []
        self._before = 0
        self._feeds: dict[str, mx.nd.NDArray] = {}
        self._inputs = tuple(inputs)
        self._open: OpenCall | None = None
        if open_shapes:
            self._open = OpenCall(placed, inputs, params)
            self._open.watch(lambda name, _, array: self._done(name, array), False)
            return
        names = placed.list_arguments(), placed.list_auxiliary_states()
        with shape_rules(is_np):
            for name, array in zip(inputs, arrays, strict=True):
                self._feeds[name] = mx.nd.empty(array.shape, ctx, array.dtype)
            args, aux = (
                {n: self._feeds[n] if n in self._feeds else plain(Asked(n, params[n], ctx, False).bound) for n in g}
                for g in names
            )
            bind = unfused()(lambda: placed.bind(ctx, args, grad_req="null", aux_states=aux))
            self._executor = placement.bind_for(core, bind)
        self._executor.set_monitor_callback(self._done)

    def __call__(self, arrays: Sequence[mx.nd.NDArray]) -> tuple[list[mx.nd.NDArray], list[Step]]:
        """The outputs, which the next call overwrites, and its operators in order."""
        self._steps = []
        self._before = time.perf_counter_ns()
        if self._open is not None:
            found = self._open(arrays)
        else:
            for name, array in zip(self._inputs, arrays, strict=True):
                plain(array).copyto(self._feeds[name])
            for feed in self._feeds.values():
                feed.wait_to_read()
            self._before = time.perf_counter_ns()
            found = list(self._executor.forward(is_train=False))
        for array in found:
            array.wait_to_read()
        return found, self._steps

    def _done(self, name: Any, handle: Any) -> None:
        # For each output of an operator, which is waited for; the handle is ours.
        array = mx.nd.NDArray(ctypes.cast(handle, mx.base.NDArrayHandle), writable=False)
        array.wait_to_read()
        now = time.perf_counter_ns()
        text = name.decode() if isinstance(name, bytes) else str(name)
        # A cached operator says which output of a node it is, an executor what the node calls it.
        node = self._nodes.get(text, text) if self._open is None else text.rpartition("_")[0]
        if self._steps and self._steps[-1].node == node:
            self._steps[-1] = Step(node, self._steps[-1].begin, now)
        else:
            self._steps.append(Step(node, self._before, now))
        self._before = time.perf_counter_ns()
