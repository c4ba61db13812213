"""Batch norms that are still computed on activations, though their scale could be in a kernel."""

from __future__ import annotations

from .module import Computation, Instruction

# What a vector of statistics goes through before it meets the activations.
_LIGHT = frozenset(
    [
        *("add", "subtract", "multiply", "divide", "negate", "sqrt", "rsqrt", "power", "convert", "copy", "select"),
        *("reshape", "broadcast", "slice", "transpose", "bitcast", "compare", "exponential", "maximum", "abs"),
    ]
)
_ROOTS = frozenset(["rsqrt", "sqrt"])


def unfused(computation: Computation) -> int:
    """How often an activation is multiplied by a vector that depends on weights only.

    Counted are `batch-norm-inference`, a scale that comes of a root (a variance's), and any scale, as of folded
    constants, that directly follows a convolution or a dot. A scale that goes into a kernel is what fusing means.
    """
    users: dict[int, list[Instruction]] = {}
    for i in computation.instructions:
        for o in i.operands:
            users.setdefault(id(o), []).append(i)
    vectors: dict[int, _Vector] = {}
    count = 0
    for i in computation.instructions:
        if i.opcode == "batch-norm-inference":
            count += 1
        made = _vector(i, vectors)
        if made:
            vectors[id(i)] = made
        elif i.opcode in ("multiply", "divide") and len(i.operands) == 2:
            scale = next((vectors[id(o)] for o in i.operands if id(o) in vectors), None)
            if scale is None:
                continue
            data = next(o for o in i.operands if id(o) not in vectors)
            if scale.root and scale.long:
                count += not _is_kernel(i, users)
            else:
                # One number after a dot is attention's; after a convolution it is a batch norm of equal statistics.
                product = _product(data, vectors)
                count += product == "convolution" or (product == "dot" and scale.long)
    return count


class _Vector:
    """What depends on no array of more than one dimension: whether it is more than a number, and has a root in it."""

    __slots__ = ("long", "root")

    def __init__(self, long: bool, root: bool) -> None:
        self.long, self.root = long, root


def _vector(i: Instruction, vectors: dict[int, _Vector]) -> _Vector | None:
    if i.opcode in ("parameter", "constant"):
        lengths = [d for d in i.shape.dims if d != 1]
        return _Vector(bool(lengths), False) if len(lengths) <= 1 and not i.shape.parts else None
    if i.opcode not in _LIGHT or not i.operands or any(id(o) not in vectors for o in i.operands):
        return None
    given = [vectors[id(o)] for o in i.operands]
    return _Vector(any(v.long for v in given), i.opcode in _ROOTS or any(v.root for v in given))


def _is_kernel(i: Instruction, users: dict[int, list[Instruction]]) -> bool:
    """Whether all that is made of this is a kernel."""
    todo, uses = [i], 0
    while todo:
        now = todo.pop()
        for user in users.get(id(now), []):
            if user.opcode in ("reshape", "transpose", "convert", "copy"):
                todo.append(user)
                continue
            if user.opcode not in ("convolution", "dot") or user.operands[0] is now:
                return False
            uses += 1
    return uses > 0


def _product(data: Instruction, vectors: dict[int, _Vector]) -> str:
    """The opcode of what this is the result of, but for a bias."""
    while data.opcode in ("add", "subtract", "reshape", "convert", "copy") and data.operands:
        rest = [o for o in data.operands if id(o) not in vectors]
        if len(rest) != 1:
            break
        data = rest[0]
    return data.opcode
