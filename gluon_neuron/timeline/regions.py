"""The times of compiled regions and of the operators in them, from what the engine has timed of its kernels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from ..engine.timed_runs import Run, TimedKernel, TimedProgram
from ..graph.graph import VARIABLE
from ..runtime.stepped_call import Step
from .kernel_names import Named, label_of, name_kernels
from .times import OperatorTime, RegionTime

COPIES = "copies between layouts"


@dataclass
class Timed:
    """What was timed: from when to when each call went, and each ordinary one; what MXNet ran, and what regions ran.

    `earlier` are the runs before the first of these calls, and `before` is what was known of the kernels then.
    """

    windows: list[tuple[int, int]] = field(default_factory=list)
    ordinary: list[tuple[int, int]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    earlier: list[Run] = field(default_factory=list)
    before: dict[int, TimedProgram] = field(default_factory=dict)
    programs: dict[int, TimedProgram] = field(default_factory=dict)


def region_times(timed: Timed, calls: int) -> tuple[RegionTime, ...]:
    """The regions that ran in the timed calls, in the order of their first runs, each with its operators."""
    pairs = dict.fromkeys((run.node, run.program) for run in timed.runs)
    return tuple(_region(name, number, timed, calls) for name, number in pairs)


def _region(name: str, number: int, timed: Timed, calls: int) -> RegionTime:
    runs = [run for run in timed.runs if run.node == name and run.program == number]
    ms = sum(run.end - run.begin for run in runs) / calls / 1e6
    program = timed.programs[number]
    counts = tuple(sum(run.program == number for run in some) for some in (timed.earlier, timed.runs))
    kernels = _means(timed.before.get(number), program, *counts)
    named = name_kernels(program.region, program.data, [k for k, _ in kernels], program.described)
    us = {k.name: mean for k, mean in kernels}
    # A part is run by one of the streams, which work at the same time.
    share = len(runs) / calls * program.parts / program.streams / 1e3
    rows = tuple(_rows(program.region, named, {n: mean * share for n, mean in us.items()}))
    rest = ms - sum(row.ms for row in rows)
    shown = {i for each in named for i in each.nodes}
    nodes = program.region["nodes"]
    folded = tuple(n["name"] for i, n in enumerate(nodes) if n["op"] != VARIABLE and i not in shown)
    return RegionTime(
        name=name,
        ms=ms,
        program="dynamic" if program.dynamic else "static",
        parts=program.parts,
        streams=program.streams,
        runs=len(runs) / calls,
        operators=(*rows, OperatorTime("waiting", "", "waiting", rest)),
        folded=folded,
    )


def _means(
    before: TimedProgram | None, after: TimedProgram, earlier: int, later: int
) -> list[tuple[TimedKernel, float]]:
    """Each kernel with the mean of its later runs, in microseconds: the engine tells that of all its runs so far."""
    first = _over_graphs(before) if before is not None and before.graphs else {}
    last = _over_graphs(after)
    found = []
    for kernel in after.graphs[0] if after.graphs else ():
        mean = last[kernel.name]
        if kernel.name in first and later:
            mean = max(0.0, (mean * (earlier + later) - first[kernel.name] * earlier) / later)
        found.append((kernel, mean))
    return found


def _over_graphs(program: TimedProgram) -> dict[str, float]:
    # Each stream has a graph of its own, and several requests may share one.
    times: dict[str, list[int]] = {}
    for graph in program.graphs:
        for kernel in graph:
            times.setdefault(kernel.name, []).append(kernel.us)
    return {name: fmean(each) for name, each in times.items()}


def _rows(graph: Mapping[str, Any], named: Sequence[Named], ms: Mapping[str, float]) -> Iterator[OperatorTime]:
    """A row for the kernels that compute the same operators, one for all copies, and one for each of the engine's
    own."""
    groups: dict[Any, list[Named]] = {}
    for each in named:
        key = each.nodes or (COPIES if each.copies else each.kernel.name)
        groups.setdefault(key, []).append(each)
    for key, kernels in groups.items():
        spent = sum(ms[k.kernel.name] for k in kernels)
        how = tuple(dict.fromkeys(_way(k) for k in kernels))
        if kernels[0].nodes:
            name, op = label_of(graph, kernels[0].nodes)
            yield OperatorTime(name, op, "operator", spent, how)
        elif kernels[0].copies:
            yield OperatorTime(COPIES, "", "copies", spent, how)
        else:
            name, _ = label_of(graph, kernels[0].behind)
            yield OperatorTime(f"{kernels[0].kind} behind {name}" if name else key, "", "engine", spent, how)


def _way(named: Named) -> str:
    """What computes it, as the engine calls that; of copies and views it does not know more than their kind."""
    how = named.kernel.implementation
    return named.kind if how.startswith("unknown") else f"{named.kind} {how}"
