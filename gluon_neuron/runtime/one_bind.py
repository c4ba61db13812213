"""One thread binds at a time: what MXNet's passes read, it keeps once for all threads, and frees under their hands."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..engine import native_library
from ..engine.forks import Lock

_lock = Lock()
_holder: int | None = None


@contextmanager
def one_bind() -> Iterator[None]:
    """While inside, no other thread is, and none forks; a thread may be inside several times.

    MXNet 1.9.1 sets the options of a backend for subgraphs anew for each graph, in an object of which there is one, to
    which selectors refer (`SubgraphProperty::SetAttr`): two threads that bind at once end the process.
    """
    global _holder
    # The section is the outer one: a fork waits for whoever is in one, and they not for those who wait for the fork.
    with native_library.section():
        if _holder == threading.get_ident():
            yield
            return
        with _lock:
            _holder = threading.get_ident()
            try:
                yield
            finally:
                _holder = None
