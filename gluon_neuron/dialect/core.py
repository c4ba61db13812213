"""Core of every namespace: leaves, known values, the dtype rule, and the one place where a function is carried out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from operator import index
from typing import Any

import numpy as np

from ..errors import DialectError, NotKnown
from .dtypes import ALL, SCALARS, Dtypes, Scalar, cast, check_dtype, scalar, storage
from .in_numpy.kernels import compute
from .strict_array import Array


class Core(Dtypes, ABC):
    """What a library provides (`parameter`, `_emit`, `_has`) and what all namespaces share."""

    # ---- what a library provides

    @abstractmethod
    def parameter(self, name: str, shape: tuple[int, ...], dtype: str) -> Array:
        """A named leaf, an input or a weight: never known, never folded."""

    @abstractmethod
    def _emit(self, name: str, arrays: Sequence[Array], params: tuple, dtypes: tuple[str, ...]) -> tuple[Array, ...]:
        """Carry out function `name` where at least one array is not known; one result per entry of `dtypes`."""

    @abstractmethod
    def _has(self, name: str) -> bool:
        """Whether the library has function `name` itself, so that the composition is not needed."""

    def scope(self, name: str) -> AbstractContextManager[Any]:
        """A context in which what is built carries `name`, for messages and profiles; libraries may ignore it."""
        return nullcontext(name)

    # ---- known values

    def constant(self, value: Any, dtype: str | None = None) -> Array:
        """A value known while building: a scalar, a (nested) sequence of them, or an ndarray.

        Without `dtype` an ndarray keeps its own, Python floats become float32 and Python ints int32.
        """
        if isinstance(value, Array):
            raise DialectError(f"constant() of {value!r}: it is an array of the language already.")
        found = np.asarray(value)
        if dtype is None:
            dtype = str(found.dtype)
            if not isinstance(value, np.ndarray | np.generic):
                dtype = {"float64": "float32", "int64": "int32"}.get(dtype, dtype)
        return self._known(found, check_dtype(dtype))

    def full(self, shape: Iterable[int], value: Scalar, dtype: str) -> Array:
        """A known array of one value."""
        return self._known(np.full(shape_of(shape), scalar(value, check_dtype(dtype)), storage(dtype)), dtype)

    def zeros(self, shape: Iterable[int], dtype: str) -> Array:
        """A known array of zeros (False for bool)."""
        return self._known(np.zeros(shape_of(shape), storage(check_dtype(dtype))), dtype)

    def ones(self, shape: Iterable[int], dtype: str) -> Array:
        """A known array of ones (True for bool)."""
        return self._known(np.ones(shape_of(shape), storage(check_dtype(dtype))), dtype)

    def arange(self, start: float, stop: float, step: float = 1, dtype: str = "int32") -> Array:
        """Known values start, start + step, ... below stop (above it for a negative step)."""
        count = max(0, int(np.ceil((stop - start) / step)))
        return self._known(start + np.arange(count) * step, check_dtype(dtype))

    def known(self, x: Array) -> np.ndarray:
        """The value of a known array; raises NotKnown for any other. A rule has no other way to look at values."""
        self._check("known", x)
        if not x.known:
            raise NotKnown(f"The value of {x!r} is only known at run time.")
        return x.v

    def _known(self, value: np.ndarray, dtype: str) -> Array:
        value = cast(value, dtype)
        return Array(self, value, value.shape, dtype, True)  # type: ignore[arg-type]

    # ---- carrying out a function

    def _call(self, name: str, arrays: Sequence[Array], params: tuple = (), dtype: str | None = None) -> Array:
        return self._calls(name, arrays, params, (dtype or arrays[0].dtype,))[0]

    def _calls(self, name: str, arrays: Sequence[Array], params: tuple, dtypes: tuple[str, ...]) -> tuple[Array, ...]:
        # Known values never reach the library: masks, counts and shape arithmetic fold here, in NumPy.
        if all(a.known for a in arrays):
            values = compute(name, arrays, params, dtypes)
            return tuple(self._known(v, d) for v, d in zip(values, dtypes, strict=True))
        return self._emit(name, arrays, params, dtypes)

    # ---- checks

    def _check(self, name: str, x: Any, dtypes: frozenset[str] = ALL) -> Array:
        """Raise DialectError unless `x` is an array of this namespace with an allowed dtype."""
        if not isinstance(x, Array):
            raise DialectError(f"{name}() takes an array of the language, not {type(x).__name__}; see constant().")
        if x.xp is not self:
            raise DialectError(f"{name}(): {x!r} belongs to another namespace.")
        if x.dtype not in dtypes:
            raise DialectError(f"{name}() is not defined for {x!r}, only for {', '.join(sorted(dtypes))}.")
        return x

    def pair(self, name: str, a: Any, b: Any, dtypes: frozenset[str] = ALL) -> tuple[Array, Array]:
        """Two operands of one dtype: arrays of the same dtype, or an array and a scalar, which takes its dtype."""
        if isinstance(a, SCALARS) and isinstance(b, Array):
            a = self._scalar(a, self._check(name, b))
        elif isinstance(b, SCALARS) and isinstance(a, Array):
            b = self._scalar(b, self._check(name, a))
        self._check(name, a, dtypes)
        self._check(name, b, dtypes)
        self._same_dtype(name, a, b)
        return a, b

    def _scalar(self, value: Any, like: Array) -> Array:
        return self._known(np.asarray(scalar(value, like.dtype)), like.dtype)

    def _same_dtype(self, name: str, *arrays: Array) -> None:
        if len({a.dtype for a in arrays}) > 1:
            raise DialectError(f"{name}() mixes dtypes: {', '.join(map(repr, arrays))}; use xp.astype.")

    def _axis(self, name: str, x: Array, axis: int, extra: int = 0) -> int:
        ndim = x.ndim + extra
        found = index(axis)
        if not -ndim <= found < ndim:
            raise DialectError(f"{name}(): axis {axis} is out of range for {x!r}.")
        return found % ndim

    def _axes(self, name: str, x: Array, axes: Iterable[int] | int | None) -> tuple[int, ...]:
        if axes is None:
            return tuple(range(x.ndim))
        found = [self._axis(name, x, a) for a in ([axes] if isinstance(axes, int) else axes)]
        if len(set(found)) != len(found):
            raise DialectError(f"{name}(): axes {axes} name one axis twice.")
        return tuple(sorted(found))


def shape_of(shape: Iterable[int]) -> tuple[int, ...]:
    """`shape` as a tuple of ints; raises DialectError when one is negative."""
    found = tuple(index(s) for s in shape)
    if any(s < 0 for s in found):
        raise DialectError(f"A shape must be known and not negative: {found}.")
    return found
