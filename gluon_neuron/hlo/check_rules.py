"""The rules of the checker: for each opcode, and for every type, what is refused and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from .codes import CUSTOM_CALLS
from .fields import InInstruction, InLiteral, InWindow
from .literals import scalar
from .loops import why_dynamic
from .module import Instruction

Found = Iterator[tuple[str, str]]
Rule = Callable[[Instruction, int], Found]

RULES: dict[str, list[Rule]] = {}

_WIDE = ("s32", "u32", "s64", "u64")
_INTEGERS = ("pred", "s8", "u8", "s16", "u16", *_WIDE)
_ORDERS = ("LT", "LE", "GT", "GE")
# Threefry is made of additions, shifts and xors; it is recognised by the word that it xors its key with.
_THREEFRY = 0x1BD11BDA


def _of(*opcodes: str) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        for opcode in opcodes:
            RULES.setdefault(opcode, []).append(rule)
        return rule

    return register


def of_type(i: Instruction, generation: int) -> Found:
    """What is refused of the types and dimensions of an instruction's result."""
    if i.opcode in ("tuple", "get-tuple-element"):
        return  # Said already where the array is made.
    for shape in i.shape.arrays:
        t = shape.type
        if any(shape.dynamic) or any(d < 0 for d in shape.dims):
            yield "EMOD025", f"{shape} has a dimension that is not static."
        if t in ("c64", "c128"):
            yield "EVRF004", f"{shape} is complex; compute with real and imaginary parts."
        elif t.endswith("fnuz"):
            yield "EVRF005", f"{shape} is of an 8-bit float that is not supported; use float16 or bfloat16."
        elif t == "f8e4m3fn" and generation <= 3:
            yield "EVRF051", f"{shape} is of f8e4m3fn, which Trn3 is the first to have."
        elif t == "f8e8m0fnu":
            yield "ESPP047", f"{shape} is of an 8-bit float that is not supported; use float16 or bfloat16."
        elif t in ("f4e2m1fn", "s1", "s2", "s4", "u1", "u2", "u4") or t.startswith("type"):
            yield "ESPP004", f"{shape} is of a type for which there is no code generation."
        elif t == "f64":
            yield "GN-F64", f"{shape} is of 64-bit floats, which a NeuronCore lacks; cast to float32."


@_of("fft", "cholesky", "triangular-solve")
def _operator(i: Instruction, generation: int) -> Found:
    yield "EVRF001", f"{i.opcode} is not among the supported operators."


@_of("convolution")
def _convolution(i: Instruction, generation: int) -> Found:
    stride, kernel, base = (i.window(n) for n in (InWindow.STRIDE, InWindow.WINDOW_DILATION, InWindow.BASE_DILATION))
    if max(base, default=1) > 1 and max(kernel, default=1) > 1:
        yield "EVRF010", f"input dilation {base} and kernel dilation {kernel} cannot be had together."
    if max(base, default=1) > 1 and max(stride, default=1) > 1:
        yield "EVRF011", f"stride {stride} and input dilation {base} cannot be had together."


@_of("reduce-window")
def _reduce_window(i: Instruction, generation: int) -> Found:
    kernel, base = i.window(InWindow.WINDOW_DILATION), i.window(InWindow.BASE_DILATION)
    if max(base, default=1) > 1:
        yield "EVRF017", f"base dilation is {base}; allowed is 1."
    if max(kernel, default=1) > 1:
        yield "EVRF018", f"window dilation is {kernel}; allowed is 1."
    if len(i.operands) != 2:
        yield "EVRF019", f"there are {len(i.operands)} operands; allowed are one array and one initial value."


@_of("dot")
def _dot(i: Instruction, generation: int) -> Found:
    refused = ("s64", "u64") if generation < 3 else _WIDE
    for o in i.operands:
        if o.shape.type in refused:
            yield "EVRF035", f"operand {o.shape} is of integers; cast to float32, which is exact up to 2^24."
            return


@_of("power")
def _power(i: Instruction, generation: int) -> Found:
    if i.shape.type in ("s64", "u64"):
        yield "EVRF062", f"{i.shape} is of 64-bit integers; cast to int32."


@_of("shift-right-arithmetic")
def _shift(i: Instruction, generation: int) -> Found:
    if i.operands and i.operands[0].shape.type not in ("s32", "u32", "f32"):
        yield "EVRF022", f"{i.operands[0].shape} is not of 32 bits; cast to int32."


@_of("topk", "custom-call")
def _top_k(i: Instruction, generation: int) -> Found:
    if i.opcode == "topk" or _target(i) == "AwsNeuronTopK":
        for o in i.operands[:1]:
            if o.shape.type in _WIDE:
                yield "EVRF013", f"{o.shape} is of integers; cast to float32, which is exact up to 2^24."


@_of("custom-call")
def _custom_call(i: Instruction, generation: int) -> Found:
    target = _target(i)
    if target not in CUSTOM_CALLS:
        yield "EVRF015", f"the compiler does not know the target {target!r}."
    if "callback" in target:
        yield "GN-CALLBACK", f"{target!r} calls the host, which a NeuronCore cannot."


