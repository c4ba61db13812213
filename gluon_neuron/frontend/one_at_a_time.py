"""One thread at a time traces a block: Gluon's blocks keep in themselves where a trace is, and share their children.

A fork waits for the trace of another thread, so that the child's blocks are not left as they are within one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_LONGEST = 60.0  # seconds that a fork waits: what is traced is the user's own code

_lock = threading.RLock()
_taken: list[Any] = []  # for a fork


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """While inside, no other thread is; a thread may be inside several times."""
    with _lock:
        yield


def _before() -> None:
    if _lock.acquire(timeout=_LONGEST):
        _taken.append(_lock)


def _in_parent() -> None:
    while _taken:
        _taken.pop().release()


def _in_child() -> None:
    global _lock
    if not _taken:
        _lock = threading.RLock()  # its holder did not come along
    _in_parent()


# Registered after the fork's other preparations (engine.forks), so that this is the first: a trace may wait for those.
os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
