"""Has MXNet bind without its fusion for oneDNN, whose layers do not see weights that are written later."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from ..engine.forks import Lock

_NAME = "MXNET_SUBGRAPH_BACKEND"
_NONE = "default"  # the one backend that takes no operators and says nothing of it

_lock = Lock()
_inside = 0


@contextmanager
def unfused() -> Iterator[None]:
    """What is bound inside is not fused, unless the user has chosen what MXNet is to do.

    MXNet's fused layers keep the weights of their first run. Nothing but the environment chooses. Threads may be inside
    at once, as binding may take as long as compiling for a new shape does.
    """
    if not _enter():
        yield
        return
    try:
        yield
    finally:
        _leave()


def _enter() -> bool:
    global _inside
    with _lock:
        if _inside == 0:
            if os.environ.get(_NAME):
                return False
            os.environ[_NAME] = _NONE
        _inside += 1
        return True


def _leave() -> None:
    global _inside
    with _lock:
        if _inside:  # not in a child that was forked inside
            _inside -= 1
            if _inside == 0:
                os.environ.pop(_NAME, None)


def _in_child() -> None:
    # Other threads of the parent may have been inside, and did not come along.
    global _inside
    if _inside:
        os.environ.pop(_NAME, None)
        _inside = 0


os.register_at_fork(after_in_child=_in_child)
