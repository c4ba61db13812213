"""The fused recurrent operator (rnn_relu, rnn_tanh, lstm, gru) and the concatenation of its parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..graph.graph import Node
from .common import first_of
from .extents import nonempty
from .registry import rule

_GATES = {"rnn_relu": 1, "rnn_tanh": 1, "lstm": 4, "gru": 3}


@dataclass(frozen=True)
class _Weights:
    """Of one layer in one direction."""

    w_ih: Any
    w_hh: Any
    b_ih: Any
    b_hh: Any


def _unpack(xp: Any, n: Node, flat: Any, inputs: int) -> Iterator[_Weights]:
    """Layer by layer, direction by direction: all matrices stand before all biases."""
    size, layers = n.attrs.integer("state_size"), n.attrs.integer("num_layers")
    directions, rows = _directions(n), _GATES[n.attrs.text("mode")] * size
    place = 0

    def take(*shape: int) -> Any:
        nonlocal place
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        place += count
        return xp.reshape(flat[place - count : place], shape)

    matrices = []
    for layer in range(layers):
        width = inputs if layer == 0 else directions * size
        matrices += [(take(rows, width), take(rows, size)) for _ in range(directions)]
    for w_ih, w_hh in matrices:
        yield _Weights(w_ih, w_hh, take(rows), take(rows))


def _directions(n: Node) -> int:
    return 2 if n.attrs.flag("bidirectional") else 1


def _plain(n: Node) -> str | None:
    """Refuse projections, clipped states and sequence lengths, which MXNet has on GPUs only."""
    if n.attrs.text("mode") not in _GATES:
        return f"mode={n.attrs.text('mode')!r} is not one of {', '.join(_GATES)}"
    for key in ("projection_size", "lstm_state_clip_min", "lstm_state_clip_max"):
        if n.attrs.text(key, "None") != "None":
            return f"{key}={n.attrs[key]} is not supported; MXNet has it on GPUs only"
    if n.attrs.flag("use_sequence_length"):
        return "use_sequence_length is not supported; MXNet has it on GPUs only"
    return None


@rule(
    "RNN",
    "_npx_rnn",
    refuse=first_of(_plain, nonempty),
    notes="dropout between layers is inactive at inference",
    heavy=True,
)
def rnn(xp: Any, n: Node, x: Any, flat: Any, state: Any, cell: Any = None) -> Any:
    """All layers and directions over data [T, N, C]; the states are [layers * directions, N, H]."""
    mode, directions = n.attrs.text("mode"), _directions(n)
    last_h, last_c = [], []
    outputs: list[Any] = []
    for k, w in enumerate(_unpack(xp, n, flat, x.shape[2])):
        arrays = (w.w_ih, w.w_hh, w.b_ih, w.b_hh)
        reverse = k % directions == 1
        if mode == "lstm":
            y, h, c = xp.lstm(x, state[k], cell[k], *arrays, reverse)
            last_c.append(c)
        elif mode == "gru":
            y, h = xp.gru(x, state[k], *arrays, reverse)
        else:
            y, h = xp.rnn(x, state[k], *arrays, reverse, mode.removeprefix("rnn_"))
        last_h.append(h)
        outputs.append(y)
        if len(outputs) == directions:
            x = outputs[0] if directions == 1 else xp.concat(outputs, 2)
            outputs = []
    if not n.attrs.flag("state_outputs"):
        return x
    states = (xp.stack(last_h, 0), xp.stack(last_c, 0)) if mode == "lstm" else (xp.stack(last_h, 0),)
    return x, *states


@rule("_rnn_param_concat", "_npi_rnn_param_concat", refuse=nonempty)
def rnn_param_concat(xp: Any, n: Node, *arrays: Any) -> Any:
    """The parameters of all layers, one behind the other."""
    return xp.concat(list(arrays), n.attrs.integer("dim", 1) % arrays[0].ndim)
