"""Peak memory and load time of one contender in a process of its own: `python -m benchmarks.footprint ...`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

CALLS = 10
KINDS = ("hybrid", "onednn", "compiled", "loaded")


def footprint(kind: str, model: str, shape: tuple[int, ...], weights: str, exported: str) -> dict[str, float]:
    """Start a process that makes the model, calls it some times, and reports on itself."""
    words = [kind, model, json.dumps(shape), weights, exported]
    root = str(Path(__file__).resolve().parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.footprint", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words[:2])}: {done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main(kind: str, model: str, shape: str, weights: str, exported: str) -> None:
    """Runs in the new process."""
    import mxnet as mx

    import gluon_neuron.api

    from . import contenders
    from .timing import percentile

    picture = mx.nd.random.uniform(shape=tuple(json.loads(shape)))
    picture.wait_to_read()
    before = _status("VmRSS")
    start = time.perf_counter()
    call: Any
    if kind == "loaded":
        net = gluon_neuron.load(exported)
        call = lambda: contenders.wait(net(picture))  # noqa: E731
    elif kind == "compiled":
        made = contenders.ours(model, picture, weights)
        call = lambda: contenders.wait(made(picture))  # noqa: E731
    else:
        call = getattr(contenders, kind)(model, picture, weights)
    call()
    seconds = time.perf_counter() - start
    times = []
    for _ in range(CALLS):
        again = time.perf_counter()
        call()
        times.append(time.perf_counter() - again)
    seconds -= percentile(times, 0.5)  # what the first call took as a call
    found = {"seconds": seconds, "peak": _status("VmHWM"), "end": _status("VmRSS"), "before": before}
    print(json.dumps(found))


def _status(name: str) -> float:
    """A figure of this process, in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise KeyError(name)


if __name__ == "__main__":
    main(*sys.argv[1:])
