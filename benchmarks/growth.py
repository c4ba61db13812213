"""`python -m benchmarks.growth`: how long the partition takes for graphs of growing size and several forms."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

from tabulate import tabulate

SIZES = (500, 1000, 2000, 5000, 10000)
ROUNDS = 5


def main() -> None:
    """Time every form at every size, print the table, and draw it if a file is named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--plot", metavar="FILE", help="draw the times against the nodes")
    given = parser.parse_args()
    rows = []
    for form, make in FORMS.items():
        for size in SIZES:
            rows.append((form, *measure(make, size)))
    head = ("form", "operators", "regions", "partition, s", "us an operator", "cut and stitch, s")
    print(tabulate(rows, head, tablefmt="github", floatfmt=("", "", "", ".3f", ".1f", ".2f")))
    if given.plot:
        _draw(rows, given.plot)


def chain(size: int) -> Any:
    """One region: operators one after the other."""
    import mxnet as mx

    x = mx.sym.var("data")
    for i in range(size):
        x = mx.sym.relu(x, name=f"relu{i}")
    return x


def broken(size: int) -> Any:
    """Many regions: every tenth operator stays in MXNet."""
    import mxnet as mx

    x = mx.sym.var("data")
    for i in range(size):
        x = mx.sym.sin(x, name=f"sin{i}") if i % 10 == 9 else mx.sym.relu(x, name=f"relu{i}")
    return x


def wide(size: int) -> Any:
    """Many branches that read one array and meet in one operator, which stays in MXNet like one in ten on the way."""
    import mxnet as mx

    start = mx.sym.relu(mx.sym.var("data"), name="start")
    ends = []
    for i in range(size // 2):
        x = mx.sym.sin(start, name=f"sin{i}") if i % 10 == 9 else mx.sym.relu(start, name=f"relu{i}")
        ends.append(mx.sym.relu(x, name=f"end{i}"))
    return mx.sym.add_n(*ends, name="sum")


def ladder(size: int) -> Any:
    """Two chains that read each other at every rung; one operator of a hundred stays in MXNet."""
    import mxnet as mx

    x = y = mx.sym.var("data")
    for i in range(size // 2):
        x = mx.sym.sin(y, name=f"sin{i}") if i % 50 == 49 else mx.sym.elemwise_add(x, y, name=f"x{i}")
        y = mx.sym.elemwise_mul(x, y, name=f"y{i}")
    return x


FORMS: dict[str, Callable[[int], Any]] = {"chain": chain, "broken": broken, "wide": wide, "ladder": ladder}
EXCLUDED: dict[Callable[[int], Any], tuple[str, ...]] = {
    broken: ("sin",),
    wide: ("sin", "add_n"),
    ladder: ("sin",),
}


def measure(make: Callable[[int], Any], size: int) -> tuple[int, int, float, float, float]:
    """Operators, regions, seconds of the partition (median), microseconds an operator, seconds to cut all out."""
    import mxnet as mx
    from gluon_neuron.compiler.region_job import cut

    from gluon_neuron.frontend.infer import annotate
    from gluon_neuron.frontend.symbol import from_symbol
    from gluon_neuron.graph.subgraph import Replacement, replace
    from gluon_neuron.lowering.cost import worth_a_region
    from gluon_neuron.options import CompileOptions
    from gluon_neuron.partition.partition import partition
    from gluon_neuron.targets.refusals import refusals
    from gluon_neuron.targets.registry import get_target

    # Large enough for every operator to be worth a region of its own.
    model = from_symbol(make(size), {}, {}, {"data": mx.nd.zeros((2000, 1000))})
    graph = annotate(model.symbol.tojson(remove_amp_cast=False), model.all_specs(), model.is_np)
    options = CompileOptions(exclude_operators=EXCLUDED.get(make, ()))
    target = get_target("cpu")
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        parts = partition(graph, model.inputs, refusals(target, graph), worth_a_region, options)
        times.append(time.perf_counter() - start)
    start = time.perf_counter()
    made = []
    for number, region in enumerate(parts.regions):
        piece = cut(number, region, [graph], model, options)
        inputs = tuple(piece.inputs.values())
        made.append(Replacement(piece.name, region.nodes, region.outputs, inputs, piece.visible, 0, {}))
    replace(graph, made, model.symbol.list_outputs())
    seconds = time.perf_counter() - start
    median = statistics.median(times)
    return len(graph.operators), len(parts.regions), median, 1e6 * median / len(graph.operators), seconds


def _draw(rows: list[tuple[Any, ...]], path: str) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4))
    for form in FORMS:
        mine = [r for r in rows if r[0] == form]
        axes.plot([r[1] for r in mine], [r[3] for r in mine], marker="o", label=form)
    axes.set(xlabel="operators", ylabel="partition, seconds", xlim=0, ylim=0)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main()
