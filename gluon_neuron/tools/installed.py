"""What is installed and set here: versions, and the environment variables that matter. It needs no MXNet."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from .._version import __version__

_PACKAGES = ("mxnet", "numpy", "openvino", "gluoncv", "gluonnlp", "jax", "jaxlib", "neuronx-cc", "neuron-cc")
_NAMES = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "KMP_AFFINITY", "KMP_INIT_AT_FORK", "SUBGRAPH_INFO")
_BEGINNINGS = ("MXNET_", "NEURON_", "NEURONCORE_", "GLUON_NEURON_")


def versions() -> dict[str, str]:
    """The versions of everything involved, by name; packages that are not installed are left out."""
    found = {
        "gluon_neuron": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
    }
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def environment() -> Iterator[tuple[str, str]]:
    """The environment variables that change how a model is compiled or run, and no others."""
    for name, value in sorted(os.environ.items()):
        if name in _NAMES or name.startswith(_BEGINNINGS):
            yield name, value


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
