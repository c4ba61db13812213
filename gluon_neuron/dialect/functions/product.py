"""Products of matrices, and vectors along an axis."""

from __future__ import annotations

from ...errors import DialectError
from ..dtypes import FLOATS, NUMBERS
from ..strict_array import Array
from .binary import Binary
from .shape import Shape


class Product(Shape, Binary):
    """Products of floats over the last axes, and additions along one axis."""

    def matmul(
        self, a: Array, b: Array, *, transpose_a: bool = False, transpose_b: bool = False, exact: bool = False
    ) -> Array:
        """Product of the last two axes of floats; leading axes broadcast; the flags transpose those two axes first.

        An `exact` one is no product of the model but a rule's way to resize, sum or place: where products alone are
        cast to fewer digits, it is not.
        """
        self.pair("matmul", a, b, FLOATS)
        if min(a.ndim, b.ndim) < 2:
            raise DialectError(f"matmul() needs at least two axes, not {a!r} and {b!r}.")
        if a.shape[-2 if transpose_a else -1] != b.shape[-1 if transpose_b else -2]:
            raise DialectError(f"matmul(): {a!r} and {b!r} do not fit (transposed: {transpose_a}, {transpose_b}).")
        name = "exact_matmul" if exact and self._has("exact_matmul") else "matmul"
        return self._call(name, (a, b), (bool(transpose_a), bool(transpose_b)))

    def linear(self, x: Array, w: Array, b: Array | None = None) -> Array:
        """x[..., I] times w[O, I] transposed, plus b[O]."""
        self.pair("linear", x, w, FLOATS)
        if w.ndim != 2:
            raise DialectError(f"linear() needs a weight of two axes, not {w!r}.")
        if x.ndim == 1:
            y = self.squeeze(self.matmul(self.expand_dims(x, 0), w, transpose_b=True), 0)
        else:
            y = self.matmul(x, w, transpose_b=True)
        if b is None:
            return y
        self.pair("linear", y, b, FLOATS)
        return self._call("add", (y, b))

    def bias(self, x: Array, b: Array, axis: int = 1) -> Array:
        """x plus the vector b along `axis`."""
        return self.add(x, self._along(x, b, axis))

    def _along(self, x: Array, b: Array, axis: int) -> Array:
        self.pair("bias", x, b, NUMBERS)
        k = self._axis("bias", x, axis)
        if b.shape != (x.shape[k],):
            raise DialectError(f"{b!r} does not lie along axis {axis} of {x!r}.")
        return self.reshape(b, tuple(b.size if a == k else 1 for a in range(x.ndim)))
