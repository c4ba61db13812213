"""JaxNamespace: carries a rule out in jax, at once on arrays or while a program is traced; loads jax when created."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from ...errors import DialectError
from ..dtypes import check_dtype
from ..strict_array import Array
from . import elementwise, nn, order, shape
from .importing import import_jax
from .recurrent import Loops

KERNELS = {
    **elementwise.KERNELS,
    **shape.KERNELS,
    **order.KERNELS,
    **nn.KERNELS,
}


class JaxNamespace(Loops):
    """Runs a rule on the jax arrays given for its leaves: on values, or on tracers while jax traces a function.

    Use it within `jax_import.wide_types()`. What it writes keeps to the forms that neuronx-cc is known to take: every
    dtype is explicit, no variadic reductions, no integer products, sorts compare one integer key, windows have either
    strides or dilations of the input, and loops count to a constant. Integers that do not fit are undefined.
    """

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self._jax = import_jax()
        self._values = dict(values or {})

    def parameter(self, name: str, shape: tuple[int, ...], dtype: str) -> Array:
        """The array given for `name`; raises DialectError when it is missing or has another shape or dtype."""
        if name not in self._values:
            raise DialectError(f"JaxNamespace has no value for the parameter {name!r}.")
        value = self._jax.numpy.asarray(self._values[name])
        if value.shape != tuple(shape) or value.dtype.name != check_dtype(dtype):
            raise DialectError(
                f"Parameter {name!r} is {value.dtype.name}{list(value.shape)}, not {dtype}{list(shape)}; 64-bit types "
                "need wide_types()."
            )
        return self._array(value)

    def scope(self, name: str) -> AbstractContextManager[Any]:
        """What is traced inside carries `name` in its metadata."""
        return self._jax.named_scope(name)

    def value(self, array: Array) -> Any:
        """The jax array of an array of the language, known ones included."""
        return self._raw(self._check("value", array))

    def _has(self, name: str) -> bool:
        return name in KERNELS

    def _raw(self, array: Array) -> Any:
        """The jax array; a known value becomes a constant only here, where it meets one that is not."""
        if not array.known:
            return array.v
        # NumPy keeps bfloat16 as float32, which holds its values exactly.
        value = np.asarray(array.v, self._jax.numpy.dtype(array.dtype))
        first = value.ravel()[:1]
        if value.size > 1 and (value == first).all():
            return self._jax.lax.broadcast(first[0], value.shape)
        return self._jax.numpy.asarray(value)

    def _emit(self, name: str, arrays: Sequence[Array], params: tuple, dtypes: tuple[str, ...]) -> tuple[Array, ...]:
        try:
            found = KERNELS[name](self._jax.lax, *map(self._raw, arrays), *params)
        except (TypeError, ValueError) as error:
            shown = ", ".join([*map(repr, arrays), *map(repr, params)])
            raise DialectError(f"jax refuses {name}({shown}): {str(error)[:500]}") from error
        results = found if isinstance(found, tuple) else (found,)
        return tuple(self._wrap(name, r, d) for r, d in zip(results, dtypes, strict=True))

    def _wrap(self, name: str, value: Any, dtype: str) -> Array:
        if value.dtype.name != dtype:
            raise DialectError(f"{name}() gives {value.dtype.name} in jax instead of {dtype}.")
        return self._array(value)
