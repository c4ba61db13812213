"""The value of a scalar constant."""

from __future__ import annotations

import struct

from .fields import InInstruction, InLiteral
from .module import Instruction
from .wire import Message, floats

_WHOLE = {"pred": InLiteral.PRED, "u32": InLiteral.U32, "u64": InLiteral.U64}
_SIGNED = {"s32": InLiteral.S32, "s64": InLiteral.S64}
# Those that are kept as bytes: the field, and how struct reads them.
_BYTES = {
    "s8": (InLiteral.S8, "<b"),
    "u8": (InLiteral.U8, "<B"),
    "s16": (InLiteral.S16, "<h"),
    "u16": (InLiteral.U16, "<H"),
    "f16": (InLiteral.F16, "<e"),
}


def scalar(constant: Instruction) -> int | float | None:
    """The value of a constant without dimensions; None for another instruction, or a type that is not known here."""
    literal = constant.message.message(InInstruction.LITERAL) if constant.opcode == "constant" else None
    if literal is None or constant.shape.dims:
        return None
    values = _values(literal, constant.shape.type)
    return values[0] if values is not None and len(values) == 1 else None


def _values(literal: Message, type: str) -> list[int] | tuple[int, ...] | tuple[float, ...] | None:
    if type in _WHOLE:
        return literal.wholes(_WHOLE[type])
    if type in _SIGNED:
        return literal.integers(_SIGNED[type])
    if type in ("f32", "f64"):
        return floats(literal, InLiteral.F32 if type == "f32" else InLiteral.F64, double=type == "f64")
    if type == "bf16":
        data = literal.data(InLiteral.BF16)
        # The upper half of a float32.
        return struct.unpack("<f", b"\0\0" + bytes(data)) if len(data) == 2 else None
    if type in _BYTES:
        number, form = _BYTES[type]
        data = literal.data(number)
        return struct.unpack(form, data) if len(data) == struct.calcsize(form) else None
    return None
