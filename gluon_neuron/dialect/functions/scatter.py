"""Writing rows at positions that depend on the data."""

from __future__ import annotations

import numpy as np

from ...errors import DialectError
from ..strict_array import Array
from .reduce import Reduce


class Scatter(Reduce):
    """The reverse of a gather."""

    def scatter(self, x: Array, indices: Array, rows: Array) -> Array:
        """x[n, ...] with rows[m, ...] in place of those at indices[m], int32 in 0..n-1.

        Which of several rows for one position is left is not promised.
        """
        self._check("scatter", x)
        self._indices("scatter", indices, x.shape[0])
        self._same_dtype("scatter", x, rows)
        if indices.ndim != 1 or rows.shape != (*indices.shape, *x.shape[1:]):
            raise DialectError(f"scatter(): {rows!r} at {indices!r} do not fit {x!r}.")
        if self._has("scatter"):
            return self._call("scatter", (x, indices, rows))
        count = indices.shape[0]
        hit = self.equal(self.constant(np.arange(x.shape[0], dtype=np.int32)[:, None]), indices)
        # The number of the last row for each position, counted from 1; 0 where there is none.
        last = self.max(self.where(hit, self.arange(1, count + 1), 0), 1)
        found = self.take(rows, self.maximum(self.subtract(last, 1), 0), 0)
        chosen = self.reshape(self.greater(last, 0), (x.shape[0],) + (1,) * (x.ndim - 1))
        return self.where(chosen, found, x)
