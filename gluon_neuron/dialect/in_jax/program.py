"""Traces a function of the array language into an HLO module, the form that neuronx-cc reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..strict_array import Array
from .importing import cpu_device, import_jax, wide_types
from .namespace import JaxNamespace

Build = Callable[[JaxNamespace], Sequence[Array]]
Specs = Mapping[str, tuple[tuple[int, ...], str]]


def traced(build: Build, inputs: Specs) -> Any:
    """What jax calls a lowered program: `build` in a namespace with the given leaves, as `hlo_module` has it."""
    jax = import_jax()

    def program(*values: Any) -> tuple[Any, ...]:
        xp = JaxNamespace(dict(zip(inputs, values, strict=True)))
        return tuple(map(xp.value, build(xp)))

    program.__name__ = "gluon_neuron"
    # The module is one for any device: it is lowered as for the CPU, whatever jax would run on by itself.
    with wide_types(), jax.default_device(cpu_device()):
        leaves = [jax.ShapeDtypeStruct(shape, jax.numpy.dtype(dtype)) for shape, dtype in inputs.values()]
        return jax.jit(program, keep_unused=True).lower(*leaves)


def hlo_module(build: Build, inputs: Specs) -> bytes:
    """The HloModuleProto, exactly as jax writes it, of what `build` makes in a namespace with the given leaves.

    `inputs` maps the leaves' names to shapes and dtypes; each is a parameter of the module, in that order, used or
    not. The results of `build` are the entries of the module's result, in order. Raises EngineError without jax.
    """
    return traced(build, inputs).compiler_ir(dialect="hlo").as_serialized_hlo_module_proto()
