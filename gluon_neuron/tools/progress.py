"""Shows how far a compile has come, on standard error, where that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ..compiler.phases import listening

_PHASES = ("export", "infer", "partition", "compile", "stitch", "load")
# The Neuron compilers have a bar of their own.
_OTHERS_BAR = "compile"


@contextmanager
def shown(what: str, target: str) -> Iterator[None]:
    """Inside, a line says in which phase the compile of `what` for `target` is, and how long it has taken."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(escape(what), total=len(_PHASES))

        def entered(phase: str) -> None:
            bar.update(task, description=f"{escape(what)}: {phase}", completed=_PHASES.index(phase))
            if phase == _OTHERS_BAR and target != "cpu":
                bar.stop()
            elif not bar.live.is_started:
                bar.start()

        with listening(entered):
            yield
