"""`python -m benchmarks.flat`: memory over 1,000 calls, 20 weight updates and 20 batch sizes of one compiled model."""

from __future__ import annotations

import argparse
import gc
import os
from pathlib import Path


def main() -> None:
    """Print the process's memory after each stretch, and how much of it grew after the first."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flat", description=__doc__)
    parser.add_argument("--model", default="resnet50_v1", help="a name of gluon_neuron.model_zoo.names()")
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--updates", type=int, default=20)
    parser.add_argument("--batch-sizes", type=int, default=20)
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", str(len(os.sched_getaffinity(0))))

    import mxnet as mx

    from gluon_neuron.model_zoo import get_model
    from gluon_neuron.model_zoo.catalog import image_size_of

    from .contenders import wait

    net = get_model(given.model)
    size = image_size_of(given.model)
    picture = mx.nd.random.uniform(shape=(1, 3, *size))
    weight = next(p for n, p in net.collect_params().items() if n.endswith("weight"))

    def calls(count: int) -> None:
        for _ in range(count):
            wait(net(picture))

    def updates(count: int) -> None:
        for _ in range(count):
            weight.set_data(mx.nd.random.normal(0, 0.01, weight.shape))
            wait(net(picture))

    def batches(count: int) -> None:
        for batch in range(given.batch_sizes, given.batch_sizes - count, -1):
            wait(net(mx.nd.random.uniform(shape=(batch, 3, *size))))

    calls(20)
    for name, run, count in (
        ("calls", calls, given.calls),
        ("weight updates", updates, given.updates),
        ("batch sizes", batches, given.batch_sizes),
    ):
        # The first quarter fills caches that are meant to be kept, with the largest batches; the rest must not grow.
        run(max(1, count // 4))
        first = _resident()
        run(count)
        last = _resident()
        print(f"{count:5} {name:15} {first:8.0f} MiB {last:8.0f} MiB  {100 * (last / first - 1):+.1f}%", flush=True)


def _resident() -> float:
    """The memory of this process, in MiB."""
    gc.collect()
    line = next(t for t in Path("/proc/self/status").read_text().splitlines() if t.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
