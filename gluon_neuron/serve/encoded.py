"""What the bytes of a picture say that MXNet's decoder ignores: whether they are all there, and how to turn it."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_JPEG, _PNG = b"\xff\xd8", b"\x89PNG\r\n\x1a\n"
_END, _APP1 = 0xD9, 0xE1
_ALONE = {0x01, *range(0xD0, 0xD8)}
"""Markers of JPEG that nothing follows: TEM and the restarts."""

_EXIF = b"Exif\0\0"
_ORIENTATION, _SHORT = 0x0112, 3


def is_complete(body: bytes) -> bool:
    """Whether a JPEG or PNG goes on to its end; of other formats this is not known, and True."""
    if body.startswith(_JPEG):
        return any(marker == _END for marker, _, _ in _segments(body))
    if body.startswith(_PNG):
        return any(kind == b"IEND" for kind in _chunks(body))
    return True


def orientation(body: bytes) -> int:
    """The orientation of Exif in a JPEG, 1 to 8; 1, upright, where there is none that can be read."""
    if not body.startswith(_JPEG):
        return 1
    for marker, start, end in _segments(body):
        if marker == _APP1 and body[start:end].startswith(_EXIF):
            found = _of_tiff(body[start + len(_EXIF) : end])
            return found if 1 <= found <= 8 else 1
    return 1


def _segments(body: bytes) -> Iterator[tuple[int, int, int]]:
    """Each segment of a JPEG: its marker, and where its contents begin and end; none that is cut off."""
    at = len(_JPEG)
    while (at := body.find(b"\xff", at)) >= 0 and at + 1 < len(body):
        marker = body[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        at += 2
        if marker == 0 or marker in _ALONE:  # inside a scan: a byte of data, or a restart
            continue
        if marker == _END:
            yield marker, at, at
            return
        if at + 2 > len(body):
            return
        end = at + int.from_bytes(body[at : at + 2], "big")
        if end > len(body):
            return
        yield marker, at + 2, end
        at = max(end, at + 2)


def _chunks(body: bytes) -> Iterator[bytes]:
    """The name of each chunk of a PNG that is there as a whole."""
    at = len(_PNG)
    while at + 12 <= len(body):
        size = int.from_bytes(body[at : at + 4], "big")
        if at + 12 + size > len(body):
            return
        yield body[at + 4 : at + 8]
        at += 12 + size


def _of_tiff(exif: bytes) -> int:
    """The orientation in the first directory of Exif's TIFF; 0 where it is not there."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 0
    try:
        (at,) = struct.unpack_from(f"{order}4xI", exif)
        (count,) = struct.unpack_from(f"{order}H", exif, at)
        for number in range(count):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, at + 2 + 12 * number)
            if (tag, kind) == (_ORIENTATION, _SHORT):
                return int(value)
    except struct.error:  # damaged, or cut off
        return 0
    return 0
