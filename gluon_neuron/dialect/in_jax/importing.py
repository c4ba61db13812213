"""Imports jax when it is needed, says what to install without it, and turns on 64-bit types for one block of code."""

from __future__ import annotations

import importlib
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any

from ...errors import EngineError


def import_jax() -> ModuleType:
    """The module `jax`; raises EngineError where it is not installed."""
    try:
        return importlib.import_module("jax")
    except (ImportError, AttributeError, RuntimeError) as error:  # as a NumPy or a jaxlib that does not fit gives
        why = " ".join(str(error).split())
        raise EngineError(
            f"jax cannot be imported ({why}); it writes the programs that neuronx-cc compiles. "
            "Install it: pip install '.[neuronx]' in gluon_neuron's source tree, which asks for a release that fits."
        ) from error


def cpu_device() -> Any:
    """jax's CPU, for which programs are lowered; raises EngineError where jax was told to do without it."""
    jax = import_jax()
    try:
        return jax.devices("cpu")[0]
    except RuntimeError as error:
        raise EngineError(
            f"jax does not find the CPU ({str(error)[:300]}); programs are lowered for it, so let "
            "JAX_PLATFORMS name cpu too."
        ) from error


def wide_types() -> AbstractContextManager[Any]:
    """A context in which jax has 64-bit types, for this thread only.

    Without it jax silently takes int64 for int32. The setting of the process is the user's and stays as it is.
    """
    jax = import_jax()
    # Newer versions of jax have it at their top.
    found = getattr(jax, "enable_x64", None)
    if callable(found):
        return found(True)
    return importlib.import_module("jax.experimental").enable_x64()
