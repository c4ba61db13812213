"""What one of the timed calls did, as events: the one whose time is nearest to the mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean

from .regions import Timed
from .times import Event, OperatorTime, RegionTime


def events_of(timed: Timed, regions: Sequence[RegionTime], outside: Sequence[OperatorTime]) -> tuple[Event, ...]:
    """The call itself, the operators that MXNet ran in it, and its regions with their operators inside."""
    mean = fmean(end - begin for begin, end in timed.windows)
    start, stop = min(timed.windows, key=lambda w: abs(w[1] - w[0] - mean))
    found = [Event("call", "call", 0.0, (stop - start) / 1e3, 0, mean / 1e6)]
    means = {row.name: row.ms for row in outside}
    for step in timed.steps:
        if start <= step.begin and step.end <= stop and step.node in means:
            begin, us = (step.begin - start) / 1e3, (step.end - step.begin) / 1e3
            found.append(Event(step.node, "operator in MXNet", begin, us, 0, means[step.node]))
    by_name = {region.name: region for region in regions}
    for run in timed.runs:
        if start <= run.begin and run.end <= stop:
            begin, us = (run.begin - start) / 1e3, (run.end - run.begin) / 1e3
            region = by_name[run.node]
            found.append(Event(run.node, "compiled region", begin, us, run.thread, region.ms))
            found += laid_out(region, begin, us, run.thread)
    return tuple(found)


def laid_out(region: RegionTime, begin: float, us: float, thread: int) -> Iterator[Event]:
    """The operators of a region one behind the other inside one run of it, which they fill in proportion to their
    means."""
    rows = [row for row in region.operators if row.ms > 0 or row.kind == "operator"]
    scale = us / max(1e3 * sum(max(row.ms, 0.0) for row in rows), 1e-9)
    for row in rows:
        length = 1e3 * max(row.ms, 0.0) * scale
        if row.kind != "waiting":
            yield Event(row.name, row.kind, begin, length, thread, row.ms)
        begin += length
