"""Recurrent layers: one layer in one direction over all steps of a sequence."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ...errors import DialectError
from ..dtypes import FLOATS
from ..strict_array import Array
from .activation import Activation
from .product import Product

Step = Callable[[Array, Array, tuple[Array, ...]], tuple[Array, ...]]


def _gates(x: Array, count: int) -> list[Array]:
    size = x.shape[1] // count
    return [x[:, k * size : (k + 1) * size] for k in range(count)]


class Recurrent(Activation, Product):
    """x[T, N, I], states [N, H]; w_ih[G * H, I], w_hh[G * H, H], b_ih and b_hh[G * H] for G gates. Floats."""

    def lstm(
        self, x: Array, h: Array, c: Array, w_ih: Array, w_hh: Array, b_ih: Array, b_hh: Array, reverse: bool = False
    ) -> tuple[Array, Array, Array]:
        """Long short-term memory, gates in the order input, forget, cell, output.

        Returns y[T, N, H] and the last h and c; `reverse` begins at the last step, and y stays in the order of x.
        """
        arrays = x, h, c, w_ih, w_hh, b_ih, b_hh
        self._recurrent("lstm", 4, (h, c), *arrays)
        if self._fused("lstm", arrays):
            y, h, c = self._calls("lstm", arrays, (bool(reverse),), (x.dtype,) * 3)
            return y, h, c

        def step(projected: Array, recurrent: Array, states: tuple[Array, ...]) -> tuple[Array, ...]:
            i, f, g, o = _gates(self.add(projected, recurrent), 4)
            kept = self.multiply(self.sigmoid(f), states[1])
            cell = self.add(kept, self.multiply(self.sigmoid(i), self.tanh(g)))
            return self.multiply(self.sigmoid(o), self.tanh(cell)), cell

        y, (h, c) = self._steps(x, (h, c), w_ih, w_hh, b_ih, b_hh, reverse, step)
        return y, h, c

    def gru(
        self, x: Array, h: Array, w_ih: Array, w_hh: Array, b_ih: Array, b_hh: Array, reverse: bool = False
    ) -> tuple[Array, Array]:
        """Gated recurrent unit, gates in the order reset, update, new; the reset gate acts behind the product w_hh h.

        Returns y[T, N, H] and the last h.
        """
        arrays = x, h, w_ih, w_hh, b_ih, b_hh
        self._recurrent("gru", 3, (h,), *arrays)
        if self._fused("gru", arrays):
            y, h = self._calls("gru", arrays, (bool(reverse),), (x.dtype,) * 2)
            return y, h

        def step(projected: Array, recurrent: Array, states: tuple[Array, ...]) -> tuple[Array, ...]:
            (xr, xz, xn), (hr, hz, hn) = _gates(projected, 3), _gates(recurrent, 3)
            r, z = self.sigmoid(self.add(xr, hr)), self.sigmoid(self.add(xz, hz))
            n = self.tanh(self.add(xn, self.multiply(r, hn)))
            return (self.add(n, self.multiply(z, self.subtract(states[0], n))),)

        y, (h,) = self._steps(x, (h,), w_ih, w_hh, b_ih, b_hh, reverse, step)
        return y, h

    def rnn(
        self,
        x: Array,
        h: Array,
        w_ih: Array,
        w_hh: Array,
        b_ih: Array,
        b_hh: Array,
        reverse: bool = False,
        activation: str = "tanh",
    ) -> tuple[Array, Array]:
        """Elman's network with "tanh" or "relu". Returns y[T, N, H] and the last h."""
        arrays = x, h, w_ih, w_hh, b_ih, b_hh
        self._recurrent("rnn", 1, (h,), *arrays)
        if activation not in ("tanh", "relu"):
            raise DialectError(f"rnn(): activation {activation!r} is neither tanh nor relu.")
        if self._fused("rnn", arrays):
            y, h = self._calls("rnn", arrays, (bool(reverse), activation), (x.dtype,) * 2)
            return y, h
        act = self.tanh if activation == "tanh" else self.relu

        def step(projected: Array, recurrent: Array, states: tuple[Array, ...]) -> tuple[Array, ...]:
            return (act(self.add(projected, recurrent)),)

        y, (h,) = self._steps(x, (h,), w_ih, w_hh, b_ih, b_hh, reverse, step)
        return y, h

    def _fused(self, name: str, arrays: Iterable[Array]) -> bool:
        return self._has(name) and not all(a.known for a in arrays)

    def _recurrent(self, name: str, gates: int, states: tuple[Array, ...], *arrays: Array) -> None:
        for array in arrays:
            self._check(name, array, FLOATS)
        self._same_dtype(name, *arrays)
        x, w_ih, w_hh, b_ih, b_hh = arrays[0], *arrays[-4:]
        size = states[0].shape[-1]
        wanted = [(w_ih, (gates * size, *x.shape[2:])), (w_hh, (gates * size, size))]
        wanted += [(b, (gates * size,)) for b in (b_ih, b_hh)] + [(s, (*x.shape[1:2], size)) for s in states]
        if x.ndim != 3 or 0 in x.shape or any(array.shape != shape for array, shape in wanted):
            raise DialectError(f"{name}(): {', '.join(map(repr, arrays))} do not fit each other.")

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
        """The step's products and biases, and `step` for each."""
        projected = self.linear(x, w_ih, b_ih)  # of all steps at once
        outputs = []
        for t in reversed(range(x.shape[0])) if reverse else range(x.shape[0]):
            states = step(projected[t], self.linear(states[0], w_hh, b_hh), states)
            outputs.append(states[0])
        return self.stack(outputs[::-1] if reverse else outputs, 0), states
