"""The NumPy functions by name, and `compute`, which carries one out on known values; the reference of the language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from . import numpy_elementwise, numpy_sample, numpy_shape, numpy_window
from .array import Array
from .dtypes import cast

KERNELS: Mapping[str, Callable[..., Any]] = {
    **numpy_elementwise.KERNELS,
    **numpy_shape.KERNELS,
    **numpy_window.KERNELS,
    **numpy_sample.KERNELS,
}


def compute(name: str, arrays: Sequence[Array], params: tuple, dtypes: tuple[str, ...]) -> list[np.ndarray]:
    """Carry out function `name`; 16-bit floats are computed in float32 and rounded once, at the end."""
    raw = [a.v.astype(np.float32) if a.dtype == "float16" else a.v for a in arrays]
    with np.errstate(all="ignore"):
        found = KERNELS[name](*raw, *params)
    results = found if isinstance(found, tuple) else (found,)
    return [cast(r, d) for r, d in zip(results, dtypes, strict=True)]
