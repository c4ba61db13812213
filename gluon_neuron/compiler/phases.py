"""Tells whoever listens which phase a compile has come to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_listener: ContextVar[Callable[[str], None] | None] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Callable[[str], None]) -> Iterator[None]:
    """Inside, `listener` is called with the name of each phase that a compile of this thread begins."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def begins(phase: str) -> None:
    """Say that a phase begins."""
    listener = _listener.get()
    if listener is not None:
        listener(phase)
