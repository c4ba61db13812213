"""One thread of the process that does what no call is to wait for, one thing after the other."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

_logger = logging.getLogger(__name__)

MOST = 64
"""So many things may wait; beyond it the oldest is forgotten, for it is what nobody has asked for the longest."""

_REST = 2.0
"""Seconds without work after which the thread ends; the next thing starts another."""

_PATIENCE = 0.05
"""Seconds for which nobody has to have asked before a thing is done: who asks shares the cores with it, and a burst of
short calls is over soon."""

_MOST_PATIENCE = 0.5
"""Seconds after which a thing is done even so."""

_LONGEST_END = 30.0
"""Seconds for which the end of the process waits for what is being compiled, whose libraries would go under it."""


class _State:
    """Of this process; a forked child, where the thread is not, begins with another."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.waiting: OrderedDict[Hashable, Callable[[], None]] = OrderedDict()
        self.thread: threading.Thread | None = None
        self.busy = False
        self.current: Hashable = None
        self.closed = False
        self.asked = 0.0


_state = _State()


def submit(key: Hashable, job: Callable[[], None]) -> None:
    """Have `job` called some time, unless one of that key waits already. What it raises is logged."""
    state = _state
    with state.changed:
        if state.closed or key in state.waiting:
            return
        state.waiting[key] = job
        if len(state.waiting) > MOST:
            state.waiting.popitem(last=False)
        if state.thread is None:
            thread = threading.Thread(target=_work, args=(state,), name="gluon_neuron programs", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # when Python ends it starts none, nor does a system without room for more
                state.waiting.clear()
                return
            state.thread = thread
        state.changed.notify_all()


def has(key: Hashable) -> bool:
    """Whether a job of that key waits or is being done."""
    with _state.changed:
        return key in _state.waiting or key == _state.current


def asked() -> None:
    """Say that somebody has just called for what may be made ready here."""
    _state.asked = time.monotonic()


def waiting() -> int:
    """How many things wait."""
    return len(_state.waiting)


def wait(seconds: float = 60.0) -> bool:
    """Wait until nothing is left to do; False when that takes longer."""
    state = _state
    end = time.monotonic() + seconds
    with state.changed:
        while state.waiting or state.busy:
            left = end - time.monotonic()
            if left <= 0:
                return False
            state.changed.wait(left)
        return True


def _work(state: _State) -> None:
    while True:
        with state.changed:
            state.busy = False
            state.current = None
            state.changed.notify_all()
            if not state.waiting and not state.closed:
                state.changed.wait(_REST)
            if not state.waiting:
                state.thread = None
                return
            state.busy = True
        _be_patient(state)
        with state.changed:
            if not state.waiting:
                continue
            state.current, job = state.waiting.popitem(last=False)
        try:
            job()
        except Exception:
            _logger.exception("what was to be made ready in the background was not")
        del job  # it may hold the last reference to a net


def _be_patient(state: _State) -> None:
    begun = time.monotonic()
    while not state.closed:
        now = time.monotonic()
        left = min(state.asked + _PATIENCE, begun + _MOST_PATIENCE) - now
        if left <= 0:
            return
        time.sleep(left)


def _end() -> None:
    state = _state
    with state.changed:
        state.closed = True
        state.waiting.clear()
        state.changed.notify_all()
    thread = state.thread
    if thread is not None and thread is not threading.current_thread():
        thread.join(_LONGEST_END)


def _in_child() -> None:
    global _state
    _state = _State()


atexit.register(_end)
os.register_at_fork(after_in_child=_in_child)
