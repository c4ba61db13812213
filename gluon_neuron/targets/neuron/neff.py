"""The published header of a NEFF, the file that Neuron compilers write: as much of it as we need to know."""

from __future__ import annotations

import struct
from dataclasses import dataclass

HEADER_SIZE = 1024
_HEADER = struct.Struct("<5Q128sI304xI64B")


@dataclass(frozen=True)
class NeffHeader:
    """How many NeuronCores the program takes, and the size of the data behind the header."""

    cores: int
    data_size: int


def read_header(data: bytes) -> NeffHeader:
    """The header of a file's bytes; raises ValueError, saying what is wrong, when they are not a whole NEFF."""
    if len(data) < HEADER_SIZE:
        raise ValueError(f"it has {len(data)} bytes, less than a NEFF's header of {HEADER_SIZE}")
    _, header_size, data_size, _, _, _, num_tpb, requested, *_ = _HEADER.unpack_from(data)
    if header_size != HEADER_SIZE:
        raise ValueError(f"it names a header of {header_size} bytes, and a NEFF's has {HEADER_SIZE}")
    if data_size > len(data) - HEADER_SIZE:
        raise ValueError(f"its header promises {data_size} bytes of data, and {len(data) - HEADER_SIZE} are there")
    return NeffHeader(max(1, requested, num_tpb), data_size)
