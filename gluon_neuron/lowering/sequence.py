"""Operators over padded sequences of different lengths: mask, last step, reversal."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph.graph import Node
from .common import first_of
from .extents import nonempty
from .registry import NUMBERS, rule


def _lengths(xp: Any, n: Node, length: Any, lo: int, batch_first: bool, ndim: int) -> Any:
    """Sequence lengths as int32 within lo..steps (MXNet reads outside its memory beyond them), for broadcasting."""
    shape = n.in_spec(0).shape
    steps, batch = (shape[1], shape[0]) if batch_first else (shape[0], shape[1])
    length = xp.clip(xp.astype(length, xp.int32), lo, steps)
    front = (batch, 1) if batch_first else (1, batch)
    return xp.reshape(length, front + (1,) * (ndim - 2))


def _steps(xp: Any, axis: int, steps: int, ndim: int) -> Any:
    shape = [1] * ndim
    shape[axis] = steps
    return xp.reshape(xp.arange(0, steps, 1, xp.int32), tuple(shape))


def _sequence(n: Node) -> str | None:
    """Refuse a sequence axis that is not the first or second."""
    shape, axis = n.in_spec(0).shape, n.attrs.integer("axis", 0)
    if axis not in (0, 1) or len(shape) < 2:
        return f"sequence axis {axis} of data of shape {shape} is not the first or second of at least two axes"
    return None


@rule("SequenceMask", "_npx_sequence_mask", dtypes=NUMBERS, refuse=first_of(nonempty, _sequence))
def sequence_mask(xp: Any, n: Node, x: Any, length: Any = None) -> Any:
    """Replace the steps past each sequence's length by `value`."""
    if not n.attrs.flag("use_sequence_length") or length is None:
        return x
    axis = n.attrs.integer("axis", 0)
    inside = _steps(xp, axis, x.shape[axis], x.ndim) < _lengths(xp, n, length, 0, axis == 1, x.ndim)
    return xp.where(inside, x, xp.constant(np.asarray(n.attrs.single("value", 0.0)), x.dtype))


@rule("SequenceLast", dtypes=NUMBERS, refuse=first_of(nonempty, _sequence))
def sequence_last(xp: Any, n: Node, x: Any, length: Any = None) -> Any:
    """The last step of each sequence."""
    axis = n.attrs.integer("axis", 0)
    if not n.attrs.flag("use_sequence_length") or length is None:
        return x[-1] if axis == 0 else x[:, -1]
    last = _lengths(xp, n, length, 1, axis == 1, x.ndim) - 1
    shape = list(x.shape)
    shape[axis] = 1
    return xp.squeeze(xp.take_along_axis(x, xp.broadcast_to(last, tuple(shape)), axis), axis)


@rule("SequenceReverse", dtypes=NUMBERS, refuse=first_of(nonempty, _sequence))
def sequence_reverse(xp: Any, n: Node, x: Any, length: Any = None) -> Any:
    """Reverse the first steps of each sequence, as many as its length says, and leave the rest."""
    if not n.attrs.flag("use_sequence_length") or length is None:
        return xp.flip(x, (0,))
    count, step = _lengths(xp, n, length, 0, False, x.ndim), _steps(xp, 0, x.shape[0], x.ndim)
    source = xp.where(step < count, count - 1 - step, step)
    return xp.take_along_axis(x, xp.broadcast_to(source, x.shape), 0)
