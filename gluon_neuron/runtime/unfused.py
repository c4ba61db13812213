"""Has MXNet bind without its fusion for oneDNN, whose layers do not see weights that are written later."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_NAME = "MXNET_SUBGRAPH_BACKEND"
_NONE = "default"  # the one backend that takes no operators and says nothing of it

_lock = threading.Lock()
_chosen = False


@contextmanager
def unfused() -> Iterator[None]:
    """What is bound inside is not fused, unless the user has chosen what MXNet is to do.

    MXNet's fused layers keep the weights of their first run. Nothing but the environment chooses.
    """
    global _chosen
    with _lock:
        if os.environ.get(_NAME):
            yield
            return
        os.environ[_NAME] = _NONE
        _chosen = True
        try:
            yield
        finally:
            os.environ.pop(_NAME, None)
            _chosen = False


def _in_child() -> None:
    # Another thread of the parent may have been binding, and did not come along.
    global _lock, _chosen
    _lock = threading.Lock()
    if _chosen:
        os.environ.pop(_NAME, None)
        _chosen = False


os.register_at_fork(after_in_child=_in_child)
