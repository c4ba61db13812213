"""`python -m benchmarks`: the speed, memory and load times that the README's tables show."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

MODELS = (
    *("resnet50_v1", "mobilenetv2_1.0", "vgg16", "densenet121", "inceptionv3", "squeezenet1.0"),
    "ssd_512_resnet50_v1_coco",
)


def main() -> int:
    """Run the measurements, print the tables; returns 0 whether the limits hold or not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--models", nargs="+", default=MODELS, help="names of gluon_neuron.model_zoo.names()")
    parser.add_argument("--batches", nargs="+", type=int, default=(1, 8))
    parser.add_argument("--seconds", type=float, default=20, help="about how long each case is measured")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="for every contender")
    parser.add_argument("--quick", action="store_true", help="one small model for a second: does it all work?")
    parser.add_argument("--json", type=Path, help="write everything that was measured")
    parser.add_argument("--markdown", type=Path, help="write the tables")
    given = parser.parse_args()
    # MXNet reads it when it is imported, and may take a single thread where it is not set.
    os.environ["OMP_NUM_THREADS"] = str(given.threads)

    from .speed import measure_all
    from .tables import tables

    models, batches, seconds = given.models, given.batches, given.seconds
    if given.quick:
        models, batches, seconds = ["squeezenet1.1"], [1], 1.0
    results = measure_all(models, batches, seconds, given.threads, print_progress)
    text = tables(results)
    print(text)
    if given.json:
        given.json.write_text(json.dumps(results, indent=1) + "\n")
    if given.markdown:
        given.markdown.write_text(text + "\n")
    return 0


def print_progress(text: str) -> None:
    """Say what is measured now, on the error stream, so that the tables can be redirected."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
