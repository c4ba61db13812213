"""How good a module is: what it holds that costs, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from .batch_norms import unfused
from .fields import InInstruction
from .flops import flops
from .module import Instruction, Module, read

# They name or regroup what is there, and move nothing.
_FREE = frozenset(["parameter", "constant", "tuple", "get-tuple-element", "bitcast", "after-all"])


@dataclass(frozen=True, slots=True)
class Quality:
    """Counts over all computations; bytes without padding.

    `transposes` are those that move something (more than axes of length 1); `unfused_batch_norms` those still computed
    on activations; `narrowed` the instructions of 64-bit integers, which a NeuronCore computes in 32 bits; `flops`
    those of one run, loops of known length included; `bytes` those of parameters, constants and results;
    `bytes_accessed` those that the entry's instructions read and write if nothing is fused.
    """

    instructions: int
    computations: int
    opcodes: dict[str, int]
    transposes: int
    unfused_batch_norms: int
    narrowed: int
    largest_constant: int
    constants: int
    parameters: int
    results: int
    flops: int
    bytes_accessed: int

    @property
    def bytes(self) -> int:
        """What has to be on the device at the least."""
        return self.parameters + self.constants + self.results


def quality(data: bytes | Module) -> Quality:
    """The counts of a module; raises HloError where the bytes are not one."""
    module = data if isinstance(data, Module) else read(data)
    everything = module.instructions
    constants = [i.shape.nbytes for i in everything if i.opcode == "constant"]
    return Quality(
        instructions=len(everything),
        computations=len(module.computations),
        opcodes=dict(Counter(i.opcode for i in everything).most_common()),
        transposes=sum(map(_moves, everything)),
        unfused_batch_norms=sum(map(unfused, module.computations)),
        narrowed=sum(any(a.type in ("s64", "u64") for a in i.shape.arrays) for i in everything),
        largest_constant=max(constants, default=0),
        constants=sum(constants),
        parameters=sum(p.shape.nbytes for p in module.entry.parameters),
        results=module.entry.root.shape.nbytes,
        flops=flops(module),
        bytes_accessed=sum(
            i.shape.nbytes + sum(o.shape.nbytes for o in i.operands)
            for i in module.entry.instructions
            if i.opcode not in _FREE
        ),
    )


def _moves(i: Instruction) -> bool:
    """Whether a transpose changes the order of axes longer than 1."""
    if i.opcode != "transpose" or not i.operands:
        return False
    dims = i.operands[0].shape.dims
    kept = [a for a in i.message.integers(InInstruction.DIMENSIONS) if 0 <= a < len(dims) and dims[a] != 1]
    return kept != sorted(kept)
