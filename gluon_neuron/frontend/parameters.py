"""Parameters of a compiled model: the artifact, which no training call may touch, and those made from arrays."""

from __future__ import annotations

from typing import Any

import mxnet as mx
import numpy as np


class ArtifactParameter(mx.gluon.Parameter):
    """A uint8 parameter that holds an artifact: `initialize`, `cast` and gradients leave it as it is."""

    # Not a gluon.Constant: those register an initializer, and with it the value, for the life of the process.

    def __init__(self, name: str, array: mx.nd.NDArray, ctx: Any) -> None:
        super().__init__(name, grad_req="null", shape=array.shape, dtype=np.uint8)
        self._load_init(array, ctx)

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        """Does nothing: an artifact is not drawn from a distribution."""

    def cast(self, dtype: Any) -> None:
        """Does nothing: an artifact's bytes are no numbers."""


class HeldArray:
    """An array of a checkpoint where a block has a Parameter: as much of its interface as compiling needs."""

    def __init__(self, name: str, array: mx.nd.NDArray) -> None:
        self.name = name
        self.array = array
        self._data = [array]

    def data(self, ctx: Any = None) -> mx.nd.NDArray:
        """The array itself, wherever it is."""
        return self.array

    def list_data(self) -> list[mx.nd.NDArray]:
        """The array, as a Parameter lists its copies."""
        return self._data

    def list_ctx(self) -> list[mx.Context]:
        """The array's context."""
        return [self.array.ctx]


def make_parameter(name: str, array: mx.nd.NDArray, ctx: Any, is_aux: bool) -> mx.gluon.Parameter:
    """A Parameter of the given name and value; auxiliary states have no gradient."""
    trains = not is_aux and np.issubdtype(np.dtype(array.dtype), np.floating)
    made = mx.gluon.Parameter(name, grad_req="write" if trains else "null", shape=array.shape, dtype=array.dtype)
    made._load_init(array, ctx)
    return made
