"""A while loop's trip count, where it can be read off: a counter from a constant, by a constant, up to a constant."""

from __future__ import annotations

from .fields import InInstruction
from .literals import scalar
from .module import Computation, Instruction


def why_dynamic(loop: Instruction) -> str | None:
    """What keeps the trip count of a `while` from being known, or None if it is known."""
    found = _read(loop)
    return found if isinstance(found, str) else None


def trip_count(loop: Instruction) -> int | None:
    """How often the body of a `while` runs, or None where that is not known."""
    found = _read(loop)
    return None if isinstance(found, str) else found


def _read(loop: Instruction) -> int | str:
    """The trip count, or what keeps it from being known."""
    if len(loop.called) != 2 or len(loop.operands) != 1:
        return f"it has {len(loop.called)} computations and {len(loop.operands)} operands"
    body, condition = loop.called
    test = condition.root
    if test.opcode != "compare" or len(test.operands) != 2:
        return f"its condition is {test.opcode}, not a comparison of two"
    counter = _counter(condition)
    if counter is None:
        seen = " with ".join(o.opcode for o in test.operands)
        return f"its condition compares {seen}, not a counter with a constant"
    start = _part(loop.operands[0], counter)
    if start is None or start.opcode != "constant":
        return f"its counter begins at {start.opcode if start else 'what is not there'}, not at a constant"
    step = _part(body.root, counter)
    by = _step(step, counter) if step else None
    if by is None:
        return f"its counter is changed by {step.opcode if step else 'nothing'}, not by adding a constant"
    first, limit = _integer(start), next(_integer(o) for o in test.operands if o.opcode == "constant")
    direction = test.message.text(InInstruction.DIRECTION)
    if _element(test.operands[0]) is None:
        direction = _SWAPPED.get(direction, direction)
    if first is None or limit is None:
        return "its counter is not an integer"
    return _count(first, limit, by, direction)


_SWAPPED = {"LT": "GT", "LE": "GE", "GT": "LT", "GE": "LE"}


def _count(first: int, limit: int, by: int, direction: str) -> int | str:
    if direction in ("GT", "GE"):
        first, limit, by, direction = -first, -limit, -by, _SWAPPED[direction]
    if direction == "NE":
        times, rest = divmod(limit - first, by) if by else (-1, 0)
        return times if times >= 0 and not rest else f"it never ends: {first}, by {by}, until {limit}"
    if direction not in ("LT", "LE"):
        return f"its condition compares by {direction}"
    distance = limit - first + (direction == "LE")
    if distance <= 0:
        return 0
    return -(-distance // by) if by > 0 else f"it never ends: {first}, by {by}, until {limit}"


def _counter(condition: Computation) -> int | None:
    """The element that the condition compares with a constant."""
    elements = [_element(o) for o in condition.root.operands]
    others = [o.opcode for o, e in zip(condition.root.operands, elements) if e is None]
    return next((e for e in elements if e is not None), None) if others == ["constant"] else None


def _part(i: Instruction, element: int) -> Instruction | None:
    """What a tuple's element is made of."""
    return i.operands[element] if i.opcode == "tuple" and 0 <= element < len(i.operands) else None


def _element(i: Instruction) -> int | None:
    """Which element of the loop's state this is."""
    if i.opcode != "get-tuple-element" or [o.opcode for o in i.operands] != ["parameter"]:
        return None
    return i.message.integer(InInstruction.TUPLE_INDEX)


def _step(step: Instruction, counter: int) -> int | None:
    """What a step adds to the counter."""
    if step.opcode not in ("add", "subtract") or len(step.operands) != 2:
        return None
    a, b = step.operands
    if step.opcode == "add" and a.opcode == "constant":
        a, b = b, a
    by = _integer(b) if _element(a) == counter and b.opcode == "constant" else None
    return -by if by is not None and step.opcode == "subtract" else by


def _integer(constant: Instruction) -> int | None:
    """A scalar constant's value, if it is an integer."""
    value = scalar(constant)
    return value if isinstance(value, int) else None
