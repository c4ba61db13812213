"""Culprit: where a compiled model parts from MXNet, and what was tried to find that out; prints itself as a table."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


class Kind(str, Enum):
    """What was found to part from MXNet."""

    NODE = "node"
    """One operator, compiled alone, given what MXNet gives it."""
    TOGETHER = "together"
    """Several operators when they are compiled together; cut apart, none of them does."""
    PROGRAM = "program"
    """The program that the model holds; compiled anew the region agrees."""
    REGION = "region"
    """A compiled region; it is not known which of its operators."""
    WIRING = "wiring"
    """What an operator is given: the model's graph is not the reference's."""
    PARAMETERS = "parameters"
    """The parameters' values: the model's are not the reference's."""
    CALL = "call"
    """What is around the regions at a call: padding, parts of a batch, what was bound before."""
    SUM = "sum"
    """No region by itself: the differences of several add up."""
    UNKNOWN = "unknown"
    """Nothing was located."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class CulpritNode:
    """An operator by the name that it has in MXNet."""

    name: str
    op: str

    def __str__(self) -> str:
        return f"node {self.name!r} ({self.op})"


@dataclass(frozen=True)
class Tried:
    """Operators of a region that ran by themselves, given what MXNet gives them, and how they differ from MXNet.

    They are those from `first` to `last` in the graph's order. `program` is "as compiled" or "compiled anew"; the
    numbers are as a `Difference` has them, the largest of all outputs. `other` says what kept them from being compared.
    """

    region: str
    program: str
    operators: int
    first: CulpritNode
    last: CulpritNode
    max_abs: float = 0.0
    max_rel: float = 0.0
    outside: float = 0.0
    other: str = ""

    @property
    def parts(self) -> bool:
        """Whether they differ from MXNet beyond the tolerance."""
        return not self.other and self.outside > 0


@dataclass(frozen=True)
class Culprit:
    """Where a compiled model parts from the reference.

    `kind` says what was found and `sentence` puts it in words; `nodes` are the operators, in order, and `region` is the
    compiled region that they are in, by the name of its node. `tried` is the way there. `sample` is the number of the
    input that it was looked for with, `tolerance` what operators were allowed given equal inputs, and `seconds` the
    time it took. `suspect` is, of operators that part together alone, the one that differs most by itself.
    """

    kind: Kind
    sentence: str
    region: str = ""
    nodes: tuple[CulpritNode, ...] = ()
    suspect: CulpritNode | None = None
    tried: tuple[Tried, ...] = ()
    sample: int = 0
    tolerance: str = ""
    seconds: float = 0.0

    @property
    def node(self) -> CulpritNode | None:
        """The operator, where it is one."""
        return self.nodes[0] if len(self.nodes) == 1 else None

    def to_dict(self) -> dict[str, Any]:
        """JSON-compatible values; None for what is not finite."""
        return {**jsonable(asdict(self)), "kind": str(self.kind)}

    def __str__(self) -> str:
        from tabulate import tabulate

        lines = [self.sentence]
        if self.tried:
            lines.append(f"Tried with input {self.sample}, each given what MXNet gives it ({self.tolerance}):")
            rows = [_row(t) for t in self.tried]
            head = ("region", "program", "operators", "from", "to", "max |a-b|", "of the range", "outside")
            lines.append(tabulate(rows, head, disable_numparse=True))
        return "\n".join(lines)


def _row(tried: Tried) -> tuple[str, ...]:
    numbers = (f"{tried.max_abs:.2e}", f"{tried.max_rel:.2e}", f"{tried.outside:.2%}")
    ends = (tried.first.name, "" if tried.operators == 1 else tried.last.name)
    return (tried.region, tried.program, str(tried.operators), *ends, *(numbers if not tried.other else ("-",) * 3))


def jsonable(value: Any) -> Any:
    """The value with lists for tuples, and None for numbers that JSON does not have."""
    if isinstance(value, dict):
        return {k: jsonable(v) for k, v in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [jsonable(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
