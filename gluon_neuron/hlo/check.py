"""What neuronx-cc is known to refuse, found in a module before the compiler sees it.

The codes are those that AWS publishes for neuronx-cc (its messages put "NCC_" before them). A known limit that has no
published code has one of ours, which begins with "GN-". `CODES` lists what `check` finds, `NOT_READ` what it cannot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import OptionError, nearest
from .check_rules import RULES, of_type
from .codes import GENERATION
from .module import Instruction, Module, read

_LARGEST_ID = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class Violation:
    """One refusal: its code, the instruction's name and opcode, the MXNet node ("" if unknown), and what is wrong."""

    code: str
    instruction: str
    opcode: str
    node: str
    text: str

    def __str__(self) -> str:
        where = f"{self.opcode} {self.instruction}" + (f" (node {self.node})" if self.node else "")
        return f"{self.code}: {where}: {self.text}"


def check(data: bytes | Module, target: str) -> tuple[Violation, ...]:
    """Every violation in a module, in its order; `target` is inf2, trn1 or trn2.

    Raises HloError where the bytes are not a module, OptionError for another target.
    """
    if target not in GENERATION:
        raise OptionError(
            f"HLO is checked for a target of {', '.join(GENERATION)}, not {target!r}.{nearest(target, GENERATION)}"
        )
    module = data if isinstance(data, Module) else read(data)
    generation = GENERATION[target]
    found: list[Violation] = []
    for i in module.instructions:
        for code, text in _of(i, generation):
            found.append(Violation(code, i.name, i.opcode, i.node, text))
    return tuple(found) + tuple(_ids(module))


def _of(i: Instruction, generation: int) -> Iterator[tuple[str, str]]:
    yield from of_type(i, generation)
    for rule in RULES.get(i.opcode, ()):
        yield from rule(i, generation)


def _ids(module: Module) -> Iterator[Violation]:
    count = Counter(i.id for i in module.instructions)
    for i in module.instructions:
        if count[i.id] > 1 or not 0 <= i.id <= _LARGEST_ID:
            text = f"id {i.id} is not {'unique in the module' if count[i.id] > 1 else 'within 31 bits'}; rewrite it."
            yield Violation("GN-ID", i.name, i.opcode, i.node, text)
    for c in module.computations:
        if not 0 <= c.id <= _LARGEST_ID:
            yield Violation(
                "GN-ID", c.name, "computation", c.root.node, f"id {c.id} is not within 31 bits; rewrite it."
            )