@_of("infeed", "outfeed", "send", "recv")
def _host(i: Instruction, generation: int) -> Found:
    if i.opcode in ("infeed", "outfeed") or i.message.integer(InInstruction.HOST_TRANSFER):
        yield "GN-CALLBACK", "a NeuronCore cannot call the host."


@_of("scatter")
def _scatter(i: Instruction, generation: int) -> Found:
    # One that overwrites returns the update, or a constant; anything else combines it with what was there.
    if all(c.root.opcode in ("parameter", "constant") for c in i.called):
        return
    for shape in i.shape.arrays:
        if shape.type in _INTEGERS:
            code = "EVRF060" if shape.type in _WIDE else "EVRF016"
            yield code, f"{shape} is combined, and not of floating point; cast to float32, which is exact up to 2^24."


@_of("all-reduce", "reduce-scatter")
def _collective(i: Instruction, generation: int) -> Found:
    for shape in i.shape.arrays:
        if shape.type in _WIDE:
            code = "EVRF061" if i.opcode == "all-reduce" else "EVRF063"
            yield code, f"{shape} is of integers; cast to float32, which is exact up to 2^24."


@_of("rng-bit-generator")
def _rng(i: Instruction, generation: int) -> Found:
    algorithm = i.message.integer(InInstruction.RNG_ALGORITHM)
    if algorithm:
        yield "EVRF006", f"the algorithm is number {algorithm}; allowed is RNG_DEFAULT, 0."


@_of("constant")
def _constant(i: Instruction, generation: int) -> Found:
    literal = i.message.message(InInstruction.LITERAL)
    if i.shape.type == "u64" and literal and any(_past_32_bits(v) for v in literal.slices(InLiteral.U64)):
        yield "ESFH002", f"{i.shape} has a value past 4294967295."
    if str(i.shape) == "u32[]" and scalar(i) == _THREEFRY:
        yield "GN-RNG", "random numbers by threefry are not completely supported; draw them outside."


def _past_32_bits(packed: memoryview) -> bool:
    """Whether one of many packed varints is past 32 bits: it has more than five bytes, or a fifth past 15."""
    data = np.frombuffer(packed, np.uint8)
    ends = np.flatnonzero(data < 0x80)
    lengths = np.diff(ends, prepend=-1)
    return bool(((lengths > 5) | ((lengths == 5) & (data[ends] > 0x0F))).any())


@_of("conditional")
def _conditional(i: Instruction, generation: int) -> Found:
    yield "GN-CONDITIONAL", f"one of {len(i.called)} branches is chosen at run time; compute all and select."


@_of("while")
def _while(i: Instruction, generation: int) -> Found:
    why = why_dynamic(i)
    if why:
        yield "GN-WHILE", f"how often it runs is not known beforehand: {why}."


@_of("sort")
def _sort(i: Instruction, generation: int) -> Found:
    for c in i.called:
        direction = c.root.message.text(InInstruction.DIRECTION)
        if c.root.opcode != "compare" or direction not in _ORDERS:
            seen = f"{c.root.opcode} {direction}".strip()
            yield "GN-SORT", f"the comparator is {seen}; allowed are compare {', '.join(_ORDERS)}."
        elif any(o.opcode != "parameter" for o in c.root.operands):
            seen = ", ".join(o.opcode for o in c.root.operands)
            yield "GN-SORT", f"the comparator compares {seen}; allowed are its parameters. Sort by a key."


@_of("reduce-precision")
def _precision(i: Instruction, generation: int) -> Found:
    yield "GN-PRECISION", "reduce-precision is not supported; convert to a narrower type and back."


@_of("reduce")
def _reduce(i: Instruction, generation: int) -> Found:
    if len(i.operands) > 2:
        yield "GN-REDUCE", f"{len(i.operands) // 2} arrays are reduced at once; reduce one after the other."
        return
    operator = i.called[0].root.opcode if i.called else ""
    first = scalar(i.operands[1]) if len(i.operands) == 2 else None
    if operator in _IDENTITIES and first is not None and not _IDENTITIES[operator](first, i.shape.type):
        yield "GN-INIT", f"the initial value of {operator} is {first}, which is not neutral; apply it afterwards."


# Whether a value changes nothing. The lowest number of a type is as good as minus infinity, and the highest likewise.
_IDENTITIES: dict[str, Callable[[float, str], bool]] = {
    "add": lambda v, t: v == 0,
    "multiply": lambda v, t: v == 1,
    "or": lambda v, t: v == 0,
    "and": lambda v, t: v == _limits(t)[1] or v == -1,
    "maximum": lambda v, t: v <= _limits(t)[0],
    "minimum": lambda v, t: v >= _limits(t)[1],
}


def _limits(type: str) -> tuple[float, float]:
    """The lowest and the highest number of a type."""
    if type in _LARGEST_FLOATS:
        return -_LARGEST_FLOATS[type], _LARGEST_FLOATS[type]
    bits = 1 if type == "pred" else int(type[1:])
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if type[0] == "s" else (0, (1 << bits) - 1)


_LARGEST_FLOATS = {
    "f16": 65504.0,
    "bf16": float.fromhex("0x1.fep127"),
    "f32": float.fromhex("0x1.fffffep127"),
    "f64": float.fromhex("0x1.fffffffffffffp1023"),
}


def _target(i: Instruction) -> str:
    return i.message.text(InInstruction.CUSTOM_CALL_TARGET)
