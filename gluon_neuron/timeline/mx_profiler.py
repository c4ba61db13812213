"""Compiled regions and their operators in what `mx.profiler` writes.

While MXNet's profiler runs, regions run as programs whose engine times each kernel. MXNet takes no times but those
that it measures itself, and no operator of a region runs by itself: so they are added to what it has written.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine import native_library, timed_runs
from ..engine.timed_runs import Run, TimedRuns
from ..stitch.in_place import put

if TYPE_CHECKING:
    from .times import RegionTime

# What imports MXNet is imported where it is needed: this module is imported while MXNet is, by whoever does that first.

NAME = "mx.profiler"
PROCESS = 0x6E6575
"""The number of the process under which the regions stand; MXNet numbers its devices from 0 on."""

_logger = logging.getLogger("gluon_neuron")


class _Session:
    """What is timed from one `set_state("run")` to the `dump` that ends it; and MXNet's settings, which it cannot be
    asked."""

    def __init__(self) -> None:
        self.config: dict[str, Any] = {}
        self.timing: TimedRuns | None = None
        self.clock = 0

    @property
    def wanted(self) -> bool:
        return bool(self.config.get("profile_all") or self.config.get("profile_symbolic", True))

    def begin(self) -> None:
        if not self.wanted or not native_library.FILE.exists():
            return
        if self.timing is None:
            from ..targets.cpu.kernels import kernels_of

            other = timed_runs.take(NAME)
            if other:
                _logger.warning("mx.profiler shows no compiled regions: %s is timing them.", other)
                return
            self.timing = TimedRuns(kernels_of)
            # MXNet's times are those of the system's clock, in microseconds.
            self.clock = time.time_ns() - time.perf_counter_ns()
        self.timing.turn(True)

    def turn(self, on: bool) -> None:
        if self.timing is not None:
            self.timing.turn(on)

    def end(self) -> None:
        if self.timing is not None:
            self.timing.end()
            self.timing = None
            timed_runs.give_back()

    def regions(self) -> tuple[list[Run], tuple[RegionTime, ...]]:
        """All runs, and each region with the means of one run."""
        if self.timing is None:
            return [], ()
        from .regions import Timed, region_times

        runs, programs = self.timing.read()
        runs = [run for run in runs if run.program in programs]
        found: list[RegionTime] = []
        for node, number in dict.fromkeys((run.node, run.program) for run in runs):
            own = [run for run in runs if (run.node, run.program) == (node, number)]
            found += region_times(Timed(runs=own, programs=programs), len(own))
        return runs, tuple(found)


_session = _Session()


def _set_config(original: Callable[..., Any], **config: Any) -> None:
    original(**config)
    if config.get("profile_process", "worker") == "worker":
        _session.config.update(config)


def _set_state(original: Callable[..., Any], state: str = "stop", profile_process: str = "worker") -> None:
    original(state, profile_process)
    if profile_process != "worker":
        return
    if state == "run":
        _session.begin()
    else:
        _session.turn(False)


def _pause(original: Callable[..., Any], profile_process: str = "worker") -> None:
    original(profile_process)
    if profile_process == "worker":
        _session.turn(False)


def _resume(original: Callable[..., Any], profile_process: str = "worker") -> None:
    original(profile_process)
    if profile_process == "worker":
        _session.turn(True)


def _dump(original: Callable[..., Any], finished: bool = True, profile_process: str = "worker") -> None:
    original(finished, profile_process)
    if profile_process != "worker" or not finished or _session.timing is None:
        return
    try:
        runs, regions = _session.regions()
        if regions:
            _add(Path(_session.config.get("filename", "profile.json")), [*_events(runs, regions)])
    finally:
        _session.end()


def _dumps(
    original: Callable[..., Any],
    reset: bool = False,
    format: str = "table",
    sort_by: str = "total",
    ascending: bool = False,
) -> str:
    text: str = original(reset, format, sort_by, ascending)
    _, regions = _session.regions()
    if reset and _session.timing is not None:
        _session.timing.forget()
    if not regions:
        return text
    if format == "table":
        return "\n".join([text.rstrip("\n"), "", *_table(regions), ""])
    found = json.loads(text)
    found["Compiled regions"] = [_numbers(region) for region in regions]
    return json.dumps(found)


WRAPPERS: Mapping[str, Callable[..., Any]] = {
    "set_config": _set_config,
    "set_state": _set_state,
    "pause": _pause,
    "resume": _resume,
    "dump": _dump,
    "dumps": _dumps,
}
"""What takes the places of functions of `mx.profiler`; each gets the one that it replaces."""


def _events(runs: Sequence[Run], regions: Sequence[RegionTime]) -> Iterator[dict[str, Any]]:
    """Each run of a region as an event with its operators inside, on a process of their own."""
    from .events import laid_out

    yield {"name": "process_name", "ph": "M", "pid": PROCESS, "args": {"name": "gluon_neuron"}}
    pairs = dict.fromkeys((run.node, run.program) for run in runs)
    by_program = dict(zip(pairs, regions, strict=True))
    for run in runs:
        region = by_program[run.node, run.program]
        begin, us = (run.begin + _session.clock) / 1e3, (run.end - run.begin) / 1e3
        yield _event(f"region {region.name}", "compiled region", begin, us, run.thread, region.ms)
        for event in laid_out(region, begin, us, run.thread):
            yield _event(event.name, event.category, event.begin_us, event.us, run.thread, event.mean_ms)


def _event(name: str, category: str, begin: float, us: float, thread: int, mean: float) -> dict[str, Any]:
    place = {"ts": round(begin, 3), "dur": round(us, 3), "pid": PROCESS, "tid": thread}
    return {"name": name, "cat": category, "ph": "X", **place, "args": {"mean ms": mean}}


def _add(place: Path, events: list[dict[str, Any]]) -> None:
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
        found["traceEvents"] += events
    except (OSError, ValueError, TypeError, KeyError) as why:
        _logger.warning(
            "mx.profiler's file %s does not show compiled regions, for it cannot be read (%s). MXNet 1.9 writes a "
            "whole file at the first dump of a process alone.",
            *(place, why),
        )
        return
    put([(place, lambda at: at.write_text(json.dumps(found), encoding="utf-8"))])


def _table(regions: Sequence[RegionTime]) -> Iterator[str]:
    """Beside MXNet's own tables; of operators in a region the mean alone is known."""
    from tabulate import tabulate

    for region in regions:
        rows = sorted(region.operators, key=lambda row: row.ms, reverse=True)
        shown = [("a run", f"{region.ms:.4f}"), *((row.name, f"{row.ms:.4f}") for row in rows)]
        title = f"Compiled region {region.name}"
        yield from (title, "=" * len(title))
        yield tabulate(shown, ("Name", "Avg Time (ms)"), disable_numparse=True, colalign=("left", "right"))
        yield ""


def _numbers(region: RegionTime) -> dict[str, Any]:
    return {"Name": region.name, "Avg": region.ms, "Operators": {row.name: row.ms for row in region.operators}}
