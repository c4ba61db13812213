"""Reads which arrays are in a `.params` file, and some of them, without MXNet and without trusting the file.

The layout is that of MXNet 1.x's NDArray::Save, little endian: uint64 0x112, eight bytes that MXNet does not read,
uint64 number of arrays, the arrays, uint64 number of names, and each name's uint64 length and bytes. An array is a
uint32 that names its form, int32 storage type, int32 number of axes, int64 extents, int32 device and its number, int32
type, and its elements.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO

from ..errors import InputError

_KIND = 0x112
_OF_ND, _OF_NP = 0xF993FAC9, 0xF993FACA
_DENSE = 0
_DTYPES = ("float32", "float64", "float16", "uint8", "int32", "int8", "int64", "bool", "int16")
_SIZES = dict(zip(_DTYPES, (4, 8, 2, 1, 4, 1, 8, 1, 2), strict=True)) | {"bfloat16": 2}
_BFLOAT16 = 12
_MOST_AXES = 32
_LONGEST_NAME = 1 << 16


@dataclass(frozen=True)
class StoredArray:
    """One array of a file: its name as it stands there ("arg:…", "aux:…"), its shape and dtype, and where it is."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    offset: int
    size: int


def stored_arrays(path: str | os.PathLike[str]) -> list[StoredArray]:
    """The arrays of a file, in its order; no elements are read.

    Raises InputError for a file that is not MXNet's, is damaged, or has sparse arrays, and OSError.
    """
    with Path(path).open("rb") as file:
        reader = _Reader(file, os.fspath(path))
        try:
            return reader.arrays()
        except struct.error:
            raise reader.damaged("it ends too soon") from None


def read_stored(path: str | os.PathLike[str], array: StoredArray) -> bytes:
    """The bytes of an array's elements. Raises InputError where the file has become shorter, and OSError."""
    with Path(path).open("rb") as file:
        file.seek(array.offset)
        data = file.read(array.size)
    if len(data) != array.size:
        raise InputError(f"{os.fspath(path)} was changed while it was read. Read it again.")
    return data


class _Reader:
    def __init__(self, file: BinaryIO, where: str) -> None:
        self._file = file
        self._where = where
        self._end = os.fstat(file.fileno()).st_size

    def arrays(self) -> list[StoredArray]:
        if self._end < 24 or self._take("<QQ")[0] != _KIND:
            raise InputError(f"{self._where} is not a file of MXNet's arrays. Name the `.params` file of an export.")
        found = [self._array() for _ in range(self._count("arrays", 4))]
        names = [self._name() for _ in range(self._count("names", 8))]
        if names and len(names) != len(found):
            raise self.damaged(f"it has {len(found)} arrays and {len(names)} names")
        return [StoredArray(n, *a) for n, a in zip(names or [""] * len(found), found, strict=True)]

    def damaged(self, why: str) -> InputError:
        return InputError(f"{self._where} is damaged: {why}. Export the model again, or take an undamaged copy.")

    def _array(self) -> tuple[tuple[int, ...], str, int, int]:
        form = self._take("<I")[0]
        if form not in (_OF_ND, _OF_NP):
            raise self.damaged(f"an array begins with {form:#x}, which MXNet 1.9 does not write")
        if self._take("<i")[0] != _DENSE:
            raise InputError(f"{self._where} has sparse arrays, which are not read here. Save them as dense ones.")
        axes = self._take("<i")[0]
        if axes == (-1 if form == _OF_NP else 0):
            return (), "float32", self._file.tell(), 0  # no array: nothing follows
        if not 0 <= axes <= _MOST_AXES:
            raise self.damaged(f"an array has {axes} axes")
        shape = self._take(f"<{axes}q")
        _, _, number = self._take("<iii")
        dtype = "bfloat16" if number == _BFLOAT16 else _DTYPES[number] if 0 <= number < len(_DTYPES) else ""
        if not dtype or min(shape, default=0) < 0:
            raise self.damaged(f"an array has the shape {shape} and the type {number}")
        size, offset = prod(shape) * _SIZES[dtype], self._file.tell()
        if size > self._end - offset:
            raise self.damaged(f"an array of {size} bytes does not fit into it")
        self._file.seek(offset + size)
        return shape, dtype, offset, size

    def _name(self) -> str:
        length = self._take("<Q")[0]
        if length > min(_LONGEST_NAME, self._end - self._file.tell()):
            raise self.damaged(f"a name has {length} bytes")
        return self._file.read(length).decode("utf-8", "backslashreplace")

    def _count(self, what: str, least: int) -> int:
        count: int = self._take("<Q")[0]
        if count > (self._end - self._file.tell()) // least:
            raise self.damaged(f"it cannot hold {count} {what}")
        return count

    def _take(self, form: str) -> tuple[int, ...]:
        return struct.unpack(form, self._file.read(struct.calcsize(form)))
