"""Dtype names of the array language, and how Python scalars and NumPy values are brought into them."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from ..errors import DialectError

FLOATS = frozenset(("float16", "bfloat16", "float32", "float64"))
INTS = frozenset(("int8", "uint8", "int32", "int64"))
NUMBERS = FLOATS | INTS
BOOL = frozenset(("bool",))
ALL = NUMBERS | BOOL

Scalar = bool | int | float
SCALARS = (bool, int, float, np.generic)


class Dtypes:
    """The dtype names as attributes: `xp.float32` is "float32"."""

    bool = "bool"
    int8 = "int8"
    uint8 = "uint8"
    int32 = "int32"
    int64 = "int64"
    float16 = "float16"
    bfloat16 = "bfloat16"
    float32 = "float32"
    float64 = "float64"


def check_dtype(dtype: str) -> str:
    """Return `dtype` when the language has it; raises DialectError otherwise."""
    if not isinstance(dtype, str) or dtype not in ALL:
        raise DialectError(f"{dtype!r} is not a dtype of the array language; it has {', '.join(sorted(ALL))}.")
    return dtype


def storage(dtype: str) -> np.dtype:
    """The NumPy dtype that holds values of `dtype`: float32 for bfloat16, which NumPy lacks."""
    return np.dtype("float32" if dtype == "bfloat16" else dtype)


def lowest(dtype: np.dtype) -> Any:
    """The lowest finite value of a NumPy dtype."""
    return np.finfo(dtype).min if dtype.kind == "f" else np.iinfo(dtype).min


def round_bfloat16(x: np.ndarray) -> np.ndarray:
    """Round to the nearest bfloat16 value (half to even), held as float32."""
    x = np.asarray(x, np.float32)
    bits = x.view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) & np.uint32(0xFFFF0000)
    return np.where(np.isfinite(x), rounded.view(np.float32), x)


def cast(value: np.ndarray, dtype: str) -> np.ndarray:
    """`value` as an ndarray that holds `dtype`; floats are truncated towards zero on their way to integers."""
    with np.errstate(all="ignore"):
        if dtype == "bfloat16":
            return round_bfloat16(value)
        return np.asarray(value, dtype=dtype)


def scalar(value: Any, dtype: str) -> Scalar:
    """A Python scalar that `dtype` can hold; raises DialectError when a fraction, sign or digits would be lost."""
    if isinstance(value, np.generic):
        value = value.item()
    if dtype == "bool":
        if isinstance(value, bool):
            return value
    elif dtype in FLOATS:
        if not isinstance(value, bool):
            return float(value)
    elif not isinstance(value, bool) and isfinite(value) and value == int(value):
        limits = np.iinfo(dtype)
        if limits.min <= value <= limits.max:
            return int(value)
    raise DialectError(f"The scalar {value!r} does not fit {dtype}; convert it in the rule, as MXNet would.")
