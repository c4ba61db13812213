"""Puts files into their places as a whole: each is written beside its place, and takes it when all are complete.

What is not yet in place is locked by the process that writes it. The lock ends with the process, so that the next one
knows what nobody will finish.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_PREFIX = ".gluon_neuron-part-"
_OURS = re.compile(re.escape(_PREFIX) + r"[0-9a-f]{16}")

Write = Callable[[Path], object]


def put(files: Sequence[tuple[Path, Write]]) -> None:
    """Have each file written by its function, in a place of its own, and moved to the path given with it.

    Where one cannot be, all that was there before stays as it was, and OSError, or what the function raises, is raised.
    A link stays, and what it points to is replaced. What killed processes left in these folders is removed.
    """
    with ExitStack() as parts:
        made = []
        for path, write in files:
            place = _place(path)
            _sweep(place.parent)
            with _said_of(path):
                part = _create(place.parent, parts)
                write(part)
                part.chmod(place.stat().st_mode & 0o777 if place.exists() else 0o666 & ~umask())
                _sync(part)
            made.append((part, place))
        _move(made, parts)


@contextmanager
def _said_of(path: Path) -> Iterator[None]:
    """Have an error name the file that is to be written, not the one beside it, of which nobody knows."""
    try:
        yield
    except OSError as error:
        if _PREFIX in str(error.filename):
            error.filename = str(path)
        raise


def umask() -> int:
    """The process's mask for the modes of new files."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _place(path: Path) -> Path:
    place = Path(os.path.realpath(path))
    if place.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    if place.is_dir():
        raise IsADirectoryError(f"{path} is a directory")
    return place


def _create(folder: Path, parts: ExitStack) -> Path:
    while True:
        part = folder / f"{_PREFIX}{secrets.token_hex(8)}"
        handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        parts.callback(os.close, handle)
        parts.callback(part.unlink, missing_ok=True)
        with suppress(OSError):  # a file system without locks: nobody removes what nobody can lock
            fcntl.flock(handle, fcntl.LOCK_SH)
        if _is(part, handle):
            return part
        # Another process came between, and took it for one that nobody will finish.


def _keep(place: Path, parts: ExitStack) -> Path:
    """Another name for what is in place, to take it back; whoever sweeps sees that this process is alive."""
    backup = place.with_name(f"{_PREFIX}{secrets.token_hex(8)}")
    handle = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    parts.callback(os.close, handle)
    with suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_SH)
    try:
        os.link(place, backup)
    except OSError:  # another user's file, or a file system without links
        backup = _create(place.parent, parts)
        shutil.copy2(place, backup)
    parts.callback(backup.unlink, missing_ok=True)
    return backup


def _move(made: Sequence[tuple[Path, Path]], parts: ExitStack) -> None:
    # Should a later one fail, the earlier ones are taken back, so that files on disk always belong together.
    moved: list[tuple[Path, Path | None]] = []
    try:
        for number, (part, place) in enumerate(made):
            last = number == len(made) - 1
            backup = _keep(place, parts) if place.exists() and not last else None
            os.replace(part, place)
            moved.append((place, backup))
    except OSError:
        for place, backup in reversed(moved):
            if backup is not None:
                os.replace(backup, place)
            else:
                place.unlink()
        raise


def _sweep(folder: Path) -> None:
    """Remove what processes that have ended left unfinished in the folder."""
    with suppress(OSError):
        for name in os.listdir(folder):
            if _OURS.fullmatch(name):
                with suppress(OSError):
                    _remove_if_left(folder / name)


def _remove_if_left(part: Path) -> None:
    handle = os.open(part, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is(part, handle):
            part.unlink()
    finally:
        os.close(handle)


def _is(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.lstat(path), os.fstat(handle))
    except FileNotFoundError:
        return False


def _sync(part: Path) -> None:
    with part.open("rb") as file:
        os.fsync(file.fileno())
