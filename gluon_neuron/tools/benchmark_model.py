"""`gluon-neuron benchmark`: times a model that the line names, beside MXNet, and writes tables and a plot."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..benchmarking import OURS, Benchmark, benchmark
from ..errors import OptionError
from ..stitch.in_place import put
from .answer import Answer
from .arrays_from_files import check_output
from .model_from_line import LineModel
from .ready_model import check_options, ready


def benchmark_model(
    model: LineModel,
    what: str,
    given: Mapping[str, np.ndarray[Any, Any]],
    options: Mapping[str, Any],
    *,
    sources: Sequence[Path] = (),
    seed: int = 0,
    mxnet: bool = True,
    batch_sizes: Sequence[int] = (),
    callers: Sequence[int] = (1,),
    calls: int = 100,
    warmup: int = 5,
    price: float | None = None,
    table: Path | None = None,
    plot: Path | None = None,
) -> Answer:
    """Time the model on the given arrays, the rest drawn; one that is not compiled is, with `options`.

    `sources` are the files that are read, in whose place none is written.

    Raises InputError where a file could not be written, before anything is timed, and what the calls raise.
    """
    check_options(model, what, options)
    if table is not None:
        check_output(table, [".csv"], sources)
    if plot is not None:
        check_output(plot, [".png", ".svg", ".pdf"], sources)
        _check_matplotlib()
    with model.front_end():
        arrays = model.arrays(given, seed)
        net = ready(model, what, arrays, options)
        found = benchmark(
            net,
            model.arguments(arrays),
            beside=mxnet,
            batch_sizes=batch_sizes,
            callers=callers,
            calls=calls,
            warmup=warmup,
            price_per_hour=price,
        )
    lines = [str(found)]
    if table is not None:
        put([(table, lambda place: _write_table(place, found))])
        lines.append(f"Written: {table}")
    if plot is not None:
        put([(plot, lambda place: _draw(place, plot.suffix[1:].lower(), found, what))])
        lines.append(f"Written: {plot}")
    data = {"model": what, "timings": found.rows(), "csv": table, "plot": plot}
    return Answer("\n".join(lines), data)


def _write_table(place: Path, found: Benchmark) -> None:
    rows = found.rows()
    with place.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _check_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise OptionError(f"--plot needs matplotlib ({error}): pip install matplotlib.") from error


def _draw(place: Path, kind: str, found: Benchmark, what: str) -> None:
    """Latencies, from the median to p99, and throughputs, of each batch size and number of callers."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    groups = list(dict.fromkeys((t.batch, t.callers) for t in found.timings))
    contenders = list(dict.fromkeys(t.who for t in found.timings))
    width = 0.8 / len(contenders)
    for number, who in enumerate(contenders):
        timings = [t for t in found.timings if t.who == who]
        places = [groups.index((t.batch, t.callers)) + (number - (len(contenders) - 1) / 2) * width for t in timings]
        color = "tab:blue" if who == OURS else "tab:gray"
        middle = [t.latency["p50"] for t in timings]
        above = [t.latency["p99"] - t.latency["p50"] for t in timings]
        left.bar(places, middle, width, yerr=[[0] * len(above), above], capsize=3, label=who, color=color)
        right.bar(places, [t.throughput for t in timings], width, label=who, color=color)
    names = [f"batch {batch}\n{count} caller{'s' if count > 1 else ''}" for batch, count in groups]
    for axes, label in ((left, "ms for a call: median, and up to p99"), (right, "samples in a second")):
        axes.set_xticks(range(len(groups)), names)
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
    left.legend()
    figure.suptitle(what)
    figure.savefig(place, format=kind)
