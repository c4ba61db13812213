"""Spec: the shape and dtype of one array, as MXNet's own inference gives it."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

ITEM_SIZE = {
    "bool": 1,
    "int8": 1,
    "uint8": 1,
    "int32": 4,
    "int64": 8,
    "float16": 2,
    "bfloat16": 2,
    "float32": 4,
    "float64": 8,
}


@dataclass(frozen=True, slots=True)
class Spec:
    """Shape (a tuple of non-negative ints) and dtype (a NumPy name, or "bfloat16") of one array."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Number of bytes of the elements, without any padding."""
        return self.size * ITEM_SIZE[self.dtype]

    def __str__(self) -> str:
        return f"{self.dtype}{list(self.shape)}"


def dtype_name(dtype: Any) -> str:
    """The NumPy name of a dtype as MXNet gives it (a class, a NumPy dtype or a name)."""
    return np.dtype(dtype).name
