"""The NumPy functions by name, and `compute`, which carries one out on known values; the reference of the language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..dtypes import cast
from ..strict_array import Array
from . import elementwise, sample, shape, window

KERNELS: Mapping[str, Callable[..., Any]] = {
    **elementwise.KERNELS,
    **shape.KERNELS,
    **window.KERNELS,
    **sample.KERNELS,
}


def compute(name: str, arrays: Sequence[Array], params: tuple, dtypes: tuple[str, ...]) -> list[np.ndarray]:
    """Carry out function `name`; 16-bit floats are computed in float32 and rounded once, at the end."""
    raw = [a.v.astype(np.float32) if a.dtype == "float16" else a.v for a in arrays]
    with np.errstate(all="ignore"):
        found = KERNELS[name](*raw, *params)
    results = found if isinstance(found, tuple) else (found,)
    return [cast(r, d) for r, d in zip(results, dtypes, strict=True)]
