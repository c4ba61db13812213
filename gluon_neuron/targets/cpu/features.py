"""What this machine's processor can do, as far as programs are written for it."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "GLUON_NEURON_CPU_FEATURES"
"""In the environment: names, with commas between, that take the place of the processor's own (also when a program is
loaded). So programs can be made for another machine, or for the least that several have in common."""

AVX512 = ("avx512bw", "avx512dq", "avx512f", "avx512vl")
"""What OpenVINO's plugin calls AVX-512."""

_RECORDED = frozenset((*AVX512, "avx2", "fma", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "amx_int8"))


def features(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """The processor's features, by the names that the kernel gives them; empty where it does not say."""
    given = os.environ.get(VARIABLE)
    if given is not None:
        return frozenset(word.strip().lower() for word in given.split(","))
    try:
        with cpuinfo.open() as lines:
            found = next((line for line in lines if line.startswith(("flags", "Features"))), ":")
    except OSError:
        return frozenset()
    return frozenset(found.split(":", 1)[1].split())


def has_avx512() -> bool:
    """Whether this machine's processor has AVX-512."""
    return features().issuperset(AVX512)


def recorded() -> list[str]:
    """Those of this machine that a payload records."""
    return sorted(features() & _RECORDED)
