"""The artifact's container: magic, version, JSON header, payloads; written and read without executing anything.

Layout, little endian: 8 bytes magic "GLUONNRN"; uint32 format version; uint32 CRC-32 of the
header, zero for none; uint64 header length; the header,
UTF-8 JSON; zeros up to a multiple of 64 bytes; the data area. The header's `payloads` name their offset in the data
area, size and SHA-256. The native operator reads the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ArtifactCorruptError, ArtifactVersionError

MAGIC = b"GLUONNRN"
VERSION = 1
ALIGNMENT = 64
MAX_HEADER = 64 * 1024 * 1024
_PREFIX = struct.Struct("<8sIIQ")


@dataclass(frozen=True)
class Payload:
    """One program: the target it is for, the engine that runs it, its I/O signature, and its bytes.

    `program` tells the engine how the bytes are to be read.
    """

    target: str
    engine: str
    engine_version: str
    signature: Mapping[str, Any]
    program: Mapping[str, Any]
    data: bytes

    def header(self, offset: int) -> dict[str, Any]:
        """The payload's entry in the container's header."""
        return {
            "target": self.target,
            "engine": self.engine,
            "engine_version": self.engine_version,
            "offset": offset,
            "size": len(self.data),
            "sha256": hashlib.sha256(self.data).hexdigest(),
            "signature": self.signature,
            "program": self.program,
        }


@dataclass(frozen=True)
class Artifact:
    """What a container holds: `header` as read or to be written (without the payloads), and the payloads."""

    graph: str
    options: Mapping[str, Any]
    payloads: tuple[Payload, ...]
    gluon_neuron: str
    """The version of gluon_neuron that wrote it."""


def pack(artifact: Artifact) -> bytes:
    """The container's bytes."""
    entries, blobs, offset = [], [], 0
    for payload in artifact.payloads:
        entries.append(payload.header(offset))
        padded = payload.data + bytes(-len(payload.data) % ALIGNMENT)
        blobs.append(padded)
        offset += len(padded)
    header = {
        "format": VERSION,
        "gluon_neuron": artifact.gluon_neuron,
        "graph": artifact.graph,
        "data_size": offset,
        "options": artifact.options,
        "payloads": entries,
    }
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    prefix = _PREFIX.pack(MAGIC, VERSION, zlib.crc32(text), len(text))
    return b"".join((prefix, text, bytes(-(len(prefix) + len(text)) % ALIGNMENT), *blobs))


def unpack(data: bytes | memoryview, where: str = "The artifact") -> Artifact:
    """Read a container and check every payload's SHA-256.

    Raises ArtifactVersionError when it is newer than this version reads, ArtifactCorruptError when it is damaged.
    """
    header, entries = _checked(memoryview(data), where)
    names = ("target", "engine", "engine_version", "signature", "program")
    try:
        payloads = tuple(Payload(**{n: entry[n] for n in names}, data=bytes(blob)) for entry, blob in entries)
        return Artifact(header["graph"], header["options"], payloads, header["gluon_neuron"])
    except (KeyError, TypeError) as error:
        raise _lacks(where, error) from error


def check(data: bytes | memoryview, where: str = "The artifact") -> None:
    """Check a container and every payload's SHA-256 without copying anything; raises as `unpack`."""
    _checked(memoryview(data), where)


def _checked(view: memoryview, where: str) -> tuple[Mapping[str, Any], list[tuple[Mapping[str, Any], memoryview]]]:
    """The header, and each payload's entry in it with its bytes."""
    header, start = _read_header(view, where)
    entries = []
    try:
        if start + header["data_size"] != len(view):
            raise ArtifactCorruptError(
                f"{where} has {len(view)} bytes, but its header promises {start + header['data_size']}: it is "
                "truncated or has grown. Compile the model again."
            )
        for entry in header["payloads"]:
            offset, size = entry["offset"], entry["size"]
            if not 0 <= offset <= offset + size <= header["data_size"]:
                raise ArtifactCorruptError(f"{where} names a payload outside its own bytes. Compile the model again.")
            blob = view[start + offset : start + offset + size]
            if hashlib.sha256(blob).hexdigest() != entry["sha256"]:
                raise ArtifactCorruptError(
                    f"{where} is damaged: the SHA-256 of its {entry['target']} program does not match. "
                    "Compile the model again."
                )
            entries.append((entry, blob))
    except (KeyError, TypeError) as error:
        raise _lacks(where, error) from error
    return header, entries


def _lacks(where: str, error: Exception) -> ArtifactCorruptError:
    return ArtifactCorruptError(f"{where} has a header that lacks or misuses {error}. Compile the model again.")


def read_owner(data: bytes | memoryview) -> tuple[str, list[str]]:
    """The hash of the graph that a container is for, and the names of that graph's inputs. Raises as `unpack`."""
    header, _ = _read_header(memoryview(data), "The artifact")
    try:
        payloads = header["payloads"]
        return str(header["graph"]), [i["name"] for p in payloads[:1] for i in p["signature"]["inputs"]]
    except (KeyError, TypeError) as error:
        raise _lacks("The artifact", error) from error


def read_graph(read: Callable[[int, int], bytes], where: str = "The artifact") -> str:
    """The hash of the graph that a container is for; `read(begin, end)` gives some of its bytes, and is asked for no
    payload. Raises as `unpack`."""
    prefix = read(0, _PREFIX.size)
    length = _PREFIX.unpack(prefix)[3] if len(prefix) == _PREFIX.size else 0
    header, _ = _read_header(memoryview(read(0, _PREFIX.size + min(length, MAX_HEADER))), where)
    return str(header.get("graph"))


def _read_header(view: memoryview, where: str) -> tuple[Mapping[str, Any], int]:
    if len(view) < _PREFIX.size:
        raise ArtifactCorruptError(f"{where} has only {len(view)} bytes: it is truncated. Compile the model again.")
    magic, version, crc, length = _PREFIX.unpack_from(view)
    if magic != MAGIC and not any(view):
        raise ArtifactCorruptError(
            f"{where} is all zeros: the parameters were not set, as allow_missing=True lets them be. Load them from "
            "the files that were exported with the model, or compile the model again."
        )
    if magic != MAGIC:
        raise ArtifactCorruptError(
            f"{where} does not begin with {MAGIC.decode()}: it is not an artifact of gluon_neuron."
        )
    if version > VERSION:
        raise ArtifactVersionError(
            f"{where} was written in format version {version}; this gluon_neuron reads up to {VERSION}. "
            "Upgrade gluon_neuron, or compile the model again."
        )
    if version < 1 or length > min(MAX_HEADER, len(view) - _PREFIX.size):
        raise ArtifactCorruptError(f"{where} has a damaged or truncated header. Compile the model again.")
    end = _PREFIX.size + length
    if crc and crc != zlib.crc32(view[_PREFIX.size : end]):
        raise ArtifactCorruptError(f"{where} has a header whose checksum does not match. Compile the model again.")
    try:
        header = json.loads(bytes(view[_PREFIX.size : end]).decode(), object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        raise ArtifactCorruptError(
            f"{where} has a header that is not valid JSON: {error}. Compile the model again."
        ) from error
    if not isinstance(header, dict):
        raise ArtifactCorruptError(f"{where} has a header that is not a JSON object. Compile the model again.")
    return header, end + -end % ALIGNMENT


def _no_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key appears twice")
    return found
