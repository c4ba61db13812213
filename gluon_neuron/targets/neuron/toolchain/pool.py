"""Runs the compilers of several regions at the same time, with a bar when it takes long, and stops them on Ctrl-C."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import TypeVar

from ....errors import CompileError
from .process import Running

Made = TypeVar("Made")

_BAR_AFTER = 3.0
_TICK = 0.5


def jobs_of(chosen: int) -> int:
    """How many compilers run at the same time for the option `compiler_jobs`."""
    return chosen or max(1, min(8, len(os.sched_getaffinity(0)) // 2))


def run_all(
    tasks: Sequence[Callable[[Running], Made]], jobs: int, stop_at_first: bool = False
) -> list[Made | CompileError | None]:
    """What each task made, or the CompileError it raised, in the tasks' order; any other exception is raised.

    After a failure nothing else is started or waited for if `stop_at_first` is set; None stands for what was not made.

    A task runs its compiler by the `Running` that it is given, so that none is left when this function ends, by Ctrl-C
    too.
    """
    if not tasks:
        return []
    from tqdm import tqdm

    running = Running()
    results: list[Made | CompileError | None] = [None] * len(tasks)
    with (
        ThreadPoolExecutor(max_workers=min(jobs, len(tasks)), thread_name_prefix="gluon_neuron") as pool,
        tqdm(total=len(tasks), desc="Compiling", unit="program", delay=_BAR_AFTER, disable=None, leave=False) as bar,
    ):
        places = {pool.submit(task, running): i for i, task in enumerate(tasks)}
        try:
            waiting = set(places)
            while waiting:
                done, waiting = wait(waiting, _TICK, FIRST_COMPLETED)
                for future in done:
                    try:
                        results[places[future]] = future.result()
                    except CompileError as error:
                        results[places[future]] = error
                        if stop_at_first:
                            return results
                    bar.update()
                if not done:
                    bar.refresh()  # its clock
        finally:
            running.stop()
            pool.shutdown(wait=True, cancel_futures=True)
    return results
