"""A region as an HLO module, with its weights as parameters in a stable order, or baked in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...dialect.dtypes import storage
from ...dialect.in_jax.program import hlo_module
from ...errors import CompileError
from ...graph.spec import Spec
from ...lowering.lower import lower
from ..base import RegionJob


@dataclass(frozen=True)
class HloProgram:
    """A serialized HloModuleProto, and the names of its parameters and results in order.

    Instructions carry the name of the MXNet node they come from in their metadata. Ids are those that jax gave.
    """

    module: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def build(job: RegionJob) -> HloProgram:
    """The region's module: its parameters are `job.inputs`, those that nothing reads included.

    Weights whose values `job` has are constants of the module. Raises CompileError, with the node, when a rule fails,
    and EngineError without jax. Casts to smaller types are left to the compiler.
    """
    specs = {n.name: n.out for n in job.graph.variables}
    missing = [n for n in job.inputs if n not in specs]
    loose = [n for n in specs if n not in job.inputs and n not in job.values]
    if missing or loose:
        raise CompileError(
            f"The program's inputs {missing} are not in its graph, or {loose} of the graph have no value."
        )

    def outputs(xp: Any) -> list[Any]:
        leaves = {n: xp.parameter(n, specs[n].shape, specs[n].dtype) for n in job.inputs}
        for name, raw in job.values.items():
            if name in specs and name not in leaves:
                leaves[name] = xp.constant(_value(raw, specs[name]), specs[name].dtype)
        return lower(job.graph, xp, leaves)

    module = hlo_module(outputs, {n: (tuple(specs[n].shape), specs[n].dtype) for n in job.inputs})
    return HloProgram(module, tuple(job.inputs), tuple(job.outputs))


def _value(raw: Any, spec: Spec) -> np.ndarray:
    if spec.dtype == "bfloat16":
        # The upper half of a float32.
        bits = np.frombuffer(raw, np.uint16).astype(np.uint32) << 16
        return bits.view(np.float32).reshape(spec.shape)
    return np.frombuffer(raw, storage(spec.dtype)).reshape(spec.shape)
