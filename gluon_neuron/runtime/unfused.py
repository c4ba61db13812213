"""Has MXNet bind without its fusion for oneDNN, whose layers do not see weights that are written later."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from .one_bind import one_bind

_NAME = "MXNET_SUBGRAPH_BACKEND"
_NONE = "default"  # the one backend that takes no operators and says nothing of it


@contextmanager
def unfused() -> Iterator[None]:
    """What is bound inside is not fused, unless the user has chosen what MXNet is to do.

    MXNet's fused layers keep the weights of their first run. Nothing but the environment chooses.
    """
    with one_bind():
        if os.environ.get(_NAME):
            yield
            return
        os.environ[_NAME] = _NONE
        try:
            yield
        finally:
            os.environ.pop(_NAME, None)
