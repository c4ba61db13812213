"""Array: one strict array for every library; shape and dtype are always known, mixed dtypes always raise."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, NoReturn

from ..errors import DialectError

if TYPE_CHECKING:
    from .base import Namespace


class Array:
    """An array of the namespace `xp`.

    `v` is an ndarray when the array is `known` while the program is built; otherwise it belongs to the library (an
    OpenVINO output; for the NumPy namespace also an ndarray). bfloat16 is held by NumPy as float32 whose values are
    rounded to bfloat16. `shape` is a tuple of ints and `dtype` a name such as "float32".
    """

    __slots__ = ("xp", "v", "shape", "dtype", "known")
    __hash__ = object.__hash__
    # NumPy leaves `ndarray * Array` to the Array, which refuses it; otherwise it would loop over the elements.
    __array_ufunc__ = None
    __iter__ = None
    __contains__ = None

    def __init__(self, xp: Namespace, v: Any, shape: tuple[int, ...], dtype: str, known: bool) -> None:
        self.xp = xp
        self.v = v
        self.shape = shape
        self.dtype = dtype
        self.known = known

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    def __repr__(self) -> str:
        return f"Array({self.dtype}{list(self.shape)}{', known' if self.known else ''})"

    def __bool__(self) -> NoReturn:
        self._refuse("bool")

    def __int__(self) -> NoReturn:
        self._refuse("int")

    def __float__(self) -> NoReturn:
        self._refuse("float")

    def __index__(self) -> NoReturn:
        self._refuse("index")

    def _refuse(self, what: str) -> NoReturn:
        raise DialectError(
            f"{what}() of {self!r}: an array has no value while a program is built. Use xp.where to choose by value, "
            "or xp.known(x) for an array that is known."
        )

    def __getitem__(self, index: Any) -> Array:
        return self.xp.getitem(self, index)

    def __neg__(self) -> Array:
        return self.xp.negative(self)

    def __invert__(self) -> Array:
        return self.xp.logical_not(self)

    def __add__(self, other: Any) -> Array:
        return self.xp.add(self, other)

    def __radd__(self, other: Any) -> Array:
        return self.xp.add(other, self)

    def __sub__(self, other: Any) -> Array:
        return self.xp.subtract(self, other)

    def __rsub__(self, other: Any) -> Array:
        return self.xp.subtract(other, self)

    def __mul__(self, other: Any) -> Array:
        return self.xp.multiply(self, other)

    def __rmul__(self, other: Any) -> Array:
        return self.xp.multiply(other, self)

    def __truediv__(self, other: Any) -> Array:
        return self.xp.divide(self, other)

    def __rtruediv__(self, other: Any) -> Array:
        return self.xp.divide(other, self)

    def __mod__(self, other: Any) -> Array:
        return self.xp.remainder(self, other)

    def __rmod__(self, other: Any) -> Array:
        return self.xp.remainder(other, self)

    def __pow__(self, other: Any) -> Array:
        return self.xp.pow(self, other)

    def __rpow__(self, other: Any) -> Array:
        return self.xp.pow(other, self)

    def __matmul__(self, other: Any) -> Array:
        return self.xp.matmul(self, other)

    def __and__(self, other: Any) -> Array:
        return self.xp.logical_and(self, other)

    def __or__(self, other: Any) -> Array:
        return self.xp.logical_or(self, other)

    def __eq__(self, other: Any) -> Array:  # type: ignore[override]
        return self.xp.equal(self, other)

    def __ne__(self, other: Any) -> Array:  # type: ignore[override]
        return self.xp.not_equal(self, other)

    def __lt__(self, other: Any) -> Array:
        return self.xp.less(self, other)

    def __le__(self, other: Any) -> Array:
        return self.xp.less_equal(self, other)

    def __gt__(self, other: Any) -> Array:
        return self.xp.greater(self, other)

    def __ge__(self, other: Any) -> Array:
        return self.xp.greater_equal(self, other)
