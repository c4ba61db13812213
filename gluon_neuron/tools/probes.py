"""What `gluon-neuron doctor` tries, each in a process of its own, as a library that is broken may crash.

A probe returns what there is to say of what works; whatever it raises is what is wrong. It prints `MARK` and its result
as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

MARK = "gluon-neuron doctor: "


def numpy() -> str:
    """NumPy computes."""
    import numpy as np

    assert float(np.ones((2, 3)).dot(np.ones(3)).sum()) == 6
    return str(np.__version__)


def mxnet() -> str:
    """MXNet computes."""
    import mxnet as mx

    assert float(mx.nd.dot(mx.nd.ones((2, 3)), mx.nd.ones(3)).sum().asscalar()) == 6
    return str(mx.__version__)


def openvino() -> str:
    """OpenVINO knows its CPU."""
    from ..dialect.in_openvino.importing import import_openvino

    library = import_openvino()
    devices = library.Core().available_devices
    assert "CPU" in devices, f"its devices are {devices}, and CPU is not among them"
    return str(library.__version__)


def operator() -> str:
    """The native operator is there, and MXNet takes it."""
    from ..engine import native_library
    from ..runtime import registration

    registration.register()
    return str(native_library.FILE)


def compiling() -> str:
    """A small net compiles for the CPU, and gives what MXNet gives."""
    import mxnet as mx

    from .. import api

    net = mx.gluon.nn.HybridSequential()
    net.add(mx.gluon.nn.Dense(8, activation="relu"), mx.gluon.nn.Dense(4))
    net.initialize(mx.init.Normal(1))
    sample = mx.nd.ones((2, 6))
    compiled = api.compile(net, sample, target="cpu", strict=True)
    found = api.verify(compiled, net, sample)
    assert found, str(found)
    report = compiled.report
    return f"{report.compiled_operators} of {report.operators} operators compiled, results agree"


def chips() -> str:
    """The machine's Neuron chips, and the compiler for them."""
    from ..engine.devices import devices
    from ..targets.neuron.toolchain.find import find, version

    found = devices()
    if found.chip is None:
        assert not found.files, " ".join(found.notes)
        return "none"
    compiler = find("neuron-cc" if found.chip == "inf1" else "neuronx-cc")
    assert found.library, "the Neuron runtime (libnrt) is not found: install aws-neuronx-runtime-lib"
    return f"{found.chip}, {found.visible} cores, {compiler.name} {version(compiler)}"


def cache() -> str:
    """The compile cache's directory can be used."""
    import os

    from ..targets.neuron.compile_cache import directory

    place = directory()
    there = next(p for p in (place, *place.parents) if p.exists())
    assert os.access(there, os.W_OK), f"{place} cannot be written; name another by NEURON_COMPILE_CACHE_URL"
    return str(place)


def jax() -> str:
    """The programs of Neuron chips can be written."""
    from ..dialect.in_jax.importing import cpu_device, import_jax

    cpu_device()
    return str(import_jax().__version__)


def gluoncv() -> str:
    """GluonCV's models are in the model zoo."""
    import gluoncv

    from ..model_zoo.catalog import why_no_gluoncv

    assert not why_no_gluoncv(), why_no_gluoncv()
    return str(gluoncv.__version__)


PROBES: tuple[Callable[[], str], ...] = (numpy, mxnet, openvino, operator, compiling, chips, cache, jax, gluoncv)


def main(name: str) -> None:
    """Run the probe of this name, and print what it says."""
    probe = next(p for p in PROBES if p.__name__ == name)
    print(MARK + json.dumps(probe()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
