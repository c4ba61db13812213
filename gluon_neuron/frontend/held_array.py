"""HeldArray: an array of a checkpoint where a block has a Parameter."""

from __future__ import annotations

from typing import Any

import mxnet as mx

from ..runtime.asked import gives_storage


class HeldArray:
    """An array of a checkpoint where a block has a Parameter: as much of its interface as compiling needs."""

    def __init__(self, name: str, array: mx.nd.NDArray) -> None:
        self.name = name
        self.array = array
        self._data = [array]

    @property
    def dtype(self) -> Any:
        """The array's dtype, as MXNet gives it."""
        return self.array.dtype

    @gives_storage
    def data(self, ctx: Any = None) -> mx.nd.NDArray:
        """The array itself, wherever it is."""
        return self.array

    def list_data(self) -> list[mx.nd.NDArray]:
        """The array, as a Parameter lists its copies."""
        return self._data

    def list_ctx(self) -> list[mx.Context]:
        """The array's context."""
        return [self.array.ctx]
