"""Runs a function of the array language on XLA's CPU, after a look at its HLO for what neuronx-cc refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gluon_neuron.dialect import Array, JaxNamespace
from gluon_neuron.dialect.in_jax.importing import wide_types
from gluon_neuron.dialect.in_jax.program import traced
from gluon_neuron.hlo.check import check
from gluon_neuron.hlo.module import read

# As it stands: what XLA's optimizations do is not the question, and they take most of the time of a small program.
PLAIN = {"xla_backend_optimization_level": 0}


def run_in_jax(
    build: Callable[[JaxNamespace], Sequence[Array]], inputs: Mapping[str, np.ndarray], refused: Sequence[str] = ()
) -> list[np.ndarray]:
    """The values of what `build` makes of its leaves. The HLO may be refused for the codes `refused` only.

    64-bit floats, which every chip lacks, are not the fault of a program that is given them, or asked for them.
    """
    program = traced(build, {n: (v.shape, v.dtype.name) for n, v in inputs.items()})
    module = read(program.compiler_ir(dialect="hlo").as_serialized_hlo_module_proto())
    wide = any(v.dtype == np.float64 for v in (*inputs.values(), *program.out_info))
    # Newer versions of jax give large ids; a target rewrites them.
    allowed = {"GN-ID", *refused, *(["GN-F64"] if wide else [])}
    found = [str(v) for v in check(module, "trn2") if v.code not in allowed]
    assert not found, "\n".join(found)
    with wide_types():
        return [np.asarray(out) for out in program.compile(compiler_options=PLAIN)(*inputs.values())]


def leaves_of(xp: Any, inputs: Mapping[str, np.ndarray]) -> list[Array]:
    """One parameter for each input."""
    return [xp.parameter(n, v.shape, v.dtype.name) for n, v in inputs.items()]
