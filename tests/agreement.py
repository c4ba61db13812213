"""Whether results agree: structure, shape, dtype and values, exactly unless a tolerance is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np


def agree(
    found: Any,
    expected: Any,
    rtol: float = 0.0,
    atol: float = 0.0,
    *,
    dtype: bool = True,
    kind: bool = False,
    where: str = "",
) -> None:
    """Assert that `found` is `expected`: arrays of MXNet or NumPy, scalars, None, or nested lists, tuples and dicts.

    A value agrees when it is equal, or when both are finite and |found - expected| <= atol + rtol * |expected|. NaN
    agrees with NaN alone, and every value with its likes in the same place: nothing is broadcast. `dtype=False` lets
    dtypes differ; `kind=True` asks for one type of array too, as mx.nd.NDArray is not mx.np.ndarray. Lists and tuples
    count as one structure, as MXNet mixes them. `where` begins the message, which names the place and both values.
    """
    prefix = f"{where}: " if where else ""
    for place, one, other in _pairs(found, expected, "", prefix):
        _leaf(one, other, rtol, atol, dtype, kind, f"{prefix}{place and f'at {place}: '}")


def _pairs(found: Any, expected: Any, place: str, prefix: str) -> Iterator[tuple[str, Any, Any]]:
    """Each leaf of `expected` with its place and what was found there; raises where the structures differ."""
    if isinstance(expected, Mapping):
        right = isinstance(found, Mapping) and found.keys() == expected.keys()
        keys: list[Any] = list(expected)
    elif isinstance(expected, list | tuple):
        right = isinstance(found, list | tuple) and len(found) == len(expected)
        keys = list(range(len(expected)))
    else:
        yield place, found, expected
        return
    at = f"at {place}: " if place else ""
    assert right, f"{prefix}{at}found {_structure(found)}, expected {_structure(expected)}"
    for key in keys:
        yield from _pairs(found[key], expected[key], f"{place}[{key!r}]", prefix)


def _leaf(found: Any, expected: Any, rtol: float, atol: float, dtype: bool, kind: bool, at: str) -> None:
    if expected is None:
        assert found is None, f"{at}found {_structure(found)}, expected None"
        return
    assert found is not None and not isinstance(found, Mapping | list | tuple), (
        f"{at}found {_structure(found)}, expected {_structure(expected)}"
    )
    if kind:
        assert type(found) is type(expected), f"{at}found a {type(found)}, expected a {type(expected)}"
    a, b = _array(found), _array(expected)
    for one in (a, b):
        assert one.dtype.kind not in "OSUM", f"{at}{one!r} cannot be compared"
    assert a.shape == b.shape, f"{at}found the shape {a.shape}, expected {b.shape}"
    if dtype:
        assert a.dtype == b.dtype, f"{at}found the dtype {a.dtype}, expected {b.dtype}"
    wrong = ~_close(a, b, rtol, atol)
    if wrong.any():
        raise AssertionError(at + _worst(a, b, wrong, rtol, atol))


def _close(a: np.ndarray, b: np.ndarray, rtol: float, atol: float) -> np.ndarray:
    """Where two arrays of one shape agree."""
    same = np.asarray((a == b) | ((a != a) & (b != b)))
    if (rtol or atol) and not same.all():
        a, b = _wide(a), _wide(b)
        # What is not finite is equal or not; an infinite bound would let anything pass.
        both = np.isfinite(a) & np.isfinite(b)
        with np.errstate(invalid="ignore", over="ignore"):
            same |= both & (np.abs(a - b) <= atol + rtol * np.abs(b))
    return same


def _worst(a: np.ndarray, b: np.ndarray, wrong: np.ndarray, rtol: float, atol: float) -> str:
    """What is to be said of the place that is furthest beyond what is allowed."""
    with np.errstate(invalid="ignore", over="ignore"):
        beyond = np.abs(_wide(a) - _wide(b)) - rtol * np.abs(_wide(b))
    # A NaN or an infinity in one of them alone is as far as can be.
    beyond = np.where(wrong, np.where(np.isnan(beyond), np.inf, beyond), -np.inf)
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(beyond)), a.shape))
    place = f" at {list(index)}" if index else ""
    allowed = f"allowed are rtol={rtol:g} and atol={atol:g}" if rtol or atol else "they have to be equal"
    count = f"; {int(wrong.sum())} of {a.size} values differ" if a.size > 1 else ""
    return f"found {a[index]}{place}, expected {b[index]}; {allowed}{count}"


def _wide(values: np.ndarray) -> np.ndarray:
    return values if values.dtype.kind == "c" else values.astype(np.float64)


def _array(value: Any) -> np.ndarray:
    return value.asnumpy() if hasattr(value, "asnumpy") else np.asarray(value)


def _structure(value: Any) -> str:
    """A structure in a few words."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k!r}: {_structure(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence) and isinstance(value, list | tuple):
        return f"{type(value).__name__}({', '.join(_structure(v) for v in value)})"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{type(value).__name__}{tuple(value.shape)}"
    return repr(value)
