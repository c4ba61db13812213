"""A drawn graph: steps that are replayed on arrays, for MXNet's own results, and on symbols, for what is compiled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import mxnet as mx
import numpy as np


@dataclass(frozen=True)
class Step:
    """One operator: its name in `mx.nd` and `mx.sym`, the values it reads, its attributes, and its node's name."""

    op: str
    reads: tuple[int, ...]
    attrs: Mapping[str, Any]
    name: str


@dataclass
class DrawnGraph:
    """Inputs and parameters by name, steps, and which values are outputs. Values are numbered in order of making:
    inputs, parameters as they come, and the outputs of steps."""

    inputs: dict[str, np.ndarray]
    parameters: dict[str, np.ndarray] = field(default_factory=dict)
    steps: list[Step | str] = field(default_factory=list)
    """A string stands for the parameter of that name."""
    outputs: list[int] = field(default_factory=list)
    exact: set[str] = field(default_factory=set)
    """Parameters that are whole numbers, which others would not do for."""

    def run(self, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> list[Any]:
        """The outputs as MXNet computes them, operator by operator."""
        values = [inputs[name] for name in self.inputs]
        for step in self.steps:
            values += [parameters[step]] if isinstance(step, str) else applied(mx.nd, step, values)
        return [values[i] for i in self.outputs]

    def symbol(self) -> Any:
        """The graph as a symbol with one output for each of `outputs`."""
        values = [mx.sym.var(name) for name in self.inputs]
        for step in self.steps:
            if isinstance(step, str):
                values.append(mx.sym.var(step, shape=self.parameters[step].shape))
            else:
                values += applied(mx.sym, step, values)
        return mx.sym.Group([values[i] for i in self.outputs])

    def block(self) -> Any:
        """A block of the symbol, with its parameters."""
        symbol = self.symbol()
        used = set(symbol.list_arguments())
        variables = [mx.sym.var(name) for name in self.inputs if name in used]
        net = mx.gluon.SymbolBlock(symbol, variables)
        for name, parameter in net.collect_params().items():
            parameter.shape = self.parameters[name].shape
            parameter.initialize(mx.init.Zero())
            parameter.set_data(mx.nd.array(self.parameters[name]))
        return net

    def read(self) -> list[str]:
        """The names of the inputs that the outputs follow from, in order."""
        used = set(self.symbol().list_arguments())
        return [name for name in self.inputs if name in used]

    def __repr__(self) -> str:
        names = list(self.inputs)
        lines = [f"inputs { ({n: v.shape for n, v in self.inputs.items()}) }"]
        count = len(names)
        for step in self.steps:
            if isinstance(step, str):
                lines.append(f"  {count}: parameter {step} {self.parameters[step].shape}")
                count += 1
            else:
                made = outputs_of(step)
                lines.append(f"  {count}..{count + made - 1}: {step.op}{step.reads} {dict(step.attrs)} as {step.name}")
                count += made
        return "\n".join([*lines, f"outputs {self.outputs}"])


def applied(front: Any, step: Step, values: Sequence[Any]) -> list[Any]:
    """The outputs of a step, of arrays or of symbols."""
    function = getattr(front._internal if step.op.startswith("_") else front, step.op)
    given = [values[i] for i in step.reads]
    more = {"name": step.name} if front is mx.sym else {}
    made = function(*given, **step.attrs, **more)
    if front is mx.sym:
        return [made[i] for i in range(len(made.list_outputs()))]
    return list(made) if isinstance(made, list | tuple) else [made]


def outputs_of(step: Step) -> int:
    """How many values a step makes."""
    if step.op == "split":
        return int(step.attrs["num_outputs"])
    return 1
