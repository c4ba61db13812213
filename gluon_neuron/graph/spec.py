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


_BFLOAT16 = np.dtype([("bfloat16", np.uint16)])
"""What MXNet has in the place of a type that NumPy lacks."""


def dtype_name(dtype: Any) -> str:
    """The NumPy name of a dtype as MXNet gives it (a class, a NumPy dtype or a name), or "bfloat16"."""
    found = np.dtype(dtype)
    return "bfloat16" if found == _BFLOAT16 else found.name


def mxnet_dtype(name: str) -> np.dtype:
    """The dtype by which MXNet knows the one of that name."""
    return _BFLOAT16 if name == "bfloat16" else np.dtype(name)
