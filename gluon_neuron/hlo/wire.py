"""Protocol buffers' wire format: a message as the fields that lie in its bytes, each kept, known or not.

Nothing is copied on the way in: a field is a slice of the buffer that was given. On the way out a message is a list of
pieces, and an unchanged field is the slice it came from, so that weights of 100 MB are copied once, by the last join.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence

from ..errors import HloError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_KINDS = {VARINT: "a varint", FIXED64: "8 bytes", BYTES: "bytes", FIXED32: "4 bytes"}

Piece = bytes | memoryview


class Message:
    """A message's fields: read by number, with the type that the caller knows them to have.

    A field that is absent has protobuf's default; of several the last counts, and messages merge. Raises HloError where
    the bytes are not a message, or a field is not of the type asked for.
    """

    __slots__ = ("buffer", "fields")

    def __init__(self, data: bytes | memoryview) -> None:
        self.buffer = memoryview(data)
        self.fields = _split(self.buffer)

    def whole(self, number: int) -> int:
        """An integer as it is written: unsigned, of up to 64 bits."""
        found = self._last(number, VARINT)
        return found if isinstance(found, int) else 0

    def integer(self, number: int) -> int:
        """An int32 or int64."""
        return signed(self.whole(number))

    def integers(self, number: int) -> tuple[int, ...]:
        """Repeated int32, int64, bool or enum, packed or not."""
        return tuple(signed(v) for v in self.wholes(number))

    def wholes(self, number: int) -> list[int]:
        """Repeated unsigned integers, packed or not."""
        found: list[int] = []
        for n, kind, value, _, _ in self.fields:
            if n != number:
                continue
            if isinstance(value, int) and kind == VARINT:
                found.append(value)
            elif isinstance(value, memoryview) and kind == BYTES:
                at = 0
                while at < len(value):
                    v, at = _varint(value, at)
                    found.append(v)
            else:
                raise _mistyped(number, kind, VARINT)
        return found

    def data(self, number: int) -> memoryview:
        """Bytes, as a slice of the buffer."""
        found = self._last(number, BYTES)
        return found if isinstance(found, memoryview) else memoryview(b"")

    def text(self, number: int) -> str:
        """A string."""
        return _text(self.data(number), number)

    def texts(self, number: int) -> list[str]:
        """Repeated strings."""
        return [_text(v, number) for v in self.slices(number)]

    def message(self, number: int) -> Message | None:
        """A message, or None where it is absent."""
        found = self.slices(number)
        if not found:
            return None
        return Message(found[0] if len(found) == 1 else b"".join(found))

    def messages(self, number: int) -> list[Message]:
        """Repeated messages."""
        return [Message(v) for v in self.slices(number)]

    def numbers(self) -> frozenset[int]:
        """The numbers of the fields that are there."""
        return frozenset(f[0] for f in self.fields)

    def slices(self, number: int) -> list[memoryview]:
        """Repeated bytes, strings or messages, as slices of the buffer."""
        found = []
        for n, kind, value, _, _ in self.fields:
            if n == number:
                if not isinstance(value, memoryview) or kind != BYTES:
                    raise _mistyped(number, kind, BYTES)
                found.append(value)
        return found

    def _last(self, number: int, wanted: int) -> int | memoryview | None:
        for n, kind, value, _, _ in reversed(self.fields):
            if n == number:
                if kind != wanted:
                    raise _mistyped(number, kind, wanted)
                return value
        return None


class Pieces:
    """The bytes of a message that is being written."""

    __slots__ = ("parts", "size")

    def __init__(self) -> None:
        self.parts: list[Piece] = []
        self.size = 0

    def whole(self, number: int, value: int) -> Pieces:
        """Add an integer; a negative one takes ten bytes, as protobuf has it."""
        return self._add(varint(number << 3 | VARINT) + varint(value & _MAX))

    def wholes(self, number: int, values: Iterable[int]) -> Pieces:
        """Add repeated integers, packed; nothing if there are none."""
        packed = b"".join(varint(v & _MAX) for v in values)
        return self.data(number, packed) if packed else self

    def data(self, number: int, value: Piece) -> Pieces:
        """Add bytes."""
        return self._add(varint(number << 3 | BYTES) + varint(len(value)))._add(value)

    def text(self, number: int, value: str) -> Pieces:
        """Add a string."""
        return self.data(number, value.encode())

    def message(self, number: int, value: Pieces) -> Pieces:
        """Add a message."""
        self._add(varint(number << 3 | BYTES) + varint(value.size))
        self.parts += value.parts
        self.size += value.size
        return self

    def raw(self, value: Piece) -> Pieces:
        """Add fields as they are."""
        return self._add(value)

    def join(self) -> bytes:
        """The message's bytes."""
        return b"".join(self.parts)

    def _add(self, piece: Piece) -> Pieces:
        self.parts.append(piece)
        self.size += len(piece)
        return self


