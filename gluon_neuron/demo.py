"""`python -m gluon_neuron.demo`: compiles a model, compares it with MXNet, and times both side by side."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

if __name__ == "__main__":
    # MXNet reads it when it is imported, and may take a single thread where it is not set.
    os.environ.setdefault("OMP_NUM_THREADS", str(len(os.sched_getaffinity(0))))

import mxnet as mx

from . import api
from .errors import GluonNeuronError
from .model_zoo import get_network
from .model_zoo.catalog import image_size_of
from .tools.piped import piped


@piped
def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; returns 0 when the compiled model agrees with MXNet, 1 when not or when it cannot be compiled."""
    parser = argparse.ArgumentParser(prog="python -m gluon_neuron.demo", description=__doc__)
    parser.add_argument("model", nargs="?", default="resnet50_v1", help="a name of gluon_neuron.model_zoo.names()")
    parser.add_argument("--batch", type=int, default=1, help="images in one call")
    parser.add_argument("--calls", type=int, default=40, help="timed calls of each")
    given = parser.parse_args(argv)
    try:
        return demonstrate(given.model, given.batch, given.calls)
    except GluonNeuronError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1


def demonstrate(model: str, batch: int, calls: int) -> int:
    """Compile, compare and time one model, printing each step; returns the exit status."""
    mx.random.seed(0)
    shape = (batch, 3, *image_size_of(model))
    picture = mx.nd.random.uniform(-1, 1, shape)
    print(f"{model} with random weights, input {shape}\n")
    network = get_network(model)
    _outputs(network(picture))
    compiled = api.compile(network, picture)
    print(compiled.report, "\n")

    verification = api.verify(compiled, network, [picture, mx.nd.random.uniform(-1, 1, shape)])
    print(verification, "\n")

    # Each gets a copy of its own: MXNet's convolutions keep the weights they share in a layout of their own.
    rivals = {"MXNet, hybridized": _copy(network, model, picture), "MXNet with oneDNN": _copy(network, model, picture)}
    rivals["MXNet, hybridized"].hybridize(static_alloc=True, static_shape=True)
    rivals["MXNet with oneDNN"].optimize_for(picture, backend="MKLDNN", static_alloc=True, static_shape=True)
    del network
    seconds = _alternate({"gluon_neuron": compiled, **rivals}, picture, calls)
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    print(f"Milliseconds for one call, median of {calls}, taken in turns, {threads} threads:")
    ours = seconds["gluon_neuron"]
    for name, taken in seconds.items():
        ratios = sorted(theirs / mine for theirs, mine in zip(taken, ours, strict=True))
        low, high = ratios[len(ratios) // 10], ratios[-1 - len(ratios) // 10]
        versus = "" if taken is ours else f"   {statistics.median(ratios):.2f} times ours ({low:.2f} to {high:.2f})"
        print(f"  {name:<18} {1e3 * statistics.median(taken):8.2f}{versus}")
    return 0 if verification else 1


def _copy(network: mx.gluon.HybridBlock, model: str, picture: mx.nd.NDArray) -> mx.gluon.HybridBlock:
    made = get_network(model)
    _outputs(made(picture))
    for mine, original in zip(made.collect_params().values(), network.collect_params().values(), strict=True):
        mine.set_data(original.data())
    return made


def _outputs(found: Any) -> None:
    for array in found if isinstance(found, list | tuple) else [found]:
        array.wait_to_read()


def _alternate(blocks: dict[str, mx.gluon.Block], picture: mx.nd.NDArray, calls: int) -> dict[str, list[float]]:
    for block in blocks.values():
        for _ in range(3):
            _outputs(block(picture))
    seconds: dict[str, list[float]] = {name: [] for name in blocks}
    for _ in range(calls):
        for name, block in blocks.items():
            start = time.perf_counter()
            _outputs(block(picture))
            seconds[name].append(time.perf_counter() - start)
    return seconds


if __name__ == "__main__":
    sys.exit(main())
