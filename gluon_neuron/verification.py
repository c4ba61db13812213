"""Compares a compiled block with the original, output by output."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import zip_longest
from typing import Any

import mxnet as mx
import numpy as np

from .culprit.found import Culprit, jsonable
from .differences import SIGNIFICANT_BITS, Pair, difference
from .differences import Difference as Difference
from .differences import Tolerance as Tolerance
from .frontend.inputs import arguments, as_numpy, holds_np
from .graph.spec import dtype_name
from .report import Report
from .runtime.mxnet_private import flatten

FLOAT32 = Tolerance(1e-3, 1e-4, atol_of_range=1e-3)
"""For a model in float32."""


def tolerance_of(report: Report | None, dtypes: Iterable[str] = ()) -> Tolerance:
    """What follows from the precision for which a model was compiled, and from the types of its parameters.

    A result in a smaller type than float32 may be off by four units of its last place, relative to the largest values
    that were summed: for bfloat16, which has 8 significant bits, 2**-6 of the output's range.
    """
    if report is None or report.auto_cast == "none":
        return _for_types(FLOAT32, dtypes)
    share = 4 * 2.0 ** -SIGNIFICANT_BITS[report.auto_cast_type]
    why = f"auto_cast={report.auto_cast!r} in {report.auto_cast_type}"
    return replace(FLOAT32, rtol=share, of_range=share, why=why)


def _for_types(allowed: Tolerance, dtypes: Iterable[str]) -> Tolerance:
    for dtype in sorted(dtypes):
        allowed = allowed.for_type(dtype)
    return allowed


@dataclass(frozen=True)
class Verification:
    """The differences of each output; true when there are some, and every element is within the tolerance.

    `culprit` says where the two part, when they do and it was looked for; `note` what else is to be known.
    """

    differences: tuple[Difference, ...]
    rtol: float
    atol: float
    of_range: float = 0.0
    why: str = ""
    culprit: Culprit | None = None
    atol_of_range: float = 0.0
    note: str = ""

    def __bool__(self) -> bool:
        # Where nothing was compared, nothing agrees.
        return bool(self.differences) and all(d.outside == 0 for d in self.differences)

    def to_dict(self) -> dict[str, Any]:
        """The verification as JSON-compatible values; None for numbers that are not finite."""
        return {
            "agrees": bool(self),
            **{k: getattr(self, k) for k in ("rtol", "atol", "atol_of_range", "of_range", "why", "note")},
            "differences": jsonable([asdict(d) for d in self.differences]),
            "culprit": self.culprit and self.culprit.to_dict(),
        }

    def __str__(self) -> str:
        from tabulate import tabulate

        more = self._more()
        rows = [_row(d, more) for d in self.differences]
        allowed = Tolerance(self.rtol, self.atol, self.of_range, self.why, self.atol_of_range)
        verdict = "agrees" if self else "DISAGREES"
        head = f"The compiled model {verdict} with the reference ({allowed})."
        if not self.differences:
            return "Nothing was compared: there were no inputs, or no outputs."
        lines = [head, *filter(None, [self.note]), *self._others(), tabulate(rows, self._columns(more))]
        return "\n".join([*lines, "", str(self.culprit)] if self.culprit else lines)

    def _repr_html_(self) -> str:
        from .pages.fragments import escaped, folded, lines, table

        allowed = Tolerance(self.rtol, self.atol, self.of_range, self.why, self.atol_of_range)
        if not self.differences:
            return f"<p>{escaped(self)}</p>"
        verdict = f"{'✅ agrees' if self else '❌ <b>disagrees</b>'} with the reference"
        parts = [f"<p>The compiled model {verdict} ({escaped(allowed)}).</p>"]
        more = self._more()
        parts.append(table(self._columns(more), [_row(d, more) for d in self.differences]))
        parts += [f"<p>{escaped(note)}</p>" for note in filter(None, [self.note, *self._others()])]
        if self.culprit:
            parts.append(folded("Where they part", lines(self.culprit)))
        return f"<div>{''.join(parts)}</div>"

    def _more(self) -> list[str]:
        """The columns of what was measured for some output."""
        return [name for name in ("cosine", "top5") if any(not math.isnan(getattr(d, name)) for d in self.differences)]

    def _columns(self, more: Sequence[str]) -> list[str]:
        return [*_COLUMNS, *({"cosine": "cosine", "top5": "same top-5"}[name] for name in more)]

    def _others(self) -> list[str]:
        """What is to be said of single outputs."""
        allowed = str(Tolerance(self.rtol, self.atol, self.of_range, self.why, self.atol_of_range))
        said = [f"Output {d.output}: {d.other}." for d in self.differences if d.other]
        other_types = {d.output: d.tolerance for d in self.differences if d.tolerance not in ("", allowed)}
        return said + [f"Output {i} is compared so: {text}." for i, text in other_types.items()]


_COLUMNS = ("output", "max |a-b|", "of the range", "outside", "same top-1")


def _row(d: Difference, more: Sequence[str]) -> tuple[Any, ...]:
    texts = {"cosine": f"{d.cosine:.6f}", "top5": "" if math.isnan(d.top5) else f"{d.top5:.1%}"}
    return (
        *(d.output, f"{d.max_abs:.2e}", f"{d.max_rel:.2e}", f"{d.outside:.2%}", f"{d.top1:.1%}"),
        *(texts[name] for name in more),
    )


@dataclass(frozen=True)
class Compared:
    """A verification, and what the outputs were, for each input in order."""

    verification: Verification
    outputs: Sequence[Sequence[Pair]]
    tolerances: Sequence[Tolerance]

    @property
    def first_apart(self) -> int:
        """The number of the first input for which they do not agree, -1 for none."""
        for number, pairs in enumerate(self.outputs):
            if any(difference(0, [pair], t).outside for pair, t in zip(pairs, self.tolerances)):
                return number
        return -1


def compare(compiled: Any, reference: Any, inputs: Sequence[Any], allowed: Tolerance) -> Verification:
    """Run both on every input and compare; see `gluon_neuron.verify`."""
    return compared(compiled, reference, inputs, allowed).verification


def compared(
    compiled: Any, reference: Any, inputs: Sequence[Any], allowed: Tolerance, by_type: bool = False
) -> Compared:
    """As `compare`, with the outputs.

    `by_type`: those of a type with fewer bits than float32 are allowed what that costs.
    """
    runs: list[list[Pair]] = []
    types: list[set[str]] = []
    for sample in inputs:
        args = arguments(reference, sample, mx.util.is_np_array() or holds_np(sample))
        found, expected = _flat(compiled(*args)), _flat(reference(*args))
        runs.append([(_numpy(a), _numpy(b)) for a, b in zip_longest(found, expected)])
        types += [set() for _ in range(len(expected) - len(types))]
        for seen, array in zip(types, expected):
            seen.add(dtype_name(array.dtype))
    outputs = list(zip_longest(*runs))
    by_output = zip_longest(types, outputs, fillvalue=())
    tolerances = [_for_types(allowed, seen if by_type else ()) for seen, _ in by_output]
    given = [[p for p in pairs if p is not None] for pairs in outputs]
    differences = tuple(difference(i, pairs, own) for i, (pairs, own) in enumerate(zip(given, tolerances)))
    made = Verification(
        *(differences, allowed.rtol, allowed.atol, allowed.of_range, allowed.why), atol_of_range=allowed.atol_of_range
    )
    return Compared(made, runs, tolerances)


def _flat(result: Any) -> list[mx.nd.NDArray]:
    return [a for a in flatten(result, "output")[0] if a is not None]


def _numpy(array: mx.nd.NDArray | None) -> np.ndarray | None:
    return None if array is None else as_numpy(array)
