"""Control flow: foreach, unrolled, as shapes and so the number of its steps are known."""

from __future__ import annotations

from typing import Any

from ..graph.bodies import FOREACH, sliced, sources, steps
from ..graph.graph import Node
from .common import first_of
from .extents import nonempty
from .lower import lower
from .registry import ANY, refusal, rule

LONGEST = 5000
"""The most operators that a loop may become."""


def _too_long(n: Node) -> str | None:
    """Refuse a loop that would become more than 5000 operators, or that has no data to step through."""
    if not sliced(n):
        return "it steps through no data, so that the number of its steps is not known"
    size = steps(n) * sum(len(body.operators) for body in n.bodies)
    return f"unrolled it is {size} operators; up to {LONGEST} are compiled" if size > LONGEST else None


def _body_refusal(n: Node) -> str | None:
    """Refuse a body with an operator that has to stay in MXNet."""
    for body in n.bodies:
        for node in body.operators:
            found = refusal(node)
            if found:
                return f"in its body, {node}: {found[1]}"
    return None


@rule(FOREACH, dtypes=ANY, refuse=first_of(nonempty, _too_long, _body_refusal))
def foreach(xp: Any, n: Node, *inputs: Any) -> tuple[Any, ...]:
    """The body for each step along the first axis of the data, with the states of the step before."""
    (body,), places, current = n.bodies, sources(n), list(inputs)
    data, results = sliced(n), n.attrs.integer("num_out_data", 0)
    rows = []
    for step in range(steps(n)):
        current[:data] = [x[step] for x in inputs[:data]]
        with xp.scope(f"{n.name}/step{step}"):
            found = lower(body, xp, {v.name: current[p] for v, p in zip(body.variables, places, strict=True)})
        rows.append(found[:results])
        states = found[results:]
        current[data : data + len(states)] = states
    return (*(xp.stack(outputs, 0) for outputs in zip(*rows, strict=True)), *states)
