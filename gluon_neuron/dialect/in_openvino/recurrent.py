"""Recurrent layers in OpenVINO: its own sequence operators, whose gates stand in another order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def _gates(op: Any, w: Any, order: Sequence[int], count: int) -> Any:
    """The rows of `w` with its gates in another order, and one direction in front; folded when OpenVINO compiles."""
    parts = op.split(w, op.const(0), count).outputs()
    return _direction(op, op.concat([parts[k] for k in order], 0))


def _direction(op: Any, x: Any, axis: int = 0) -> Any:
    return op.unsqueeze(x, op.const([axis]))


def _sequence(
    op: Any, make: Any, x: Any, states: Sequence[Any], weights: Sequence[Any], reverse: bool, **more: Any
) -> Any:
    steps, batch, _ = x.get_shape()
    made = make(
        op.transpose(x, op.const([1, 0, 2])),
        *[_direction(op, s, 1) for s in states],
        op.const([steps] * batch),
        *weights,
        states[0].get_shape()[1],
        "reverse" if reverse else "forward",
        **more,
    )
    y, *last = made.outputs()
    # y is [N, directions, T, H].
    y = op.transpose(op.squeeze(y, op.const([1])), op.const([1, 0, 2]))
    return y, *[op.squeeze(s, op.const([1])) for s in last]


def lstm(op: Any, x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, reverse: bool) -> Any:
    """Gates forget, input, cell, output; one bias."""
    order = (1, 0, 2, 3)
    weights = [_gates(op, w, order, 4) for w in (w_ih, w_hh, op.add(b_ih, b_hh))]
    return _sequence(op, op.lstm_sequence, x, (h, c), weights, reverse)


def gru(op: Any, x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, reverse: bool) -> Any:
    """Gates update, reset, new; biases of the new gate apart, for the reset acts on one of them only."""
    weights = [_gates(op, w, (1, 0, 2), 3) for w in (w_ih, w_hh)]
    (xr, xz, xn), (hr, hz, hn) = (op.split(b, op.const(0), 3).outputs() for b in (b_ih, b_hh))
    bias = op.concat([op.add(xz, hz).output(0), op.add(xr, hr).output(0), xn, hn], 0)
    return _sequence(op, op.gru_sequence, x, (h,), [*weights, _direction(op, bias)], reverse, linear_before_reset=True)


def rnn(op: Any, x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, reverse: bool, activation: str) -> Any:
    """One gate and one bias."""
    weights = [_direction(op, w) for w in (w_ih, w_hh, op.add(b_ih, b_hh))]
    return _sequence(op, op.rnn_sequence, x, (h,), weights, reverse, activations=[activation])


KERNELS: Mapping[str, Callable[..., Any]] = {"lstm": lstm, "gru": gru, "rnn": rnn}
