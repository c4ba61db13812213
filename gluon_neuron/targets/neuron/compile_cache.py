"""The compile cache: programs of the Neuron compilers on disk, by a key of everything that decides what they are.

An entry is a directory `<key[:2]>/<key>` with the program (`file.neff`) and what is known of it (`entry.json`). It is
written beside its place and renamed, so that a reader sees a whole entry or none; a lock of the operating system, which
ends with whoever holds it, lets one process at a time compile for a key. When the cache has grown past its bound, those
entries go first that were not used for the longest time.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from platformdirs import user_cache_dir

from ...errors import CacheError, CompileError

VARIABLE = "NEURON_COMPILE_CACHE_URL"
SIZE_VARIABLE = "GLUON_NEURON_CACHE_SIZE"
DEFAULT_SIZE = 10 * 2**30

_PROGRAM, _ABOUT = "file.neff", "entry.json"
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_ABANDONED = 3600.0
_LOCK_TICK = 0.5
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """One program in the cache; `used` is when it was last written or read, in seconds since 1970."""

    key: str
    path: Path
    about: Mapping[str, Any]
    size: int
    used: float


def key_of(factors: Mapping[str, Any]) -> str:
    """The key of a program: SHA-256 over everything that decides what it is, which must be JSON-compatible."""
    text = json.dumps(factors, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def directory(url: str | None = None, environ: Mapping[str, str] | None = None) -> Path:
    """Where the cache is: `url` or NEURON_COMPILE_CACHE_URL, a local path or file:// URL, else the user's cache.

    Raises CacheError for other schemes.
    """
    url = url or (os.environ if environ is None else environ).get(VARIABLE) or ""
    if not url:
        return Path(user_cache_dir("gluon_neuron")) / "neuron"
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", url)
    if scheme and scheme.group(1).lower() != "file":
        raise CacheError(
            f"The compile cache cannot be at {url!r}: {scheme.group(1)}:// is not supported. "
            f"Set {VARIABLE} to a local path, such as /var/tmp/neuron-compile-cache."
        )
    return Path(url[len("file://") :] if scheme else url).expanduser()


def bound(environ: Mapping[str, str] | None = None) -> int:
    """How many bytes the cache may hold: GLUON_NEURON_CACHE_SIZE, such as "500M" or "20G"; 10 GiB without it."""
    text = (os.environ if environ is None else environ).get(SIZE_VARIABLE, "").strip()
    return size_of(text, SIZE_VARIABLE) if text else DEFAULT_SIZE


def size_of(text: str, what: str) -> int:
    """The bytes that "500M" or "20G" stands for; raises CacheError, naming `what`, for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if match is None:
        raise CacheError(f"{what} is {text!r}; it must be a number of bytes, such as 500M or 20G.")
    return int(float(match.group(1)) * _UNITS[match.group(2).upper()])


class Cache:
    """The programs below one directory."""

    def __init__(self, root: Path, size: int = DEFAULT_SIZE) -> None:
        self.root = root
        self.size = size

    @contextmanager
    def locked(self, key: str, stopped: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """Hold the key's lock; the system takes it back from a process that dies.

        Raises CacheError, or CompileError when it still waits once `stopped()` says so.
        """
        try:
            place = self.root / "locks"
            place.mkdir(parents=True, exist_ok=True)
            # Lock files stay: once one is gone, those that wait and those that come later would hold different locks.
            lock = FileLock(place / f"{key[:2]}.lock", thread_local=False)
            while not lock.is_locked:
                try:
                    lock.acquire(timeout=_LOCK_TICK)
                except Timeout:
                    if stopped():
                        raise CompileError(
                            "It was stopped while it waited for another compile of the same program."
                        ) from None
        except OSError as error:
            raise CacheError(
                f"The compile cache at {self.root} cannot be used: {error}. Set {VARIABLE} to a directory that can be "
                "written, or add --no_cache to NEURON_CC_FLAGS."
            ) from error
        try:
            yield
        finally:
            lock.release()

    def get(self, key: str) -> tuple[bytes, Mapping[str, Any]] | None:
        """The program of `key` and what is known of it, or None. A damaged entry is removed and counts as missing."""
        path = self._path(key)
        try:
            about = json.loads((path / _ABOUT).read_text(encoding="utf-8"))
            data = (path / _PROGRAM).read_bytes()
            known = about["about"]
            whole = about["key"] == key and about["sha256"] == hashlib.sha256(data).hexdigest() and type(known) is dict
        except FileNotFoundError:
            _logger.info("compile cache: miss, key %s", key)
            return None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            whole = False
        if not whole:
            _logger.warning("compile cache: the entry of key %s is damaged and was removed", key)
            _remove(path)
            return None
        with suppress(OSError):  # of a cache that may only be read
            os.utime(path / _ABOUT)
        _logger.info("compile cache: hit, key %s in %s", key, path)
        return data, known

    def put(self, key: str, data: bytes, about: Mapping[str, Any]) -> None:
        """Keep a program; the key's lock is held. Raises CacheError when it cannot be written."""
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            new = Path(tempfile.mkdtemp(prefix=f".{key[:12]}.", dir=path.parent))
            try:
                (new / _PROGRAM).write_bytes(data)
                known = {"key": key, "sha256": hashlib.sha256(data).hexdigest(), "about": dict(about)}
                (new / _ABOUT).write_text(json.dumps(known), encoding="utf-8")
                _remove(path)
                new.rename(path)
            finally:
                shutil.rmtree(new, ignore_errors=True)
        except OSError as error:
            raise CacheError(
                f"The compile cache at {self.root} cannot be written: {error}. Set {VARIABLE} to one with room, "
                "or add --no_cache to NEURON_CC_FLAGS."
            ) from error
        self.prune(self.size, keep=key)

    def entries(self) -> list[Entry]:
        """Every whole entry, the one used last first."""
        found = []
        for about in self.root.glob(f"[0-9a-f][0-9a-f]/*/{_ABOUT}"):
            if about.parent.name.startswith("."):
                continue
            try:
                known = json.loads(about.read_text(encoding="utf-8"))
                size = sum(f.stat().st_size for f in about.parent.iterdir())
                found.append(Entry(known["key"], about.parent, known["about"], size, about.stat().st_mtime))
            except (OSError, ValueError, KeyError, TypeError, RecursionError):
                continue  # another process removes it just now, or `get` will
        return sorted(found, key=lambda e: -e.used)

    def prune(self, size: int, keep: str | None = None) -> list[Entry]:
        """Remove what was not used for the longest time until `size` bytes are left; returns what was removed."""
        for left in self.root.glob("[0-9a-f][0-9a-f]/.*"):
            try:
                if time.time() - left.stat().st_mtime > _ABANDONED:
                    shutil.rmtree(left, ignore_errors=True)  # of a writer that was killed
            except OSError:
                continue
        removed = []
        entries = self.entries()
        total = sum(e.size for e in entries)
        for entry in reversed(entries):
            if total <= size:
                break
            if entry.key != keep:
                shutil.rmtree(entry.path, ignore_errors=True)
                removed.append(entry)
                total -= entry.size
        return removed

    def clear(self) -> list[Entry]:
        """Remove every entry; returns what was removed."""
        return self.prune(0)

    def _path(self, key: str) -> Path:
        return self.root / key[:2] / key


def _remove(path: Path) -> None:
    """Remove an entry, or whatever else stands in its place."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)
