"""Notices when a gluon Parameter's arrays are replaced by new ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mxnet as mx

_ARRAYS = "_data"
_MARK = "_gluon_neuron_watch"


def install(notify: Callable[[], None]) -> None:
    """Call `notify` after every assignment of a Parameter's arrays, from now on; installing twice changes nothing.

    Writes into an array raise its version number, but an array that replaces another may get the old one's address and
    version. Gluon assigns `_data` wherever it replaces arrays: initialize, cast, reset_ctx, load_parameters.
    """
    assign = mx.gluon.Parameter.__setattr__
    if hasattr(assign, _MARK):
        return

    def __setattr__(self: mx.gluon.Parameter, name: str, value: Any) -> None:
        assign(self, name, value)
        if name == _ARRAYS:
            notify()

    setattr(__setattr__, _MARK, True)
    mx.gluon.Parameter.__setattr__ = __setattr__
