"""`python -m benchmarks.serving`: multi-model-server with a compiled net beside the same net uncompiled."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tabulate import tabulate

from .timing import in_turns, latency, ratios, spread

MXNET, OURS = "MXNet", "gluon_neuron"


def main() -> None:
    """Serve both from one server, in turns, and print latency and throughput."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--model", default="resnet50_v1", help="a name of gluon_neuron.model_zoo.names()")
    parser.add_argument("--seconds", type=float, default=20, help="about how long latency and throughput are measured")
    parser.add_argument("--clients", type=int, default=4, help="that send at the same time, for the throughput")
    given = parser.parse_args()
    # For MXNet in the workers: it may take a single thread where it is not set.
    os.environ.setdefault("OMP_NUM_THREADS", str(len(os.sched_getaffinity(0))))
    print(measure(given.model, given.seconds, given.clients))


def measure(model: str, seconds: float, clients: int) -> str:
    """The table, as Markdown."""
    from tests.serve.pictures import jpegs
    from tests.serve.server import Server

    with tempfile.TemporaryDirectory(prefix="gluon_neuron-bench-") as made:
        store, folder = Path(made, "store"), Path(made, "server")
        store.mkdir()
        folder.mkdir()
        _archives(model, store)
        server = Server(store, folder)
        try:
            for name in (MXNET, OURS):
                server.manage("POST", "/models", url=f"{name}.mar", initial_workers=1, synchronous="true")
            picture = jpegs()[1]
            calls = {name: _sender(server, name, picture) for name in (MXNET, OURS)}
            alone = in_turns(calls, seconds)
            with ThreadPoolExecutor(clients) as pool:
                rates = _rates(calls, pool, clients, seconds)
        finally:
            server.stop()
    rows = []
    for name in (MXNET, OURS):
        times = latency(alone[name], 1)
        rate = spread(rates[name])
        rows.append(
            (
                name,
                " / ".join(f"{1e3 * times[p]:.1f}" for p in ("p50", "p90", "p99")),
                f"{rate['median']:.0f} ({rate['low']:.0f}-{rate['high']:.0f})",
            )
        )
    faster = ratios(alone[MXNET], alone[OURS])
    more = spread([b / a for a, b in zip(rates[MXNET], rates[OURS], strict=True)])
    head = (model, "a request, ms p50 / p90 / p99", f"requests/s, {clients} clients")
    return (
        f"{tabulate(rows, head, tablefmt='github', disable_numparse=True)}\n\nMXNet takes {faster['median']:.2f} "
        f"({faster['low']:.2f}-{faster['high']:.2f}) times as long for a request; compiled, the server answers "
        f"{more['median']:.2f} ({more['low']:.2f}-{more['high']:.2f}) times as many."
    )


def _archives(model: str, store: Path) -> None:
    import mxnet as mx

    import gluon_neuron
    from gluon_neuron.model_zoo import get_network
    from gluon_neuron.model_zoo.catalog import image_size_of
    from gluon_neuron.serve import archive

    shape = (1, 3, *image_size_of(model))
    net, sample = get_network(model), mx.nd.zeros((1, 3, *image_size_of(model)))
    net.hybridize()
    net(sample)
    prefix = str(store / "plain")
    net.export(prefix)
    archive(prefix, store / f"{MXNET}.mar", inputs={"data": shape})
    archive(gluon_neuron.compile(net, sample), store / f"{OURS}.mar")


def _sender(server: Any, name: str, picture: bytes) -> Callable[[], None]:
    def send() -> None:
        answer = server.predict(name, picture)
        assert answer.status_code == 200, answer.text

    return send


def _rates(
    calls: dict[str, Callable[[], None]], pool: ThreadPoolExecutor, clients: int, seconds: float
) -> dict[str, list[float]]:
    """Requests a second, turn by turn."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(found[OURS]) < 5:
        for name, call in calls.items():
            count = 8 * clients
            start = time.perf_counter()
            for future in [pool.submit(call) for _ in range(count)]:
                future.result()
            found[name].append(count / (time.perf_counter() - start))
    return found


if __name__ == "__main__":
    main()
