"""A typed, read-only view of an HloModuleProto: computations, instructions, shapes, and each one's MXNet node."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import prod

from ..errors import HloError
from .fields import KEY, ONLY, TYPES, VALUE, InComputation, InInstruction, InMetadata, InModule, InShape
from .names import node_of
from .wire import Message

_BITS = dict(TYPES.values())
# Shapes nest as tuples do; protobuf itself stops at 100 messages.
_DEEPEST = 90


@dataclass(frozen=True, slots=True)
class Shape:
    """An array's element type (XLA's name, such as "f32"), dimensions, and which of them are dynamic; or a tuple."""

    type: str
    dims: tuple[int, ...] = ()
    dynamic: tuple[bool, ...] = ()
    parts: tuple[Shape, ...] = ()

    @property
    def arrays(self) -> tuple[Shape, ...]:
        """The arrays of a tuple, from left to right; an array itself."""
        return tuple(a for p in self.parts for a in p.arrays) if self.type == "tuple" else (self,)

    @property
    def size(self) -> int:
        """Number of elements of all arrays."""
        return sum(prod(a.dims) for a in self.arrays)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays' elements, sub-byte elements packed."""
        return sum((prod(a.dims) * _BITS.get(a.type, 0) + 7) // 8 for a in self.arrays)

    def __str__(self) -> str:
        if self.type == "tuple":
            return f"({', '.join(map(str, self.parts))})"
        dims = [f"<={d}" if i < len(self.dynamic) and self.dynamic[i] else str(d) for i, d in enumerate(self.dims)]
        return f"{self.type}[{','.join(dims)}]"


@dataclass(eq=False, slots=True)
class Instruction:
    """One instruction; `node` is the MXNet node it came from, "" where nothing says so, and for the module's
    parameters the input's name."""

    id: int
    name: str
    opcode: str
    shape: Shape
    operand_ids: tuple[int, ...]
    called_ids: tuple[int, ...]
    op_name: str
    message: Message
    node: str = ""
    operands: tuple[Instruction, ...] = ()
    called: tuple[Computation, ...] = ()

    @property
    def parameter(self) -> int:
        """A parameter's number."""
        return self.message.integer(InInstruction.PARAMETER_NUMBER)

    @property
    def frontend(self) -> dict[str, str]:
        """The frontend attributes."""
        attributes = self.message.message(InInstruction.FRONTEND)
        return {m.text(KEY): m.text(VALUE) for m in attributes.messages(ONLY)} if attributes else {}

    def window(self, number: int) -> tuple[int, ...]:
        """One field (of InWindow) of each dimension of the window; zeros are as they are written."""
        window = self.message.message(InInstruction.WINDOW)
        return tuple(m.integer(number) for m in window.messages(ONLY)) if window else ()


@dataclass(eq=False, slots=True)
class Computation:
    """A computation's instructions, operands before their users."""

    id: int
    name: str
    instructions: tuple[Instruction, ...]
    root: Instruction
    message: Message

    @property
    def parameters(self) -> list[Instruction]:
        """The parameters by their numbers, which are 0, 1, ..."""
        found = sorted((i for i in self.instructions if i.opcode == "parameter"), key=lambda i: i.parameter)
        if [p.parameter for p in found] != list(range(len(found))):
            raise HloError(f"Computation {self.name} has parameters {[p.parameter for p in found]}, not 0, 1, ...")
        return found


@dataclass(eq=False)
class Module:
    """A module's computations, callees before their callers."""

    name: str
    computations: tuple[Computation, ...]
    entry: Computation
    message: Message = field(repr=False)

    @cached_property
    def instructions(self) -> tuple[Instruction, ...]:
        """The instructions of all computations."""
        return tuple(i for c in self.computations for i in c.instructions)

    def tensors(self) -> tuple[list[str], list[str]]:
        """The names that the NEFF's inputs and outputs get, by parameter and by result, as `rewrite` has set them.

        Raises HloError for a module that was not rewritten.
        """
        inputs = [p.frontend.get("neff_input_names", "") for p in self.entry.parameters]
        outputs = self.entry.root.frontend.get("neff_output_names", "").split(",")
        if not all(inputs) or not all(outputs):
            raise HloError(f"Module {self.name} does not name its NEFF's tensors; rewrite it first.")
        return inputs, outputs


def read(data: bytes | memoryview) -> Module:
    """The view of a serialised HloModuleProto.

    Raises HloError where the bytes are not a module: damaged, or an instruction or computation that another names is
    missing.
    """
    message = Message(data)
    shapes: dict[bytes, Shape] = {}
    computations = tuple(_computation(m, shapes) for m in message.messages(InModule.COMPUTATIONS))
    by_id = {c.id: c for c in computations}
    if len(by_id) < len(computations):
        raise HloError(f"{len(computations)} computations have only {len(by_id)} different ids.")
    entry_id = message.integer(InModule.ENTRY_ID)
    if entry_id not in by_id:
        raise HloError(f"The entry computation's id is {entry_id}, but the computations have {sorted(by_id)}.")
    for computation in computations:
        for i in computation.instructions:
            try:
                i.called = tuple(by_id[c] for c in i.called_ids)
            except KeyError as error:
                raise HloError(f"Instruction {i.name} calls computation {error}, which is not there.") from None
    module = Module(message.text(InModule.NAME), computations, by_id[entry_id], message)
    _find_nodes(module)
    return module


def _computation(message: Message, shapes: dict[bytes, Shape]) -> Computation:
    name = message.text(InComputation.NAME)
    by_id: dict[int, Instruction] = {}
    for m in message.messages(InComputation.INSTRUCTIONS):
        i = _instruction(m, shapes)
        try:
            i.operands = tuple(by_id[o] for o in i.operand_ids)
        except KeyError as error:
            raise HloError(f"{i.opcode} {i.name} has operand {error}, which is not before it in {name}.") from None
        if i.id in by_id:
            raise HloError(f"{i.opcode} {i.name} has id {i.id}, which {by_id[i.id].name} of {name} has too.")
        by_id[i.id] = i
    root = message.integer(InComputation.ROOT_ID)
    if root not in by_id:
        raise HloError(f"The root of computation {name} is {root}, which is none of its {len(by_id)} instructions.")
    return Computation(message.integer(InComputation.ID), name, tuple(by_id.values()), by_id[root], message)


def _instruction(message: Message, shapes: dict[bytes, Shape]) -> Instruction:
    metadata = message.message(InInstruction.METADATA)
    return Instruction(
        id=message.integer(InInstruction.ID),
        name=message.text(InInstruction.NAME),
        opcode=message.text(InInstruction.OPCODE),
        shape=_shape(message.data(InInstruction.SHAPE), shapes),
        operand_ids=message.integers(InInstruction.OPERANDS),
        called_ids=message.integers(InInstruction.CALLED),
        op_name=metadata.text(InMetadata.OP_NAME) if metadata else "",
        message=message,
    )


def _shape(data: memoryview, known: dict[bytes, Shape], depth: int = 0) -> Shape:
    key = bytes(data)
    if key not in known:
        if depth > _DEEPEST:
            raise HloError(f"A shape is a tuple of tuples {depth} deep.")
        message = Message(data)
        number = message.integer(InShape.TYPE)
        known[key] = Shape(
            TYPES[number][0] if number in TYPES else f"type{number}",
            message.integers(InShape.DIMENSIONS),
            tuple(map(bool, message.integers(InShape.DYNAMIC))),
            tuple(_shape(v, known, depth + 1) for v in message.slices(InShape.PARTS)),
        )
    return known[key]


def _find_nodes(module: Module) -> None:
    """Set each instruction's node: what its metadata says, else its first user's, its operand's, its caller's."""
    inputs = {id(i) for i in module.entry.instructions if i.opcode == "parameter"}
    for i in module.entry.instructions:
        i.node = i.op_name if id(i) in inputs else ""
    caller: dict[int, str] = {}
    for computation in reversed(module.computations):  # Those that call come before those that are called.
        own = [i for i in computation.instructions if id(i) not in inputs]
        for i in own:
            # A call is named by its scope alone in newer jax, and not at all in older.
            i.node = node_of(f"{i.op_name}/call" if i.op_name and i.opcode == "call" else i.op_name)
        _from_users(computation)
        for i in own:
            i.node = i.node or next((o.node for o in i.operands if o.node and id(o) not in inputs), "")
        _from_users(computation)
        for i in computation.instructions:
            i.node = i.node or caller.get(computation.id, "")
            for c in i.called:
                caller.setdefault(c.id, i.node)


def _from_users(computation: Computation) -> None:
    for i in reversed(computation.instructions):
        for o in i.operands:
            o.node = o.node or i.node
