"""The target inf1: regions go to neuron-cc as what they are in MXNet, a symbol and its parameters.

neuron-cc bakes the parameters into its program. They stay inputs of the compiled node all the same, for the CPU's
program; the payload has the SHA-256 of each, so that an engine can see when one was changed since.
"""

from __future__ import annotations

from ...artifact.container import Payload
from ...errors import CompileError
from ...graph.graph import Node
from ...refusal import Category, Refusal
from ..base import DATA, Checkpoint, RegionJob, Task, signature
from .chip import ChipTask, Compiler
from .inf1_operators import OPERATORS
from .toolchain.commands import neuron_cc

DTYPES = frozenset(("float32", "float16", "bfloat16", "int32"))
"""What neuron-cc takes; of 64-bit numbers it says to cast them first, and it has no 8-bit ones."""


class Inf1Target:
    """Compiles for the first Inferentia."""

    name = "inf1"
    engine = "nrt"
    folds = False

    def __init__(self) -> None:
        self._compiler: Compiler | None = None

    def ready(self) -> None:
        """Find the compiler; raises CompilerMissingError."""
        self._compiler = self._compiler or Compiler("neuron-cc")

    def refusal(self, node: Node) -> Refusal | None:
        """Why neuron-cc does not take the node: its operator is not on the published list, or a dtype."""
        if node.op not in OPERATORS:
            return Refusal(Category.TARGET, f"{node.op} is not among the {len(OPERATORS)} operators of neuron-cc")
        for spec in (*node.ins, *node.outs.values()):
            if spec is None:
                return Refusal(Category.SHAPE, "MXNet could not infer all of its shapes and dtypes")
            if spec.dtype not in DTYPES:
                allowed = ", ".join(sorted(DTYPES))
                return Refusal(Category.TARGET, f"neuron-cc does not take {spec.dtype} (only {allowed})")
        return None

    def prepare(self, job: RegionJob) -> Task:
        """Write the region as MXNet's two files; raises CompileError."""
        self.ready()
        assert self._compiler is not None
        if job.checkpoint is None:
            raise CompileError("Inf1 needs the region's parameters, which only a compile of the whole model has.")
        kept, specs = job.checkpoint(), {n.name: n.out for n in job.graph.variables}
        data = [n for n in job.inputs if job.roles[n] == DATA]
        if not data:
            raise CompileError("The region reads no data, and neuron-cc needs an input.")
        command = tuple(neuron_cc(tuple(kept.files), {n: specs[n] for n in data}, kept.outputs, job.options))
        payload = self._payload(job, data, kept, command, self._compiler)
        return ChipTask(self._compiler, job, command, kept.files, payload, {})

    def _payload(
        self, job: RegionJob, data: list[str], kept: Checkpoint, command: tuple[str, ...], compiler: Compiler
    ) -> Payload:
        about = {
            "format": "neff",
            "compiler": compiler.name,
            "inputs": [{"name": n, "tensor": n} for n in data],
            "outputs": [{"name": n, "tensor": t} for n, t in zip(job.outputs, kept.outputs, strict=True)],
            "baked": {n: kept.digests[n] for n in job.inputs if n not in data},
            "command": list(command),
        }
        return Payload(self.name, self.engine, compiler.version, signature(job, job.roles), about, b"")
