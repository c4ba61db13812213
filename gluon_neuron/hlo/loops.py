"""Whether a while loop's trip count can be read off: a counter from a constant, by a constant, up to a constant."""

from __future__ import annotations

from .fields import InInstruction
from .module import Computation, Instruction


def why_dynamic(loop: Instruction) -> str | None:
    """What keeps the trip count of a `while` from being known, or None if it is known."""
    if len(loop.called) != 2 or len(loop.operands) != 1:
        return f"it has {len(loop.called)} computations and {len(loop.operands)} operands"
    body, condition = loop.called
    if condition.root.opcode != "compare":
        return f"its condition is {condition.root.opcode}, not a comparison"
    counter = _counter(condition)
    if counter is None:
        seen = " with ".join(o.opcode for o in condition.root.operands)
        return f"its condition compares {seen}, not a counter with a constant"
    start = _part(loop.operands[0], counter)
    if start is None or start.opcode != "constant":
        return f"its counter begins at {start.opcode if start else 'what is not there'}, not at a constant"
    step = _part(body.root, counter)
    if step is None or step.opcode not in ("add", "subtract") or not _advances(step, counter):
        return f"its counter is changed by {step.opcode if step else 'nothing'}, not by adding a constant"
    return None


def _part(i: Instruction, element: int) -> Instruction | None:
    """What a tuple's element is made of."""
    return i.operands[element] if i.opcode == "tuple" and 0 <= element < len(i.operands) else None


def _counter(condition: Computation) -> int | None:
    """The element that the condition compares with a constant."""
    elements = [_element(o) for o in condition.root.operands]
    others = [o.opcode for o, e in zip(condition.root.operands, elements) if e is None]
    return next((e for e in elements if e is not None), None) if others == ["constant"] else None


def _element(i: Instruction) -> int | None:
    """Which element of the loop's state this is."""
    if i.opcode != "get-tuple-element" or [o.opcode for o in i.operands] != ["parameter"]:
        return None
    return i.message.integer(InInstruction.TUPLE_INDEX)


def _advances(step: Instruction, counter: int) -> bool:
    """Whether a step takes the counter and a constant."""
    constants = [o for o in step.operands if o.opcode == "constant"]
    counters = [o for o in step.operands if _element(o) == counter]
    return len(constants) == len(counters) == 1
