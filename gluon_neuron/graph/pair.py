"""Which symbol a file of parameters was exported with: halves of different exports are no model.

MXNet's file of arrays begins with its kind and eight bytes that MXNet writes as zero and does not read. They hold the
beginning of the identity of the symbol's graph, which the symbol keeps with what else is known of it. Whatever rewrites
the parameters writes zeros: such a file, and one of an earlier release, fits every symbol.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import ArtifactMismatchError
from .identity import FORM
from .subgraph import METADATA

_KIND = struct.pack("<Q", 0x112)
_SIZE = 8


def stamp(params: Path, symbol_text: str) -> None:
    """Note in the file of parameters which symbol, given as its JSON, it is exported with."""
    identity = _of_symbol(symbol_text)
    if identity is None:
        return
    with params.open("r+b") as file:
        if file.read(_SIZE) == _KIND:
            file.seek(_SIZE)
            file.write(identity)


Name = str | os.PathLike[str]


@contextmanager
def one_export(symbol: Name, params: Name) -> Iterator[None]:
    """Inside, the files are loaded.

    Raises ArtifactMismatchError if they are known to be of exports of different models, or one is replaced meanwhile.
    """
    before = _seen(symbol), _seen(params)
    check_pair(symbol, params)
    try:
        yield
    except Exception as error:
        if before != (_seen(symbol), _seen(params)):
            raise _replaced(symbol, params) from error
        raise
    if before != (_seen(symbol), _seen(params)):
        raise _replaced(symbol, params)


def _seen(path: Name) -> tuple[int, ...] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _replaced(symbol: Name, params: Name) -> ArtifactMismatchError:
    return ArtifactMismatchError(f"{symbol} or {params} was replaced while it was read. Load the model again.")


def check_pair(symbol: Name, params: Name) -> None:
    """Raise ArtifactMismatchError if the files are known to be of exports of different models.

    Files that cannot be read are left to whoever loads them.
    """
    try:
        with open(params, "rb") as file:
            head = file.read(2 * _SIZE)
        wanted = head[_SIZE:]
        if head[:_SIZE] != _KIND or wanted in (b"", bytes(_SIZE)):
            return
        found = _of_symbol(Path(symbol).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    if found is not None and found != wanted:
        raise ArtifactMismatchError(
            f"{symbol} and {params} are of two exports of different models: the parameters were written with the "
            f"symbol {wanted.hex()}, and this is {found.hex()}. An export that was killed half-way, or two at the same "
            "time, leave such a pair. Export the model again."
        )


def _of_symbol(text: str) -> bytes | None:
    """What the symbol's own metadata begin with; None for one without, or of release 0.1.0."""
    if METADATA not in text:
        return None
    for node in json.loads(text)["nodes"]:
        kept = node.get("attrs", {}).get(METADATA)
        graph = str(json.loads(kept).get("graph", "")) if kept is not None else ""
        if graph.startswith(FORM):
            return bytes.fromhex(graph.removeprefix(FORM))[:_SIZE]
    return None
