"""Compares a compiled block with the original, output by output."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import mxnet as mx
import numpy as np

from .frontend.inputs import arguments
from .runtime.mxnet_private import flatten

_Pair = tuple[np.ndarray | None, np.ndarray | None]


@dataclass(frozen=True)
class Difference:
    """How one output differs over all inputs.

    `max_abs` is the largest |a-b|, infinite where one is not finite and the other is not the same; `max_rel` is that
    over the reference's largest finite |b|, `outside` the share of elements outside the tolerance, `top1` the share of
    rows (over the last axis) with the same largest element. `other` says what else differs: the output is missing, or
    its shape or dtype is not the reference's; the numbers are then nan, and `outside` is 1.
    """

    output: int
    max_abs: float
    max_rel: float
    outside: float
    top1: float
    other: str = ""


@dataclass(frozen=True)
class Verification:
    """The differences of each output; true when every element is within the tolerance."""

    differences: tuple[Difference, ...]
    rtol: float
    atol: float

    def __bool__(self) -> bool:
        return all(d.outside == 0 for d in self.differences)

    def __str__(self) -> str:
        from tabulate import tabulate

        rows = [
            (d.output, f"{d.max_abs:.2e}", f"{d.max_rel:.2e}", f"{d.outside:.2%}", f"{d.top1:.1%}")
            for d in self.differences
        ]
        others = [f"Output {d.output}: {d.other}." for d in self.differences if d.other]
        verdict = "agrees" if self else "DISAGREES"
        head = f"The compiled model {verdict} with the reference (rtol {self.rtol:g}, atol {self.atol:g})."
        table = tabulate(rows, ("output", "max |a-b|", "of the range", "outside", "same top-1"))
        return "\n".join((head, *others, table))


def compare(compiled: Any, reference: Any, inputs: Sequence[Any], rtol: float, atol: float) -> Verification:
    """Run both on every input and compare; see `gluon_neuron.verify`."""
    is_np = mx.util.is_np_array()
    collected: list[list[_Pair]] = []
    for sample in inputs:
        args = arguments(reference, sample, is_np or _holds_np(sample))
        found, expected = _outputs(compiled(*args)), _outputs(reference(*args))
        for i, pair in enumerate(zip_longest(found, expected)):
            if len(collected) <= i:
                collected.append([])
            collected[i].append(pair)
    return Verification(tuple(_difference(i, pairs, rtol, atol) for i, pairs in enumerate(collected)), rtol, atol)


def _holds_np(sample: Any) -> bool:
    if isinstance(sample, Mapping):
        sample = list(sample.values())
    if isinstance(sample, tuple | list):
        return any(_holds_np(s) for s in sample)
    return isinstance(sample, mx.np.ndarray)


def _outputs(result: Any) -> list[np.ndarray]:
    flat, _ = flatten(result, "output")
    # MXNet gives bfloat16, which NumPy lacks, as its bits.
    return [(a.astype("float32") if np.dtype(a.dtype).kind == "V" else a).asnumpy() for a in flat]


def _kind(array: np.ndarray | None) -> str:
    return "none" if array is None else f"{array.dtype}{array.shape}"


def _difference(index: int, pairs: Sequence[_Pair], rtol: float, atol: float) -> Difference:
    largest, scale, outside, total, same, rows = 0.0, 0.0, 0, 0, 0, 0
    for a, b in pairs:
        if a is None or b is None or a.shape != b.shape or a.dtype != b.dtype:
            other = f"the compiled model has {_kind(a)}, the reference {_kind(b)}"
            return Difference(index, math.nan, math.nan, 1.0, math.nan, other)
        x, y = a.astype(np.float64), b.astype(np.float64)
        exact = not np.issubdtype(b.dtype, np.floating)
        close = (a == b) if exact else np.isclose(x, y, rtol=rtol, atol=atol, equal_nan=True)
        outside += int(np.count_nonzero(~close))
        total += close.size
        finite = np.isfinite(x) & np.isfinite(y)
        if not np.array_equal(x[~finite], y[~finite], equal_nan=True):
            largest = math.inf
        if finite.any():
            largest = max(largest, float(np.abs(x - y)[finite].max()))
            scale = max(scale, float(np.abs(y)[finite].max()))
        if b.ndim and b.size:
            top = x.argmax(-1) == y.argmax(-1)
            same += int(np.count_nonzero(top))
            rows += top.size
    relative = largest / scale if scale else largest
    return Difference(index, largest, relative, outside / total if total else 0.0, same / rows if rows else 1.0)
