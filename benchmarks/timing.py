"""Times calls in turns, and says what the times mean: percentiles, ratios and differences with their spread."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_BURST = 6
"""Calls of one turn, of which the first is not counted: it finds the caches full of another contender's data and the
threads of its own asleep."""

_PAUSE = 0.01
"""Seconds between turns: OpenMP's threads spin on for a while after a call, and the next call is not to pay for it."""


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie, interpolated linearly between neighbours."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, and the 10th and 90th percentile."""
    return {"median": percentile(values, 0.5), "low": percentile(values, 0.1), "high": percentile(values, 0.9)}


def latency(turns: Sequence[Sequence[float]], batch: int) -> dict[str, float]:
    """Seconds of a call at three percentiles, and images per second at the median."""
    values = [t for turn in turns for t in turn]
    middle = percentile(values, 0.5)
    return {
        "p50": middle,
        "p90": percentile(values, 0.9),
        "p99": percentile(values, 0.99),
        "throughput": batch / middle,
    }


def in_turns(calls: Mapping[str, Callable[[], Any]], seconds: float, least: int = 5) -> dict[str, list[list[float]]]:
    """Seconds of each call: for each contender a list of turns, for each turn the times of its calls.

    The contenders take turns in an order that changes, for about as long as asked and at least `least` rounds.
    """
    for call in calls.values():
        for _ in range(2):
            call()
    taken: dict[str, list[list[float]]] = {name: [] for name in calls}
    order = list(calls)
    shuffle = random.Random(0)
    end = time.perf_counter() + seconds
    gc.collect()
    gc.disable()
    try:
        while time.perf_counter() < end or len(taken[order[0]]) < least:
            shuffle.shuffle(order)
            for name in order:
                time.sleep(_PAUSE)
                taken[name].append(_burst(calls[name]))
    finally:
        gc.enable()
    return taken


def _burst(call: Callable[[], Any]) -> list[float]:
    times = []
    for _ in range(_BURST):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return times[1:]


def ratios(theirs: Sequence[Sequence[float]], ours: Sequence[Sequence[float]]) -> dict[str, float]:
    """How many times as long their calls take, round by round: median and spread."""
    return spread([percentile(a, 0.5) / percentile(b, 0.5) for a, b in zip(theirs, ours, strict=True)])


def differences(ours: Sequence[Sequence[float]], theirs: Sequence[Sequence[float]]) -> dict[str, float]:
    """How many seconds longer our calls take, round by round: median and spread."""
    return spread([percentile(a, 0.5) - percentile(b, 0.5) for a, b in zip(ours, theirs, strict=True)])
