"""Rewriting a module for the Neuron compiler: small unique ids, names that say the MXNet node, names of the tensors.

Modules of newer XLA have ids beyond 32 bits, which the compiler's XLA refuses; jax calls parameters `Arg_0.1`; and
paths and line numbers of the machine that lowered it would make one model's bytes differ from machine to machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..errors import HloError
from .fields import KEY, ONLY, VALUE, InComputation, InInstruction, InMetadata, InModule, InProgramShape
from .module import Computation, Instruction, Module, read
from .names import legal, plain
from .wire import Message, Pieces, edited

ENTRY = "main"
_SOURCE = (
    InMetadata.SOURCE_FILE,
    InMetadata.SOURCE_LINE,
    InMetadata.STACK_FRAME,
    InMetadata.SOURCE_END_LINE,
    InMetadata.SOURCE_COLUMN,
    InMetadata.SOURCE_END_COLUMN,
)


def rewrite(data: bytes, inputs: Sequence[str], outputs: Sequence[str], name: str | None = None) -> bytes:
    """The module with what the Neuron compiler needs, computing the same; what we do not know is kept as it is.

    `inputs` and `outputs` name the parameters and results in order. Instructions and computations are numbered from 1
    over the whole module and called `<node>.<opcode>.<id>`; parameters are called as the inputs, here and in the
    program shape; the entry computation is "main", the module `name` or what it was; the NEFF's tensors are `input0`,
    ... and `output0`, ... (`Module.tensors` reads them back). The same model gives the same bytes on every machine.
    Raises HloError for damaged bytes and for a module of another number of parameters or results.
    """
    module = read(data)
    parameters = module.entry.parameters
    shape = module.entry.root.shape
    results = len(shape.parts) if shape.type == "tuple" else 1
    for what, names, count in (("parameters", inputs, len(parameters)), ("results", outputs, results)):
        if len(names) != count:
            raise HloError(f"Module {module.name} has {count} {what}, but {len(names)} names were given for them.")
    return _Rewrite(module, inputs, outputs).module(name or module.name).join()


class _Rewrite:
    """The new ids and names of one module, and its messages written with them."""

    def __init__(self, module: Module, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        self._module, self._inputs, self._outputs = module, inputs, outputs
        # An id counts inside its computation only, so ids are kept by object; new ones are unique everywhere.
        self._ids: dict[int, int] = {}
        self._names: dict[int, str] = {}
        callers = {c.id: i for i in module.instructions for c in i.called}
        for c in module.computations:
            self._number(c)
            caller = callers.get(c.id)
            self._names[id(c)] = self._name(c, caller.node if caller else "", caller.opcode if caller else "unused")
            for i in c.instructions:
                self._number(i)
                self._names[id(i)] = self._name(i, i.node, i.opcode)
        self._names[id(module.entry)] = ENTRY
        taken = set(self._names.values())
        for parameter, given in zip(module.entry.parameters, inputs):
            name = legal(given)
            if name in taken:
                name = f"{name}.{self._ids[id(parameter)]}"
            taken.add(name)
            self._names[id(parameter)] = name

    def module(self, name: str) -> Pieces:
        module, message = self._module, self._module.message
        changes: dict[int, Pieces | Sequence[Pieces]] = {
            InModule.NAME: Pieces().text(InModule.NAME, name),
            InModule.ENTRY_NAME: Pieces().text(InModule.ENTRY_NAME, ENTRY),
            InModule.ID: Pieces().whole(InModule.ID, 1),  # newer XLA counts the modules of a process
            InModule.ENTRY_ID: Pieces().whole(InModule.ENTRY_ID, self._ids[id(module.entry)]),
            InModule.COMPUTATIONS: [
                Pieces().message(InModule.COMPUTATIONS, self._computation(c)) for c in module.computations
            ],
            InModule.PROGRAM_SHAPE: self._program_shape(message, InModule.PROGRAM_SHAPE, self._inputs),
            InModule.STACK_FRAMES: Pieces(),
        }
        schedule = message.message(InModule.SCHEDULE)
        if schedule:
            changes[InModule.SCHEDULE] = Pieces().message(InModule.SCHEDULE, self._schedule(schedule))
        return edited(message, changes)

    def _computation(self, c: Computation) -> Pieces:
        names = self._inputs if c is self._module.entry else [self._names[id(p)] for p in c.parameters]
        return edited(
            c.message,
            {
                InComputation.NAME: Pieces().text(InComputation.NAME, self._names[id(c)]),
                InComputation.ID: Pieces().whole(InComputation.ID, self._ids[id(c)]),
                InComputation.ROOT_ID: Pieces().whole(InComputation.ROOT_ID, self._ids[id(c.root)]),
                InComputation.INSTRUCTIONS: [
                    Pieces().message(InComputation.INSTRUCTIONS, self._instruction(c, i)) for i in c.instructions
                ],
                InComputation.PROGRAM_SHAPE: self._program_shape(c.message, InComputation.PROGRAM_SHAPE, names),
            },
        )

    def _instruction(self, c: Computation, i: Instruction) -> Pieces:
        attributes, op_name = {}, plain(i.op_name)
        if c is self._module.entry:
            if i.opcode == "parameter":
                op_name = self._inputs[i.parameter]
                attributes["neff_input_names"] = f"input{i.parameter}"
            if i is c.root:
                attributes["neff_output_names"] = ",".join(f"output{n}" for n in range(len(self._outputs)))
        ids = {
            InInstruction.OPERANDS: i.operands,
            InInstruction.PREDECESSORS: self._predecessors(c, i),
            InInstruction.CALLED: i.called,
        }
        changes: dict[int, Pieces | Sequence[Pieces]] = {
            InInstruction.NAME: Pieces().text(InInstruction.NAME, self._names[id(i)]),
            InInstruction.ID: Pieces().whole(InInstruction.ID, self._ids[id(i)]),
            **{n: Pieces().wholes(n, (self._ids[id(x)] for x in found)) for n, found in ids.items()},
        }
        return edited(i.message, changes | _metadata(i, op_name) | _frontend(i, attributes))

    def _predecessors(self, c: Computation, i: Instruction) -> list[Instruction]:
        wanted = i.message.integers(InInstruction.PREDECESSORS)
        found = [p for p in c.instructions if p.id in wanted] if wanted else []
        if len(found) != len(wanted):
            raise HloError(f"{i.opcode} {i.name} is to run after {wanted}, which are not all in {c.name}.")
        return found

    def _program_shape(self, message: Message, number: int, names: Iterable[str]) -> Pieces:
        shape = message.message(number)
        if shape is None:
            raise HloError(f"Module {self._module.name} has a computation without a program shape.")
        texts = Pieces()
        for name in names:
            texts.text(InProgramShape.NAMES, name)
        return Pieces().message(number, edited(shape, {InProgramShape.NAMES: texts}))

    def _schedule(self, schedule: Message) -> Pieces:
        computations = {c.id: c for c in self._module.computations}
        out = Pieces()
        for entry in schedule.messages(ONLY):
            c = computations.get(entry.integer(KEY))
            order = entry.message(VALUE)
            known = {i.id: i for i in c.instructions} if c else {}
            ids = order.integers(ONLY) if order else ()
            if c is None or not known.keys() >= set(ids):
                raise HloError(f"The schedule of module {self._module.name} names what is not there.")
            sequence = Pieces().wholes(ONLY, (self._ids[id(known[n])] for n in ids))
            out.message(ONLY, Pieces().whole(KEY, self._ids[id(c)]).message(VALUE, sequence))
        return out

    def _number(self, what: Computation | Instruction) -> None:
        self._ids[id(what)] = len(self._ids) + 1

    def _name(self, what: Computation | Instruction, node: str, opcode: str) -> str:
        """Unique by the id at its end."""
        return legal(f"{node}.{opcode}.{self._ids[id(what)]}".lstrip("."))


def _metadata(i: Instruction, op_name: str) -> dict[int, Pieces]:
    if not op_name and InInstruction.METADATA not in i.message.numbers():
        return {}
    metadata = i.message.message(InInstruction.METADATA) or Message(b"")
    changes = {n: Pieces() for n in _SOURCE} | {int(InMetadata.OP_NAME): Pieces().text(InMetadata.OP_NAME, op_name)}
    return {InInstruction.METADATA: Pieces().message(InInstruction.METADATA, edited(metadata, changes))}


def _frontend(i: Instruction, attributes: Mapping[str, str]) -> dict[int, Pieces]:
    if not attributes:
        return {}
    out = Pieces()
    for key, value in {**i.frontend, **attributes}.items():
        out.message(ONLY, Pieces().text(KEY, key).text(VALUE, value))
    return {InInstruction.FRONTEND: Pieces().message(InInstruction.FRONTEND, out)}