def edited(message: Message, changes: Mapping[int, Pieces | Sequence[Pieces]]) -> Pieces:
    """`message` with some fields replaced, and everything else byte by byte as it was.

    `changes` gives a field's number and its new writing, number and all: pieces for the whole field, put where it first
    was or else at the end; or, for a repeated field, pieces for each of its occurrences. Empty pieces take it out.
    """
    out = Pieces()
    done: dict[int, int] = {}
    kept = 0
    for number, _, _, start, stop in message.fields:
        change = changes.get(number)
        if change is None:
            continue
        if kept < start:
            out.raw(message.buffer[kept:start])
        kept = stop
        count = done[number] = done.get(number, 0) + 1
        if not isinstance(change, Pieces):
            _append(out, change[count - 1])
        elif count == 1:
            _append(out, change)
    if kept < len(message.buffer):
        out.raw(message.buffer[kept:])
    for number, change in changes.items():
        if number not in done and isinstance(change, Pieces):
            _append(out, change)
    return out


def floats(message: Message, number: int, double: bool) -> tuple[float, ...]:
    """Repeated floats or doubles, packed or not."""
    form, wanted = ("d", FIXED64) if double else ("f", FIXED32)
    found: list[float] = []
    for n, kind, value, _, _ in message.fields:
        if n == number:
            if not isinstance(value, memoryview) or kind not in (BYTES, wanted) or len(value) % struct.calcsize(form):
                raise _mistyped(number, kind, wanted)
            found += struct.unpack(f"<{len(value) // struct.calcsize(form)}{form}", value)
    return tuple(found)


def signed(value: int) -> int:
    """A 64-bit integer from its two's complement."""
    return value - (1 << 64) if value >> 63 else value


def varint(value: int) -> bytes:
    """A varint's bytes."""
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _append(out: Pieces, more: Pieces) -> None:
    out.parts += more.parts
    out.size += more.size


_MAX = (1 << 64) - 1

Field = tuple[int, int, int | memoryview, int, int]


def _split(data: memoryview) -> list[Field]:
    """The fields: number, wire type, value, and where the whole field begins and ends."""
    fields: list[Field] = []
    at, end = 0, len(data)
    while at < end:
        start = at
        tag = data[at]
        if tag < 0x80:
            at += 1
        else:
            tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        value: int | memoryview
        if kind == VARINT:
            value, at = _varint(data, at)
        elif kind == BYTES:
            length, at = _varint(data, at)
            value = data[at : at + length]
            at += length
        elif kind in (FIXED64, FIXED32):
            length = 8 if kind == FIXED64 else 4
            value = data[at : at + length]
            at += length
        else:
            raise HloError(f"Field {number} has wire type {kind}; allowed are {', '.join(map(str, _KINDS))}.")
        if at > end:
            raise HloError(f"Field {number} is truncated: it takes {at - start} bytes, {end - start} are left.")
        if not 0 < number < 1 << 29:
            raise HloError(f"A field has the number {number}; allowed are 1 to 536870911.")
        fields.append((number, kind, value, start, at))
    return fields


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """The varint at `at`, and where it ends."""
    value = shift = 0
    try:
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
            if shift > 63:
                raise HloError("An integer takes more than ten bytes.")
    except IndexError:
        raise HloError("An integer is truncated.") from None
    return value & _MAX, at


def _text(value: memoryview, number: int) -> str:
    try:
        return str(value, "utf-8")
    except UnicodeDecodeError as error:
        raise HloError(f"Field {number} is not text: {error}.") from error


def _mistyped(number: int, kind: int, wanted: int) -> HloError:
    return HloError(f"Field {number} is written as {_KINDS[kind]}, not as {_KINDS[wanted]}.")
