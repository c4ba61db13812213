"""The targets inf2, trn1 and trn2: regions become HLO modules, and neuronx-cc makes programs of them."""

from __future__ import annotations

import json
from dataclasses import asdict

from ...artifact.container import Payload
from ...dialect.in_jax.importing import import_jax
from ...errors import CompileError, DialectError, HloError, RefusedError
from ...graph.attrs import Attrs
from ...graph.graph import Entry, Graph, Node
from ...graph.spec import Spec
from ...hlo.check import Violation, check
from ...hlo.module import read
from ...hlo.quality import quality
from ...hlo.rewrite import rewrite
from ...options import CompileOptions
from ...refusal import Category, Refusal
from ..base import DATA, RegionJob, Task, signature
from ..rule_refusal import rule_refusal
from .chip import ChipTask, Compiler
from .hlo_program import HloProgram, build
from .toolchain.commands import neuronx_cc

TARGETS = ("inf2", "trn1", "trn2")
DTYPES = frozenset(("float32", "float16", "bfloat16", "int32", "uint8", "bool"))
"""What a NeuronCore of the second version on computes with, of what MXNet has."""

_HLO = "module.hlo.pb"


class NeuronxTarget:
    """Compiles for the chips that neuronx-cc serves."""

    engine = "nrt"
    folds = True

    def __init__(self, name: str) -> None:
        import_jax()
        self.name = name
        self._compiler: Compiler | None = None
        self._asked: dict[str, Refusal | None] = {}

    def ready(self) -> None:
        """Find the compiler; raises CompilerMissingError."""
        self._compiler = self._compiler or Compiler("neuronx-cc")

    def refusal(self, node: Node) -> Refusal | None:
        """Why there is no rule for the node, the chip lacks a dtype of it, or neuronx-cc refuses what it becomes."""
        found = rule_refusal(self, node)
        if found is not None:
            return found
        for spec in (*node.ins, *node.outs.values()):
            assert spec is not None
            if spec.dtype not in DTYPES:
                allowed = ", ".join(sorted(DTYPES))
                return Refusal(Category.TARGET, f"{self.name} does not compute {spec.dtype} (only {allowed})")
        likeness = _likeness(node)
        if likeness not in self._asked:
            self._asked[likeness] = self._check_alone(node)
        return self._asked[likeness]

    def prepare(self, job: RegionJob) -> Task:
        """Lower the region and check its module. Raises CompileError, and RefusedError with the nodes that are at
        fault when neuronx-cc is known to refuse what they become."""
        self.ready()
        assert self._compiler is not None
        program = build(job)
        try:
            module = rewrite(program.module, program.inputs, program.outputs)
            view = read(module)
            found = check(view, self.name)
            measured = asdict(quality(view))
        except HloError as error:
            raise CompileError(f"The region's HLO module cannot be read: {error}") from error
        if found:
            said = {v.node: _sentence(v) for v in reversed(found) if v.node in {n.name for n in job.graph.operators}}
            raise RefusedError(_sentence(found[0]), said)
        command = tuple(neuronx_cc(_HLO, self.name, job.options))
        payload = self._payload(job, program, command, self._compiler)
        del measured["opcodes"]
        return ChipTask(self._compiler, job, command, {_HLO: module}, payload, measured)

    def _payload(self, job: RegionJob, program: HloProgram, command: tuple[str, ...], compiler: Compiler) -> Payload:
        about = {
            "format": "neff",
            "compiler": compiler.name,
            "inputs": [{"name": n, "tensor": f"input{i}"} for i, n in enumerate(program.inputs)],
            "outputs": [{"name": n, "tensor": f"output{i}"} for i, n in enumerate(program.outputs)],
            "command": list(command),
        }
        return Payload(self.name, self.engine, compiler.version, signature(job, job.roles), about, b"")

    def _check_alone(self, node: Node) -> Refusal | None:
        """What the check says of the module of this node alone; what only its region shows is found in `prepare`."""
        try:
            program = build(_alone(node))
            found = check(rewrite(program.module, program.inputs, program.outputs), self.name)
        except (CompileError, DialectError):
            return None  # it reads a value that only its region knows
        return Refusal(Category.TARGET, _sentence(found[0])) if found else None


def _sentence(found: Violation) -> str:
    return f"neuronx-cc refuses what it becomes: {found.code}, {found.opcode} {found.instruction}: {found.text}"


def _likeness(node: Node) -> str:
    """A text that is equal for nodes that become the same instructions."""
    specs = [str(s) for s in node.ins], {k: str(s) for k, s in node.outs.items()}
    return json.dumps([node.op, dict(node.attrs), node.raw.get("subgraphs"), *specs])


def _alone(node: Node) -> RegionJob:
    """The node as a region of its own, all of whose inputs are data."""
    names = [f"data{i}" for i in range(len(node.inputs))]
    nodes = [_variable(i, n, node.ins[i]) for i, n in enumerate(names)]
    entries = tuple(Entry(i, 0) for i in range(len(names)))
    at = len(names)
    nodes.append(Node(at, node.op, node.name, node.attrs, entries, node.ins, node.outs, node.raw, node.bodies))
    graph = Graph(nodes, [Entry(at, k) for k in node.outs], {})
    outputs = [f"output{k}" for k in node.outs]
    return RegionJob(graph, names, dict.fromkeys(names, DATA), outputs, CompileOptions(), {})


def _variable(index: int, name: str, spec: Spec | None) -> Node:
    return Node(index, "null", name, Attrs({}), (), (), {0: spec})
