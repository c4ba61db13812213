"""`python -m benchmarks.builds OTHER`: this build beside another one, in turns: calls, compiling, loading, memory.

OTHER is the Python of an environment with the other build, such as the `.venv/bin/python` of another checkout. Each
build has a process of its own, which sleeps while the other one is measured; a ratio above 1 says that this one is
faster (or smaller).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tabulate import tabulate

from .timing import percentile, ratios, spread

CASES = (
    *("small:1", "mobilenetv2_1.0:1", "mobilenetv2_1.0:8", "squeezenet1.0:1", "resnet50_v1:1", "resnet50_v1:8"),
    *("densenet121:1", "inceptionv3:1", "vgg16:1", "ssd_512_resnet50_v1_coco:1"),
    *("BERT base, 1 x 128 words", "BERT base, 8 x 128 words", "LSTM, 2 x 650, 1 x 35 steps", "GRU, 2 x 256, 8 x 50"),
)
_WORKER = Path(__file__).with_name("builds_worker.py")
_LOADS = 3


class Build:
    """A process that has compiled one case with one of the builds."""

    def __init__(self, python: str, case: str, exported: Path, options: dict[str, Any]) -> None:
        self._python, self._exported = python, exported
        self._process = subprocess.Popen(
            [python, str(_WORKER), "compile", case, str(exported), json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.compiled = self._answer()

    def burst(self) -> list[float]:
        """The seconds of each call of a turn."""
        assert self._process.stdin is not None
        self._process.stdin.write("burst\n")
        self._process.stdin.flush()
        taken: list[float] = self._answer()["seconds"]
        return taken

    def load(self) -> dict[str, float]:
        """What loading the exported files takes in a fresh process."""
        done = subprocess.run(
            [self._python, str(_WORKER), "load", str(self._exported)], stdout=subprocess.PIPE, text=True, check=True
        )
        found: dict[str, float] = json.loads(done.stdout)
        return found

    def end(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"The process of {self._python} ended with {self._process.wait()}.")
        answer: dict[str, Any] = json.loads(line)
        return answer


def measure(other: str, case: str, rounds: int, options: dict[str, Any]) -> list[str]:
    """A row of the table."""
    with tempfile.TemporaryDirectory(prefix="gluon_neuron-bench-") as folder:
        there = Build(other, case, Path(folder, "other"), options)
        here = Build(sys.executable, case, Path(folder, "this"), options)
        taken: dict[int, list[list[float]]] = {0: [], 1: []}
        order = [0, 1]
        shuffle = random.Random(0)
        try:
            for _ in range(rounds):
                shuffle.shuffle(order)
                for which in order:
                    taken[which].append((there, here)[which].burst())
        finally:
            there.end()
            here.end()
        loads: dict[int, list[dict[str, float]]] = {0: [], 1: []}
        for _ in range(_LOADS):
            for which in (0, 1):
                loads[which].append((there, here)[which].load())
    call = ratios(taken[0], taken[1])
    middle = percentile([t for turn in taken[1] for t in turn], 0.5)
    return [
        case + (f" {options}" if options else ""),
        _shown(call),
        f"{1e3 * middle:.2f}",
        f"{there.compiled['seconds'] / here.compiled['seconds']:.2f}",
        *(_ratio(loads, name) for name in ("seconds", "first", "mib")),
    ]


def _ratio(loads: dict[int, list[dict[str, float]]], name: str) -> str:
    return _shown(spread([a[name] / b[name] for a, b in zip(loads[0], loads[1], strict=True)]))


def _shown(found: dict[str, float]) -> str:
    return f"{found['median']:.2f} ({found['low']:.2f}-{found['high']:.2f})"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every case and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.builds", description=__doc__)
    parser.add_argument("other", help="the Python of the other build's environment")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each build")
    parser.add_argument("--cases", nargs="+", default=CASES, help="MODEL:BATCH, or a name of benchmarks.sequences")
    parser.add_argument("--inline-weights", action="store_true", help="with the weights in the artifact")
    given = parser.parse_args(arguments)
    os.environ.setdefault("OMP_NUM_THREADS", str(len(os.sched_getaffinity(0))))
    options = {"inline_weights": True} if given.inline_weights else {}
    head = ("case", "call", "ms", "compile", "load", "first call", "memory")
    rows = []
    for case in given.cases:
        print(case, file=sys.stderr, flush=True)
        rows.append(measure(given.other, case, given.rounds, options))
    print("How many times as long (or as much) the other build takes; medians, and the 10th to 90th percentile:\n")
    print(tabulate(rows, head, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
