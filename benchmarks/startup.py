"""`python -m benchmarks.startup`: from `gluon_neuron.load` to the first answer, with a cache of OpenVINO's and without.

Each start is a process of its own, and imports are not counted. Three kinds take turns in an order that changes:
without a cache; with an empty one, which is filled; and with one that a start before has filled. gluon_neuron has no
such option: a library in front of OpenVINO's asks for it. Files are in the system's memory, as in a second start soon
after the first; with `--cold` they are read from the disk, as after a reboot.
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

from tabulate import tabulate

from .timing import percentile, spread

CASES = ("resnet50_v1:1", "BERT base, 1 x 128 words")
WITHOUT, EMPTY, FILLED = "without", "empty", "filled"

_WORKER = Path(__file__).with_name("builds_worker.py")
_LIBRARY = Path(__file__).with_name("startup_cache.cc")

Start = dict[str, float]


def measure(case: str, rounds: int, library: Path, cold: bool = False) -> list[str]:
    """A row of the table."""
    with tempfile.TemporaryDirectory(prefix="gluon_neuron-bench-") as folder:
        exported, filled = Path(folder, "net"), Path(folder, "cache")
        _worker({}, "compile", case, str(exported), "{}")
        _start(exported, library, filled)
        sizes = _sizes(filled)
        taken: dict[str, list[Start]] = {WITHOUT: [], EMPTY: [], FILLED: []}
        order = list(taken)
        shuffle = random.Random(0)
        for _ in range(rounds):
            shuffle.shuffle(order)
            for kind in order:
                with tempfile.TemporaryDirectory(dir=folder) as empty:
                    cache = {WITHOUT: None, EMPTY: Path(empty), FILLED: filled}[kind]
                    if cold:
                        _forget(exported.parent)
                    taken[kind].append(_start(exported, library, cache))
        if not sizes or _sizes(filled) != sizes:
            raise RuntimeError(f"{case}: OpenVINO did not find in its cache what it had written: {sizes}.")
    return [
        case,
        f"{1e3 * percentile([s['first'] for s in taken[WITHOUT]], 0.5):.0f}",
        *(_ratio(taken, kind, what) for what in ("first", "cpu") for kind in (EMPTY, FILLED)),
        *(f"{percentile([s['mib'] for s in taken[kind]], 0.5):.0f}" for kind in (WITHOUT, FILLED)),
        f"{sum(sizes.values()) / 2**20:.0f}",
    ]


def _forget(folder: Path) -> None:
    """Have the system drop from its memory what it holds of the files."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())  # what is not yet written stays
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _sizes(folder: Path) -> dict[str, int]:
    return {f.name: f.stat().st_size for f in folder.iterdir()}


def _ratio(taken: dict[str, list[Start]], kind: str, what: str) -> str:
    found = spread([a[what] / b[what] for a, b in zip(taken[kind], taken[WITHOUT], strict=True)])
    return f"{found['median']:.2f} ({found['low']:.2f}-{found['high']:.2f})"


def _start(exported: Path, library: Path, cache: Path | None) -> Start:
    settings = {"GLUON_NEURON_OPENVINO": str(library), "STARTUP_CACHE": str(cache or "")}
    found: Start = json.loads(_worker(settings, "load", str(exported)).splitlines()[-1])
    return found


def _worker(settings: dict[str, str], *words: str) -> str:
    command = [sys.executable, str(_WORKER), *words]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **settings}
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words[:2])}: {done.stderr[-2000:]}")
    return done.stdout


def _build(folder: str) -> Path:
    """The library in front of OpenVINO's."""
    import openvino

    package = Path(openvino.__file__).parent
    (behind,) = (package / "libs").glob("libopenvino_c.so*")
    built = Path(folder, "libstartup_cache.so")
    flags = ["-std=c++17", "-shared", "-fPIC", f"-I{package / 'include'}", "-Wl,--no-as-needed"]
    command = [os.environ.get("CXX", "c++"), *flags, str(_LIBRARY), "-o", str(built), str(behind), "-ldl"]
    subprocess.run([*command, f"-Wl,-rpath,{behind.parent}"], check=True)
    return built


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every case and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="starts of each kind")
    parser.add_argument("--cases", nargs="+", default=CASES, help="MODEL:BATCH, or a name of benchmarks.sequences")
    parser.add_argument("--cold", action="store_true", help="read the files from the disk")
    given = parser.parse_args(arguments)
    os.environ.setdefault("OMP_NUM_THREADS", str(len(os.sched_getaffinity(0))))
    with tempfile.TemporaryDirectory(prefix="gluon_neuron-bench-") as folder:
        library = _build(folder)
        rows = []
        for case in given.cases:
            print(case, file=sys.stderr, flush=True)
            rows.append(measure(case, given.rounds, library, given.cold))
    head = ("case", "ms without", "empty", "filled", "CPU: empty", "filled", "MiB without", "filled", "cache, MiB")
    print("How many times as long a start with a cache takes as one without, and how many times the processor's time;")
    print("medians, and the 10th to 90th percentile. MiB are the process's peak, and the cache's files:\n")
    print(tabulate(rows, head, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
