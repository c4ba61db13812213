"""XLA's own functions by the places that older and newer jaxlib have for them; modules compiled and run."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Arrays = Sequence[np.ndarray]


_PLACES = ("xla_extension", "_jax", "_hlo", "_xla", "xla_client")


def named(name: str) -> Any:
    """A function, class or module of XLA's, such as HloModule; it does not import jax, which takes a second."""
    for place in _PLACES:
        try:
            found = getattr(importlib.import_module(f"jaxlib.{place}"), name, None)
        except ImportError:
            continue
        if found is not None:
            return found
    raise AttributeError(f"jaxlib has no {name}")


def compiled(module: bytes, client: Any = None) -> Any:
    """The executable of a serialised HLO module on XLA's CPU; raises what XLA does for one that is not well formed."""
    from jaxlib import xla_client

    client = client or xla_client.make_cpu_client()
    program = named("mlir").xla_computation_to_mlir_module(named("XlaComputation")(module))
    if not hasattr(client, "compile_and_load"):
        return client.compile(program)
    return client.compile_and_load(program, named("DeviceList")(tuple(client.devices()[:1])))


def loaded(module: bytes) -> Callable[[Arrays], list[np.ndarray]]:
    """What computes a serialised HLO module on jax's own CPU client."""
    import jax

    device = jax.devices("cpu")[0]
    executable = compiled(module, device.client)
    put = getattr(device.client, "buffer_from_pyval", None)

    def run(arrays: Arrays) -> list[np.ndarray]:
        from gluon_neuron.dialect.in_jax.importing import wide_types

        with wide_types():
            return [
                np.asarray(out)
                for out in executable.execute([put(a) if put else jax.device_put(a, device) for a in arrays])
            ]

    return run
