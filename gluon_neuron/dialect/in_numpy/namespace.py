"""NumpyNamespace: the reference implementation of the array language; every array has a value, leaves included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...errors import DialectError
from ..base import Namespace
from ..dtypes import cast, check_dtype
from ..strict_array import Array
from .kernels import KERNELS, compute


class NumpyNamespace(Namespace):
    """Runs a rule at once on the values of its leaves.

    `values` maps parameter names to ndarrays. `x.v` is the value of any array, but what depends on a parameter is not
    `known`: a rule that looks at it fails here as it would in the other libraries. With `native=False` functions
    that have a composition use it, so that compositions can be tested.
    """

    def __init__(self, values: Mapping[str, np.ndarray] | None = None, *, native: bool = True) -> None:
        self._values = dict(values or {})
        self._native = native

    def parameter(self, name: str, shape: tuple[int, ...], dtype: str) -> Array:
        """The value given for `name`; raises DialectError when it is missing or has another shape."""
        if name not in self._values:
            raise DialectError(f"NumpyNamespace has no value for the parameter {name!r}.")
        value = cast(np.asarray(self._values[name]), check_dtype(dtype))
        if value.shape != tuple(shape):
            raise DialectError(f"Parameter {name!r} has the shape {value.shape}, not {tuple(shape)}.")
        return Array(self, value, value.shape, dtype, False)

    def _has(self, name: str) -> bool:
        return self._native and name in KERNELS

    def _emit(self, name: str, arrays: Sequence[Array], params: tuple, dtypes: tuple[str, ...]) -> tuple[Array, ...]:
        values = compute(name, arrays, params, dtypes)
        return tuple(Array(self, v, v.shape, d, False) for v, d in zip(values, dtypes, strict=True))
