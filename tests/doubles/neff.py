"""NEFF-shaped files: the published 1,024-byte header, then a tarball, whose top-level JSON says what the rest is."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import tarfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_HEADER = struct.Struct("<5Q128sI32s16s256sI64BQI")
HEADER_SIZE = 1024
PKG_VERSION = 2
INFO = "neff.json"


@dataclass(frozen=True)
class Neff:
    """What a file holds: `cores` it was compiled for, `info` (framework, target, and the inputs and outputs as
    {"name", "shape", "dtype"}), and its `files` by name."""

    cores: int
    info: Mapping[str, Any]
    files: Mapping[str, bytes]
    major: int = 2


def pack(neff: Neff, name: str = "file.neff") -> bytes:
    """The file's bytes."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz", compresslevel=1) as tar:
        for path, text in {INFO: json.dumps(neff.info).encode(), **neff.files}.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))
    body = data.getvalue()
    nodes = [neff.cores, *[0] * 63]
    header = _HEADER.pack(
        *(PKG_VERSION, HEADER_SIZE, len(body), neff.major, 0),
        b"double",
        neff.cores,
        hashlib.sha256(body).digest(),
        uuid.uuid4().bytes,
        name.encode()[:255],
        neff.cores,
        *nodes,
        0,
        1,
    )
    return header + bytes(HEADER_SIZE - len(header)) + body


def unpack(data: bytes) -> Neff:
    """Read the bytes; raises ValueError, saying what is wrong, for anything that is not such a file."""
    if len(data) < HEADER_SIZE:
        raise ValueError(f"{len(data)} bytes are not a NEFF: its header has {HEADER_SIZE}")
    package, header_size, size, major, _, _, cores, digest, *_ = _HEADER.unpack_from(data)
    body = data[HEADER_SIZE:]
    if package != PKG_VERSION or header_size != HEADER_SIZE:
        raise ValueError(f"package version {package} with a header of {header_size} bytes is unknown")
    if size != len(body):
        raise ValueError(f"the header promises {size} bytes of data, and there are {len(body)}")
    if hashlib.sha256(body).digest() != digest:
        raise ValueError("the data does not have the header's hash")
    files = {}
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        for entry in tar:
            content = tar.extractfile(entry)
            assert content is not None
            files[entry.name] = content.read()
    return Neff(cores, json.loads(files.pop(INFO)), files, major)
