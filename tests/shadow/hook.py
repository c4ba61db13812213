"""Shadow: beside each outermost call of a HybridBlock, the same block compiled, and everything compared."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import mxnet as mx
import numpy as np
from mxnet.gluon import HybridBlock

import gluon_neuron
from gluon_neuron.block import NeuronHybridBlock
from tests.agreement import agree
from tests.untouched import same, state


@dataclass
class Shadow:
    """Within it, a call of a block is a call of what it compiles to as well; MXNet's result is what the caller gets.

    A block is compiled at its first call and once it is hybridized: the first time before MXNet has run it, if its
    parameters wait for their shapes, else after. Later calls, of other values and sizes, use what was compiled then.
    """

    rtol: float
    atol: float
    calls: int = 0
    compiled: dict[Any, NeuronHybridBlock] = field(default_factory=dict)
    _busy: bool = False
    _replaced: list[tuple[type, Any]] = field(default_factory=list)

    def __enter__(self) -> Shadow:
        # A class with a call of its own hands on other arguments than the user gave: those are called by ours too.
        for kind in [HybridBlock, *_subclasses(HybridBlock)]:
            if kind is HybridBlock or "__call__" in vars(kind):
                self._replaced.append((kind, vars(kind).get("__call__")))
                kind.__call__ = self._beside(kind.__call__)
        return self

    def __exit__(self, *error: object) -> None:
        for kind, call in self._replaced:
            if call is None:
                del kind.__call__
            else:
                kind.__call__ = call
        self._replaced.clear()

    def _beside(self, original: Any) -> Any:
        @functools.wraps(original)
        def call(block: Any, *args: Any, **named: Any) -> Any:
            if self._busy:
                return original(block, *args, **named)
            self._busy = True
            try:
                return self._both(block, original, args, named)
            finally:
                self._busy = False

        return call

    def _both(self, block: Any, original: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        self.calls += 1
        given = _positional(original, block, args, named)
        key = (id(block), block._active, _structure(given))
        is_new = key not in self.compiled
        if is_new and any(p._deferred_init for p in block.collect_params().values()):
            self._compile(key, block, given)
        _seed(self.calls)
        expected = original(block, *args, **named)
        mx.nd.waitall()  # MXNet writes the gamma of a batch norm without scale behind its engine's back
        before = all_of(block) if is_new else None
        if key not in self.compiled:
            self._compile(key, block, given)
        modes = _modes()
        for time in ("first", "second"):
            _seed(self.calls)
            found = self.compiled[key](*given)
            agree(found, expected, self.rtol, self.atol, kind=True, where=f"{block.name}, {time} time")
        assert _modes() == modes, f"{modes} became {_modes()}"
        if before is not None:
            unchanged(block, before)
        return expected

    def _compile(self, key: Any, block: Any, given: tuple[Any, ...]) -> None:
        modes, before = _modes(), state(block)
        self.compiled[key] = gluon_neuron.compile(block, given)
        assert _modes() == modes, f"{modes} became {_modes()}"
        same(state(block), before)


def _seed(number: int) -> None:
    """What draws random numbers draws the same ones for both."""
    mx.random.seed(number)
    np.random.seed(number)


def _subclasses(kind: type) -> Iterator[type]:
    for one in kind.__subclasses__():
        if one is not NeuronHybridBlock:
            yield one
            yield from _subclasses(one)


def _positional(call: Any, block: Any, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
    """All arguments by position, as what was compiled takes them."""
    if not named:
        return args
    bound = inspect.signature(call).bind(block, *args, **named)
    bound.apply_defaults()
    return bound.args[1:]


def _structure(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(map(_structure, value))
    return None if value is None else (value.ndim, str(value.dtype))


def _modes() -> dict[str, bool]:
    return {
        "is_recording": mx.autograd.is_recording(),
        "is_training": mx.autograd.is_training(),
        "is_np_array": mx.util.is_np_array(),
        "is_np_shape": mx.util.is_np_shape(),
    }


def all_of(block: Any) -> tuple[Any, Any]:
    """The block's attributes, and its Parameters' values (auxiliary ones too), gradients and requests."""
    values = {
        n: (p.grad_req, [d.asnumpy() for d in p.list_data()], p.grad().asnumpy() if p._grad is not None else None)
        for n, p in block.collect_params().items()
        if p._data is not None
    }
    return state(block), values


def unchanged(block: Any, before: tuple[Any, Any]) -> None:
    attributes, values = all_of(block)
    same(attributes, before[0])
    for name, (request, data, gradient) in before[1].items():
        assert values[name][0] == request, f"{name}: grad_req was {request!r}, is {values[name][0]!r}"
        agree(values[name][1:], (data, gradient), where=name)
