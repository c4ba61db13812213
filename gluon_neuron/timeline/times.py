"""Profile: where the time of a compiled model's call goes, as values, a table, a page and a trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import ExportError, InputError
from ..stitch.in_place import put


@dataclass(frozen=True)
class OperatorTime:
    """A row: what takes time, and how much of a call.

    `name` is that of MXNet's node, of several joined by " + " where the engine computes them in one, or a description
    of what is none. `op` are the operators likewise ("Convolution + BatchNorm"). `kind` is "operator", "copies"
    (layouts changed, arrays copied), "engine" (what the engine has put in), or "waiting" (what is left of the
    region's time). `ms` are milliseconds of a call, and `kernels` what the engine computes it by.
    """

    name: str
    op: str
    kind: str
    ms: float
    kernels: tuple[str, ...] = ()


@dataclass(frozen=True)
class RegionTime:
    """A compiled region: milliseconds of a call, and its rows, of which `ms` is the sum, in the order of their
    execution.

    `program` is "static", made for these shapes, or "dynamic", for any; `parts` says into how many the batch was
    split, which run in so many `streams` at once: a row's time is then that of all parts, divided by the streams.
    `runs` is how often a call runs it. `folded` names operators that take no time of a call: they follow from weights
    alone, or nothing is left of them.
    """

    name: str
    ms: float
    program: str
    parts: int
    streams: int
    runs: float
    operators: tuple[OperatorTime, ...]
    folded: tuple[str, ...] = ()


@dataclass(frozen=True)
class Event:
    """Something that happened in one of the calls: from when on, and for how long, both in microseconds.

    `mean_ms` is the mean of its duration; that of an operator in a region is known as a mean alone, so such events
    stand one behind the other from the region's beginning. `thread` is the system's number.
    """

    name: str
    category: str
    begin_us: float
    us: float
    thread: int
    mean_ms: float


@dataclass(frozen=True)
class Profile:
    """Where the time of a call goes: means over `calls` calls after `warmup` others and one more, in milliseconds.

    `ms` is a call's wall time while it was timed, until its results are there: the sum of `regions`, of `outside`
    (the operators left in MXNet, each waited for where there are some) and of `unattributed`: inputs and results
    copied, threads waiting for each other, MXNet and Python themselves. `ordinary_ms` is that of the same calls when
    nothing is timed. `inputs` are their shapes and types by name, `note` what else is to be known, and `events` what
    one of the calls did.
    """

    inputs: dict[str, str]
    target: str
    engine: str
    calls: int
    warmup: int
    ms: float
    ordinary_ms: float
    regions: tuple[RegionTime, ...]
    outside: tuple[OperatorTime, ...]
    unattributed: float
    note: str = ""
    events: tuple[Event, ...] = ()

    def rows(self) -> Iterator[tuple[str, OperatorTime]]:
        """Every row with the name of its region, "" outside: their times add up to `ms`."""
        for region in self.regions:
            for row in region.operators:
                yield region.name, row
        for row in self.outside:
            yield "", row
        yield "", OperatorTime("not attributed", "", "waiting", self.unattributed)

    def by_kind(self) -> dict[str, float]:
        """Milliseconds of a call in compiled operators, operators in MXNet, copies, the engine's own, and waiting."""
        found = dict.fromkeys(("compiled operators", "operators in MXNet", "copies", "engine", "waiting"), 0.0)
        for region, row in self.rows():
            own = "compiled operators" if region else "operators in MXNet"
            found[own if row.kind == "operator" else row.kind] += row.ms
        return found

    def to_dict(self) -> dict[str, Any]:
        """The profile as JSON-compatible values."""
        found: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return {**found, "by_kind": self.by_kind()}

    def __str__(self) -> str:
        from .table import text_of

        return text_of(self)

    def _repr_html_(self) -> str:
        from .page import fragment

        return fragment(self)

    def save(self, path: str | Path) -> None:
        """Write a page (.html) that needs nothing else, or a trace (.json) as `save_trace` does.

        Raises InputError for another ending, and ExportError where the file cannot be written: what was there is then
        unchanged.
        """
        from .page import page

        place = _checked(path, (".html", ".htm", ".json"))
        if place.suffix.lower() == ".json":
            self.save_trace(place)
            return
        _write(place, page(self))

    def save_trace(self, path: str | Path) -> None:
        """Write a trace of one call for chrome://tracing and Perfetto (.json); raises as `save`."""
        from .chrome_trace import trace

        place = _checked(path, (".json",))
        _write(place, json.dumps(trace(self)))


def _checked(path: str | Path, endings: tuple[str, ...]) -> Path:
    place = Path(path)
    if place.suffix.lower() not in endings:
        allowed = " or ".join(endings)
        raise InputError(
            f"{place} ends in {place.suffix or 'nothing'}; a profile is written to a file that ends in {allowed}."
        )
    return place


def _write(place: Path, text: str) -> None:
    try:
        put([(place, lambda at: at.write_text(text, encoding="utf-8"))])
    except OSError as error:
        raise ExportError(f"{place} cannot be written: {error}.") from error
