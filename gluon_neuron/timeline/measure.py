"""Measures where the time of calls goes: the engine's kernels, MXNet's operators one by one, and what is left."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import mxnet as mx

from ..engine import timed_runs
from ..engine.timed_runs import TimedRuns
from ..errors import CompileError, OptionError, ProfileError
from ..graph.graph import VARIABLE
from ..graph.spec import Spec, dtype_name
from ..graph.subgraph import SUBGRAPH_OP
from ..runtime.mxnet_private import flatten
from ..runtime.stepped_call import Step, SteppedCall
from ..targets.cpu.kernels import kernels_of
from .events import events_of
from .regions import Timed, region_times
from .times import OperatorTime, Profile

Arrays = Sequence[mx.nd.NDArray]
Run = Callable[[Arrays], list[mx.nd.NDArray]]

NAME = "net.profile"


@dataclass(frozen=True)
class Source:
    """A compiled model, as far as a profile of it needs.

    `call` makes the call that is profiled; `run` does with its own argument in the place of `whole`, which runs the
    model for the arrays of one shape. `ready` has the programs for such arrays made. `open_shapes` is as in the
    metadata.
    """

    symbol: mx.sym.Symbol
    params: Mapping[str, mx.gluon.Parameter]
    inputs: Sequence[str]
    is_np: bool
    open_shapes: bool
    target: str
    engine: str
    call: Callable[[], Any]
    run: Callable[[Run], Any]
    whole: Run
    ready: Callable[[Arrays], None]


def measure(source: Source, arrays: Arrays, calls: int, warmup: int) -> Profile:
    """Profile calls with these arrays; see `NeuronHybridBlock.profile`."""
    if not isinstance(calls, int) or not isinstance(warmup, int) or calls < 1 or warmup < 0:
        raise OptionError(f"calls={calls!r} must be a whole number from 1 on, and warmup={warmup!r} one from 0 on.")
    raw = json.loads(source.symbol.tojson(remove_amp_cast=False))
    left = {n["name"]: n["op"] for n in raw["nodes"] if n["op"] not in (VARIABLE, SUBGRAPH_OP)}
    with _turn(), mx.autograd.pause(train_mode=False):
        _make_ready(source)
        timed = _timed(source, calls, warmup, source.open_shapes or bool(left))
    _check_engine(timed)
    regions = region_times(timed, calls)
    outside = _outside(left, timed, calls)
    ms = fmean(end - begin for begin, end in timed.windows) / 1e6
    rest = ms - sum(r.ms for r in regions) - sum(o.ms for o in outside)
    note = ""
    if source.target != "cpu" and regions:
        note = f"It was compiled for {source.target}; there is none here, so this is the CPU's program."
    return Profile(
        inputs={n: str(Spec(tuple(a.shape), dtype_name(a.dtype))) for n, a in zip(source.inputs, arrays, strict=True)},
        target=source.target,
        engine=source.engine,
        calls=calls,
        warmup=warmup,
        ms=ms,
        ordinary_ms=fmean(end - begin for begin, end in timed.ordinary) / 1e6,
        regions=regions,
        outside=outside,
        unattributed=rest,
        note=note,
        events=events_of(timed, regions, outside),
    )


@contextmanager
def _turn() -> Iterator[None]:
    other = timed_runs.take(NAME)
    if other:
        raise ProfileError(
            f"{other} times this process's compiled regions already: end it before (mx.profiler by "
            "mx.profiler.set_state('stop')), and call net.profile again."
        )
    try:
        yield
    finally:
        timed_runs.give_back()


def _check_engine(timed: Timed) -> None:
    unknown = next((run.node for run in timed.runs if not run.program), None)
    if unknown is not None:
        raise ProfileError(
            f"{unknown} runs on a NeuronCore, where only AWS's own neuron-profile sees operators: keep its program "
            "(SUBGRAPH_INFO=1 while it is compiled), then `neuron-profile capture -n FILE.neff -s profile.ntff` and "
            "`neuron-profile view -n FILE.neff -s profile.ntff`. Compile for target='cpu' to profile the CPU's program."
        )


def _outside(left: Mapping[str, str], timed: Timed, calls: int) -> tuple[OperatorTime, ...]:
    """The operators that MXNet runs, in its order."""
    spent: dict[str, int] = {}
    for step in timed.steps:
        if step.node in left:
            spent[step.node] = spent.get(step.node, 0) + step.end - step.begin
    return tuple(OperatorTime(node, left[node], "operator", ns / calls / 1e6) for node, ns in spent.items())


def _make_ready(source: Source) -> None:
    """Have the programs made that these calls run when they are met often enough."""
    if source.open_shapes:
        return

    def ready(given: Arrays) -> list[mx.nd.NDArray]:
        source.ready(given)
        return source.whole(given)

    try:
        _wait(source.run(ready))
    except CompileError as why:
        raise ProfileError(
            "There is no program for these shapes, so MXNet runs such calls, and mx.profiler tells where their time "
            f"goes. The reason is: {why}"
        ) from why


def _window(call: Callable[[], Any]) -> tuple[int, int]:
    """From when to when a call went, until its results were there."""
    begin = time.perf_counter_ns()
    _wait(call())
    return begin, time.perf_counter_ns()


def _wait(results: Any) -> None:
    for array in flatten(results, "output")[0]:
        if array is not None:
            array.wait_to_read()


def _timed(source: Source, calls: int, warmup: int, has_outside: bool) -> Timed:
    stepping = _Stepping(source)
    call = (lambda: source.run(stepping.run)) if has_outside else source.call
    found = Timed()
    timing = TimedRuns(kernels_of)
    try:
        # In turns, so that what else the machine does is the same for both. The first one compiles what the others run.
        for number in range(1 + warmup + calls):
            if number == 1 + warmup:
                found.earlier, found.before = timing.read()
                stepping.steps.clear()
            ordinary = _window(source.call)
            with timing.on():
                timed = _window(call)
            if number > warmup:
                found.ordinary.append(ordinary)
                found.windows.append(timed)
        runs, found.programs = timing.read()
    finally:
        timing.end()
    found.steps, found.runs = stepping.steps, runs[len(found.earlier) :]
    return found


@dataclass
class _Stepping:
    """The model run operator by operator, for the arrays of each shape by an executor of its own."""

    source: Source
    steps: list[Step] = field(default_factory=list)
    calls: dict[Any, SteppedCall] = field(default_factory=dict)

    def run(self, given: Arrays) -> list[mx.nd.NDArray]:
        """The results for these arrays."""
        source = self.source
        key = tuple((a.shape, str(a.dtype), str(a.ctx)) for a in given)
        if key not in self.calls:
            symbol = source.symbol
            self.calls[key] = SteppedCall(
                *(symbol, source.inputs, source.params, given, source.is_np, source.open_shapes)
            )
        found, steps = self.calls[key](given)
        self.steps += steps
        return [a.copy() for a in found]
