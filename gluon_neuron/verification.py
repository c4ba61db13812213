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
from .report import Report
from .runtime.mxnet_private import flatten

_Pair = tuple[np.ndarray | None, np.ndarray | None]

_SIGNIFICANT_BITS = {"bf16": 8, "fp16": 11, "tf32": 11, "fp8_e4m3": 4}


@dataclass(frozen=True)
class Tolerance:
    """What a float may differ by: `atol + rtol * |reference| + of_range * (the output's largest |reference|)`.

    `why` names the precision that asks for it.
    """

    rtol: float
    atol: float
    of_range: float = 0.0
    why: str = ""

    def __str__(self) -> str:
        share = f", {self.of_range:g} of each output's largest value" if self.of_range else ""
        return f"rtol {self.rtol:g}, atol {self.atol:g}{share}{self.why and f', as for {self.why}'}"


FLOAT32 = Tolerance(1e-3, 1e-4)
"""For a model in float32."""


def tolerance_of(report: Report | None) -> Tolerance:
    """What follows from the precision for which a model was compiled; without a report, from float32.

    A result in a smaller type may be off by four units of its last place, relative to the largest values that were
    summed: for bfloat16, which has 8 significant bits, 2**-6 of the output's range.
    """
    if report is None or report.auto_cast == "none":
        return FLOAT32
    share = 4 * 2.0 ** -_SIGNIFICANT_BITS[report.auto_cast_type]
    return Tolerance(share, FLOAT32.atol, share, f"auto_cast={report.auto_cast!r} in {report.auto_cast_type}")


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
    of_range: float = 0.0
    why: str = ""

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
        allowed = Tolerance(self.rtol, self.atol, self.of_range, self.why)
        head = f"The compiled model {verdict} with the reference ({allowed})."
        table = tabulate(rows, ("output", "max |a-b|", "of the range", "outside", "same top-1"))
        return "\n".join((head, *others, table))


def compare(compiled: Any, reference: Any, inputs: Sequence[Any], allowed: Tolerance) -> Verification:
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
    differences = tuple(_difference(i, pairs, allowed) for i, pairs in enumerate(collected))
    return Verification(differences, allowed.rtol, allowed.atol, allowed.of_range, allowed.why)


def _holds_np(sample: Any) -> bool:
    if isinstance(sample, Mapping):
        sample = list(sample.values())
    if isinstance(sample, tuple | list):
        return any(_holds_np(s) for s in sample)
    return isinstance(sample, mx.np.ndarray)


def _outputs(result: Any) -> list[np.ndarray]:
    flat, _ = flatten(result, "output")
    # MXNet gives bfloat16, which NumPy lacks, as its bits.
    given = [a for a in flat if a is not None]
    return [(a.astype("float32") if np.dtype(a.dtype).kind == "V" else a).asnumpy() for a in given]


def _kind(array: np.ndarray | None) -> str:
    return "none" if array is None else f"{array.dtype}{array.shape}"


def _difference(index: int, pairs: Sequence[_Pair], allowed: Tolerance) -> Difference:
    largest, scale, outside, total, same, rows = 0.0, 0.0, 0, 0, 0, 0
    for a, b in pairs:
        if a is None or b is None or a.shape != b.shape or a.dtype != b.dtype:
            other = f"the compiled model has {_kind(a)}, the reference {_kind(b)}"
            return Difference(index, math.nan, math.nan, 1.0, math.nan, other)
        x, y = a.astype(np.float64), b.astype(np.float64)
        exact = not np.issubdtype(b.dtype, np.floating)
        largest_here = float(np.abs(y[np.isfinite(y)]).max(initial=0.0))
        atol = allowed.atol + allowed.of_range * largest_here
        close = (a == b) if exact else np.isclose(x, y, rtol=allowed.rtol, atol=atol, equal_nan=True)
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
