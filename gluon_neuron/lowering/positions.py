"""Positions of any dtype as int32 within an axis: clipped or wrapped as MXNet does, however large they are.

MXNet takes positions as integers of 64 or 32 bits: what these cannot hold becomes the lowest of them where it is a
float, and loses its upper bits where it is an integer. Some engines compute with int32 as with float32, which is exact
to 2**24; nothing here asks more of them.
"""

from __future__ import annotations

from typing import Any

from ..graph.graph import Node
from .registry import FLOATS

_EXACT = 24
"""Bits of an integer that float32 holds."""


def clipped(xp: Any, index: Any, size: int, bits: int = 64) -> Any:
    """Positions as int32 (fractions cut off), clipped into 0..size-1."""
    return xp.minimum(xp.maximum(limited(xp, index, size, bits), 0), size - 1)


def limited(xp: Any, index: Any, size: int, bits: int = 64) -> Any:
    """Positions as int32: those within 0..size-1 as they are, others anywhere outside it, on their side."""
    if index.dtype in FLOATS:
        return xp.astype(xp.clip(_held(xp, index, bits), -1.0, float(size)), xp.int32)
    if index.dtype == xp.int64 and bits == 64:
        return xp.narrow(index, -1, size)
    return xp.astype(index, xp.int32)


def wrapped(xp: Any, index: Any, size: int, bits: int = 64) -> Any:
    """Positions of int32 or a float as int32 (fractions cut off), wrapped around into 0..size-1."""
    if index.dtype in FLOATS:
        rest = xp.trunc(_held(xp, index, bits))
        digits = []
        for _ in range((bits - 1) // _EXACT):
            above = xp.floor(rest * 2.0**-_EXACT)
            digits.append(xp.astype(rest - above * 2.0**_EXACT, xp.int32))
            rest = above
        top = xp.astype(rest, xp.int32)
    else:
        index = xp.astype(index, xp.int32)
        digits = [xp.bitwise_and(index, 2**_EXACT - 1)]
        # Through floats: an engine may find that the least of the integers has no negative.
        top = xp.astype(xp.astype(index - digits[0], "float32") * 2.0**-_EXACT, xp.int32)
    found = xp.remainder(top, size)
    for digit in reversed(digits):
        left, step = _EXACT, _EXACT - size.bit_length()
        while left:
            taken = min(step, left)
            left -= taken
            part = xp.trunc_divide(digit, 2**left)
            digit = digit - part * 2**left
            found = xp.remainder(found * 2**taken + part, size)
    return found


def _held(xp: Any, index: Any, bits: int) -> Any:
    """Floats as they are where MXNet's integers hold them, else the lowest of these."""
    limit = 2.0 ** (bits - 1)
    if index.dtype == "float16":
        index = xp.astype(index, "float32")
    return xp.where(xp.logical_and(index < limit, index >= -limit), index, -limit)


def wraps_within(axis_of_positions: int) -> Any:
    """A refusal of mode="wrap" for what `wrapped` does not serve."""

    def refuse(n: Node) -> str | None:
        if n.attrs.text("mode", "clip") != "wrap":
            return None
        kind = n.in_spec(axis_of_positions).dtype
        if kind in ("int64", "float64"):
            return f"mode 'wrap' is not compiled for positions of {kind}; cast them to int32"
        longest = max(n.in_spec(0).shape)
        return f"mode 'wrap' is not compiled for axes as long as {longest}" if longest >= 2 ** (_EXACT - 1) else None

    refuse.__doc__ = 'Refuse mode="wrap" for positions of 64 bits, and for very long axes.'
    return refuse
