"""Forks of a process that uses the native library: other threads' work is waited for, so that none is left half done.

MXNet's engine waits for its own work when a process forks, but holding Python's lock, for which that work may wait.
"""

from __future__ import annotations

import concurrent.futures.thread
import ctypes
import logging
import os
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

_library: ctypes.CDLL | None = None
_first: list[Callable[[], None]] = []
_locks: weakref.WeakSet[Lock] = weakref.WeakSet()


class Lock:
    """A lock that is free in a forked child, whichever thread of the parent held it. Not to be taken twice."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: threading.Lock | None = None
        _locks.add(self)

    def __enter__(self) -> None:
        lock = self._lock
        lock.acquire()
        self._held = lock

    def __exit__(self, *raised: Any) -> None:
        # In a child that was forked within, it is not the one of now.
        held, self._held = self._held, None
        if held is not None:
            held.release()

    def _free(self) -> None:
        self._lock = threading.Lock()


def attach(library: ctypes.CDLL) -> None:
    """Have the library prepare every fork, from now on."""
    global _library
    library.gn_section_begin.restype = None
    library.gn_section_end.restype = None
    library.gn_announce_forks.restype = None
    library.gn_fork_prepare.argtypes = [ctypes.POINTER(ctypes.c_int), ctypes.c_size_t]
    library.gn_fork_in_parent.restype = None
    library.gn_fork_in_child.restype = None
    library.gn_last_error.restype = ctypes.c_char_p
    library.gn_announce_forks()
    _library = library


def wait_first(wait: Callable[[], None]) -> None:
    """Have a fork call `wait` before calls of other threads are held up, which it may wait for."""
    _first.append(wait)


def _before() -> None:
    for wait in _first:
        wait()
    threads = [t.native_id for t in threading.enumerate() if t.native_id is not None]
    numbers = (ctypes.c_int * len(threads))(*threads)
    if _library is not None and _library.gn_fork_prepare(numbers, len(threads)) == 1:
        # MXNet, which waits for its engine at a fork, ends the process with this error; to go on would be to leave
        # arrays that nobody has computed, with no error left for whoever reads them.
        why = _library.gn_last_error().decode(errors="replace")
        sys.stderr.write(
            "gluon_neuron: this process forks while an operator's error waits for whoever reads its result, which "
            f"MXNet does not survive: wait for results before a fork (mx.nd.waitall()). The error: {why}\n"
        )
        sys.stderr.flush()
        os.abort()


def _in_parent() -> None:
    if _library is not None:
        _library.gn_fork_in_parent()


def _in_child() -> None:
    if _library is not None:
        _library.gn_fork_in_child()
    for lock in list(_locks):
        lock._free()


# What is registered later is called sooner. These take locks for a fork that the work we wait for may want: they come
# after us.
_THESE_FIRST = logging, concurrent.futures.thread
os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
