"""Parameters of a compiled model: the artifact, which no training call may touch, and those made from arrays."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Iterable
from typing import Any

import mxnet as mx
import numpy as np

from ..artifact.container import read_graph
from ..engine import native_library
from ..runtime.asked import gives_storage
from ..runtime.mxnet_private import view_of


class ArtifactParameter(mx.gluon.Parameter):
    """A uint8 parameter that holds an artifact: `initialize`, `cast` and gradients leave it as it is.

    It takes the array over.
    """

    # Not a gluon.Constant: those register an initializer, and with it the value, for the life of the process.

    def __init__(self, name: str, array: mx.nd.NDArray, ctx: Any) -> None:
        super().__init__(name, grad_req="null", shape=array.shape, dtype=np.uint8, differentiable=False)
        # Among arrays of mx.np, `save_parameters` takes no other kind.
        kind = array.as_np_ndarray() if mx.util.is_np_array() else array.as_nd_ndarray()
        self._load_init(_OwnArray(kind), ctx)

    def graph(self) -> str:
        """The hash of the graph that the artifact is for, from its header."""
        array = self.list_data()[0]
        return read_graph(lambda begin, end: bytes(array[begin:end].asnumpy()))

    @gives_storage
    def data(self, ctx: Any = None) -> mx.nd.NDArray:
        """As `Parameter.data`; the artifact comes along to a context where the weights are and it is not yet."""
        if ctx is not None and ctx not in self.list_ctx():
            self.reset_ctx([*self.list_ctx(), ctx])
        return super().data(ctx)

    def initialize(self, *args: Any, **kwargs: Any) -> None:
        """Does nothing: an artifact is not drawn from a distribution."""

    def cast(self, dtype: Any) -> None:
        """Does nothing: an artifact's bytes are not numbers."""


_made: weakref.WeakValueDictionary[tuple[Any, ...], ArtifactParameter] = weakref.WeakValueDictionary()


def artifact_parameter(name: str, data: bytes, ctx: Any, weights: Iterable[Any] = ()) -> ArtifactParameter:
    """The parameter that holds an artifact, in each of the contexts; the artifact was packed in this process.

    A net that is compiled twice shares its `weights` with both, and so do they the artifact: Gluon takes no two
    parameters of one name in one block.
    """
    array = np.frombuffer(data, np.uint8)
    native_library.artifact_verified(array)
    # An address may be that of another weight later; the bytes are the same all the same.
    key = (name, hashlib.sha256(data).digest(), *map(id, weights))
    known = _made.get(key) if len(key) > 2 else None
    if known is not None and _is_still(known, array, ctx):
        return known
    found = ArtifactParameter(name, mx.nd.array(array, dtype=np.uint8), ctx)
    if len(key) > 2:
        _made[key] = found
    return found


def _is_still(param: ArtifactParameter, data: np.ndarray, ctx: Any) -> bool:
    """Whether nobody has moved the parameter, or written to it."""
    if [repr(c) for c in param.list_ctx()] != [repr(c) for c in ctx]:
        return False
    return all(np.array_equal(view_of(a), data) for a in param.list_data())


class LoadedParameter(mx.gluon.Parameter):
    """A Parameter that takes an array over as its value, and whose gradient gets memory once it is recorded or asked
    for: inference needs none."""

    def __init__(self, name: str, array: mx.nd.NDArray, ctx: Any, trains: bool) -> None:
        super().__init__(name, grad_req="write" if trains else "null", shape=array.shape, dtype=array.dtype)
        self._load_init(_OwnArray(array), ctx)

    def _init_grad(self) -> None:
        self._grad = None

    def _need_grad(self) -> None:
        if self._grad is None and self._data is not None and self.grad_req != "null":
            super()._init_grad()

    @gives_storage
    def data(self, ctx: Any = None) -> mx.nd.NDArray:
        """As `Parameter.data`."""
        if mx.autograd.is_recording():
            self._need_grad()
        return super().data(ctx)

    def list_data(self) -> list[mx.nd.NDArray]:
        """As `Parameter.list_data`."""
        if mx.autograd.is_recording():
            self._need_grad()
        return super().list_data()

    def grad(self, ctx: Any = None) -> mx.nd.NDArray:
        """As `Parameter.grad`."""
        self._need_grad()
        return super().grad(ctx)

    def list_grad(self) -> list[mx.nd.NDArray]:
        """As `Parameter.list_grad`."""
        self._need_grad()
        return super().list_grad()


class _OwnArray:
    """An array that nobody else has: a Parameter made from it takes it as it is, where MXNet would copy it."""

    def __init__(self, array: mx.nd.NDArray) -> None:
        self.array = array
        self.shape = array.shape
        self.dtype = array.dtype
        self.stype = array.stype

    def tostype(self, stype: str) -> mx.nd.NDArray:
        """The array in another storage type, for a Parameter that has that."""
        return self.array.tostype(stype)

    def copyto(self, ctx: mx.Context) -> mx.nd.NDArray:
        """The array itself, where it is in that context already."""
        array = self.array
        if array.ctx != ctx or array.size == 0:
            return array.copyto(ctx)
        # Nothing is copied, but it counts as a write: of an array that was never written nobody knows whether it stays.
        plain = array.as_nd_ndarray()
        mx.nd.identity(plain, out=plain)
        return array


def make_parameter(name: str, array: mx.nd.NDArray, ctx: Any, is_aux: bool) -> mx.gluon.Parameter:
    """A Parameter of the given name that takes the array over as its value; auxiliary states have no gradient."""
    trains = not is_aux and np.issubdtype(np.dtype(array.dtype), np.floating)
    return LoadedParameter(name, array, ctx, trains)
