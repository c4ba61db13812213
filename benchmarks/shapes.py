"""`python -m benchmarks.shapes`: models called with ever-new shapes, beside MXNet's hybridized ones in one process.

It says how long calls take with a shape of the first time, and with one that was seen, as a share of MXNet's time;
with `--memory`, in a process for each, by how much the process grows from the 50th distinct shape to the last.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from tabulate import tabulate

from .results import flat, wait
from .timing import percentile, spread

_SETTLED = 50
"""Distinct shapes after which a process is to grow no more."""

_BURST, _LEAST, _ENOUGH = 6, 3, 0.5
"""Calls of a turn with a shape that was seen, and of one whose calls take more than so many seconds."""

_PAUSE = 0.02
"""Seconds before a turn, in which the other's threads fall asleep."""


def main() -> None:
    """Measure every case and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shapes", description=__doc__)
    parser.add_argument("--shapes", type=int, help="distinct shapes of each model (50; with --memory 1000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often all shapes come again")
    parser.add_argument("--only", default="", help="measure the cases whose names hold this")
    parser.add_argument("--control", action="store_true", help="MXNet beside MXNet: what this machine makes of equals")
    parser.add_argument("--memory", action="store_true", help="measure memory instead of time")
    parser.add_argument("--grow", choices=("MXNet", "gluon_neuron"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(len(os.sched_getaffinity(0)))
    from .shape_cases import cases

    count = given.shapes or (1000 if given.memory or given.grow else 50)
    chosen = [c for c in cases(count) if given.only in c.name]
    if given.grow:
        print(json.dumps(_grow(chosen[0], given.grow == "gluon_neuron")))
    elif given.memory:
        rows = [_memory(c.name, count) for c in chosen]
        head = ("model", "shapes", "weights, MiB", "gluon_neuron grows", "MXNet grows")
        print(tabulate(rows, head, tablefmt="github", disable_numparse=True))
    else:
        rows = []
        for case in chosen:
            rows.append(_time(case, given.rounds, given.control))
            print(*rows[-1], sep="  ", file=sys.stderr, flush=True)  # the last ones take long
        head = ("model", "shapes", "first call: median", "95th percentile", "later calls", "sample's", "difference")
        print(tabulate(rows, head, tablefmt="github", disable_numparse=True))


def _time(case: Any, rounds: int, control: bool) -> tuple[str, ...]:
    import gluon_neuron
    from gluon_neuron.runtime import background

    net, twin, sample = _twins(case)
    compiled = twin if control else gluon_neuron.compile(twin, list(sample))
    calls: dict[str, Callable[..., Any]] = {"MXNet": net, "gluon_neuron": compiled}
    for call in calls.values():
        for _ in range(3):
            _timed(call, sample)
    shapes = case.shapes[1:]
    shuffle = random.Random(1)
    first, later, same, apart = [], [], [], 0.0
    for shape in shapes:
        ours, theirs, off = _pair(calls, case.data(shape), shuffle)
        first.append(ours / theirs)
        apart = max(apart, off)
    for _ in range(2):  # what came twice is made ready
        for shape in shapes:
            _pair(calls, case.data(shape), shuffle)
    background.wait(600)
    for _ in range(rounds):
        for shape in shuffle.sample(list(shapes), len(shapes)):
            data = case.data(shape)
            ours, theirs, off = _pair(calls, data, shuffle, _BURST)
            later.append(ours / theirs)
            apart = max(apart, off)
        for _ in range(5):
            ours, theirs, _ = _pair(calls, sample, shuffle, _BURST)
            same.append(ours / theirs)
    return (
        case.name,
        str(len(shapes)),
        f"{percentile(first, 0.5):.2f}",
        f"{percentile(first, 0.95):.2f}",
        _shown(later),
        f"{percentile(same, 0.5):.2f}",
        f"{apart:.0e}",
    )


def _shown(values: Sequence[float]) -> str:
    found = spread(values)
    return f"{found['median']:.2f} ({found['low']:.2f}-{found['high']:.2f})"


def _twins(case: Any) -> tuple[Any, Any, tuple[Any, ...]]:
    """The net twice, of equal weights: MXNet lays out what it uses for itself, and neither is to wait for the other.

    The weights are equal because the seed is; reading or writing them here would undo how MXNet has laid them out.
    """
    import mxnet as mx

    from .shape_cases import initializer

    sample = case.data(case.shapes[0])
    nets = []
    for _ in range(2):
        mx.random.seed(0)
        net = case.make()
        net.initialize(initializer())
        net.hybridize()
        wait(net(*sample))
        nets.append(net)
    return nets[0], nets[1], sample


def _pair(
    calls: dict[str, Callable[..., Any]], data: tuple[Any, ...], shuffle: random.Random, burst: int = 1
) -> tuple[float, float, float]:
    """Seconds of ours and of MXNet's call, in an order that changes, and the difference between what they give.

    Of a burst the first calls are not counted: OpenMP's threads spin on after a call of the other's.
    """
    order = list(calls)
    shuffle.shuffle(order)
    wait(data)
    taken: dict[str, float] = {}
    found: dict[str, list[Any]] = {}
    for name in order:
        time.sleep(_PAUSE)
        times: list[float] = []
        while len(times) < burst and (len(times) < _LEAST or sum(times) < _ENOUGH):
            seconds, found[name] = _timed(calls[name], data)
            times.append(seconds)
        taken[name] = percentile(times[2:] or times, 0.5)
    apart = 0.0
    for a, b in zip(found["gluon_neuron"], found["MXNet"], strict=True):
        scale = max(float(b.abs().max().asscalar()), 1e-9) if b.size else 1.0
        apart = max(apart, float((a - b).abs().max().asscalar()) / scale) if b.size else apart
    return taken["gluon_neuron"], taken["MXNet"], apart


def _timed(call: Callable[..., Any], data: tuple[Any, ...]) -> tuple[float, list[Any]]:
    start = time.perf_counter()
    found = flat(call(*data))
    wait(found)
    return time.perf_counter() - start, found


def _memory(name: str, count: int) -> tuple[str, ...]:
    grown = {}
    for who in ("gluon_neuron", "MXNet"):
        command = [sys.executable, "-m", "benchmarks.shapes", "--grow", who, "--only", name, "--shapes", str(count)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        grown[who] = json.loads(done.stdout.splitlines()[-1])
    weights = grown["MXNet"]["weights"]

    def shown(one: dict[str, float]) -> str:
        return f"{one['grown']:.0f} MiB ({one['grown'] / weights:.0%}) of {one['settled']:.0f}"

    return name, str(count), f"{weights:.0f}", shown(grown["gluon_neuron"]), shown(grown["MXNet"])


def _grow(case: Any, ours: bool) -> dict[str, float]:
    import psutil

    import gluon_neuron
    from gluon_neuron.runtime import background

    from .shape_cases import initializer

    net, sample = case.make(), case.data(case.shapes[0])
    net.initialize(initializer())
    net.hybridize()
    wait(net(*sample))
    weights = sum(p.data().size * 4 for p in net.collect_params().values()) / 2**20
    call = gluon_neuron.compile(net, list(sample)) if ours else net
    used = []
    for shape in case.shapes[1:]:
        data = case.data(shape)
        for _ in range(3):  # once by MXNet, once to say that it comes again, once by a program
            wait(call(*data))
        if len(used) + 1 in (_SETTLED, len(case.shapes) - 1):
            background.wait(600)
            gc.collect()
        used.append(psutil.Process().memory_info().rss / 2**20)
    settled = used[min(_SETTLED, len(used)) - 1]
    return {"weights": weights, "settled": settled, "grown": used[-1] - settled}


if __name__ == "__main__":
    main()
