"""`python -m benchmarks.casts`: products in bfloat16 beside all in bfloat16: errors over seeds, speed in turns.

The reference is MXNet in float32. An error is a difference as a share of the output's range, its mean and its largest;
over the seeds, weights and images are drawn anew.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Sequence
from typing import Any

from tabulate import tabulate

from .timing import in_turns, ratios

CASTS = ("none", "matmult", "all")


def main() -> None:
    """Measure every model and print the table."""
    from gluon_neuron.model_zoo.catalog import VISION

    parser = argparse.ArgumentParser(prog="python -m benchmarks.casts", description=__doc__)
    parser.add_argument("--models", nargs="+", default=VISION, help="names of the model zoo")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="about how long each model is timed; 0 times none")
    parser.add_argument("--batch", type=int, default=1)
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(len(os.sched_getaffinity(0)))
    head = ("model", "mean error, matmult / all", "largest, matmult / all", "ratios", "float32 takes", "all takes")
    rows = []
    for name in given.models:
        rows.append(_row(name, given.batch, range(given.seeds), given.seconds))
        print(tabulate(rows[-1:], head, tablefmt="github", disable_numparse=True).splitlines()[-1], flush=True)
    print(tabulate(rows, head, tablefmt="github", disable_numparse=True))


def _row(name: str, batch: int, seeds: Sequence[int], seconds: float) -> tuple[str, ...]:
    errors: dict[str, list[tuple[float, float]]] = {cast: [] for cast in CASTS[1:]}
    for seed in seeds:
        compiled, x, expected = _compiled(name, batch, seed)
        for cast, found in errors.items():
            found.append(_error(compiled[cast](x).asnumpy(), expected))
    mean = {cast: statistics.mean(e[0] for e in found) for cast, found in errors.items()}
    largest = {cast: max(e[1] for e in found) for cast, found in errors.items()}
    cells = [
        f"{mean['matmult']:.2e} / {mean['all']:.2e}",
        f"{largest['matmult']:.2e} / {largest['all']:.2e}",
        f"{mean['matmult'] / mean['all']:.2f}, {largest['matmult'] / largest['all']:.2f}",
    ]
    if seconds:
        taken = in_turns({cast: lambda c=cast: compiled[c](x).wait_to_read() for cast in CASTS}, seconds)
        for cast in ("none", "all"):
            found = ratios(taken[cast], taken["matmult"])
            cells.append(f"{found['median']:.2f} ({found['low']:.2f}-{found['high']:.2f})")
    return name, *cells


def _compiled(name: str, batch: int, seed: int) -> tuple[dict[str, Any], Any, Any]:
    """The model compiled with each cast, images, and what MXNet makes of them."""
    import mxnet as mx
    import numpy as np

    import gluon_neuron
    from gluon_neuron.frontend.export import export
    from gluon_neuron.model_zoo.catalog import image_size_of

    from .sweep.weights import measure_batch_norms, randomize

    net = mx.gluon.model_zoo.vision.get_model(name)
    net.initialize(mx.init.Zero())
    shape = (batch, 3, *image_size_of(name))
    x, others = (mx.nd.array(np.random.default_rng(s).normal(size=shape), dtype="float32") for s in (seed, 1000 + seed))
    model = export(net, x)
    randomize(model, seed)
    measure_batch_norms(model, [mx.nd.concat(x, others, dim=0)])
    net.hybridize()
    return {c: gluon_neuron.compile(net, x, auto_cast=c) for c in CASTS}, x, net(x).asnumpy()


def _error(found: Any, expected: Any) -> tuple[float, float]:
    difference = abs(found - expected) / (expected.max() - expected.min())
    return float(difference.mean()), float(difference.max())


if __name__ == "__main__":
    main()
