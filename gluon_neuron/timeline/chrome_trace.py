"""A profile's events in the Trace Event Format, which chrome://tracing and Perfetto load."""

from __future__ import annotations

from typing import Any

from .times import Event, Profile

_PROCESS = 1
_CALLER = 0


def trace(profile: Profile) -> dict[str, Any]:
    """The JSON object of a trace: complete events ("X") with times in microseconds, and the names of threads ("M")."""
    threads = dict.fromkeys([_CALLER, *(event.thread for event in profile.events)])
    # Small numbers, in the order in which they come: the viewers sort by them.
    numbers = {thread: number for number, thread in enumerate(threads)}
    events: list[dict[str, Any]] = [_named("process_name", 0, f"gluon_neuron, {profile.engine}")]
    for thread, number in numbers.items():
        events.append(
            _named("thread_name", number, "call" if thread == _CALLER else f"compiled regions, thread {thread}")
        )
    events += [_event(event, numbers[event.thread]) for event in profile.events]
    about = {
        "inputs": profile.inputs,
        "ms": profile.ms,
        "ordinary_ms": profile.ordinary_ms,
        "operators": "of compiled regions: in the order of their execution, each as long as its mean over all calls",
    }
    return {"traceEvents": events, "displayTimeUnit": "ms", "otherData": about}


def _named(what: str, thread: int, name: str) -> dict[str, Any]:
    return {"name": what, "ph": "M", "pid": _PROCESS, "tid": thread, "args": {"name": name}}


def _event(event: Event, thread: int) -> dict[str, Any]:
    return {
        "name": event.name,
        "cat": event.category,
        "ph": "X",
        "ts": round(event.begin_us, 3),
        "dur": round(event.us, 3),
        "pid": _PROCESS,
        "tid": thread,
        "args": {"mean ms": event.mean_ms},
    }
