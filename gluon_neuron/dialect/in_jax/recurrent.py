"""Recurrent layers in jax: short sequences are written out step by step, longer ones as a loop."""

from __future__ import annotations

from typing import Any

from ..base import Namespace
from ..functions.recurrent import Step
from ..strict_array import Array

LONGEST_WRITTEN_OUT = 16
"""Steps; a program of a thousand steps would be too large for a compiler."""


class Loops(Namespace):
    """Namespace whose recurrent layers loop over a constant number of steps."""

    _jax: Any

    def _steps(
        self,
        x: Array,
        states: tuple[Array, ...],
        w_ih: Array,
        w_hh: Array,
        b_ih: Array,
        b_hh: Array,
        reverse: bool,
        step: Step,
    ) -> tuple[Array, tuple[Array, ...]]:
        arrays = (x, *states, w_ih, w_hh, b_ih, b_hh)
        count = x.shape[0]
        if count <= LONGEST_WRITTEN_OUT or all(a.known for a in arrays):
            return super()._steps(x, states, w_ih, w_hh, b_ih, b_hh, reverse, step)
        lax, jnp = self._jax.lax, self._jax.numpy
        projected = self._raw(self.linear(x, w_ih, b_ih))
        y = lax.full((count, *states[0].shape), 0, projected.dtype)
        zero, one, last = (jnp.asarray(k, "int32") for k in (0, 1, count - 1))

        # Not scan: with 64-bit types its counter would be of 64 bits.
        def more(carried: tuple) -> Any:
            return lax.lt(carried[0], jnp.asarray(count, "int32"))

        def body(carried: tuple) -> tuple:
            number, y, *before = carried
            at = lax.sub(last, number) if reverse else number
            row = lax.squeeze(lax.dynamic_slice(projected, (at, zero, zero), (1, *projected.shape[1:])), (0,))
            after = step(self._array(row), self.linear(self._array(before[0]), w_hh, b_hh), self._arrays(before))
            raw = [self._raw(a) for a in after]
            y = lax.dynamic_update_slice(y, lax.expand_dims(raw[0], (0,)), (at, zero, zero))
            return (lax.add(number, one), y, *raw)

        _, y, *ends = lax.while_loop(more, body, (zero, y, *map(self._raw, states)))
        return self._array(y), self._arrays(ends)

    def _raw(self, array: Array) -> Any:
        raise NotImplementedError

    def _array(self, value: Any) -> Array:
        return Array(self, value, tuple(value.shape), value.dtype.name, False)

    def _arrays(self, values: Any) -> tuple[Array, ...]:
        return tuple(map(self._array, values))
