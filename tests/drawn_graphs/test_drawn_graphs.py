"""Drawn graphs, every operator forced into a region that can be in one, agree with MXNet however they are used."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given, reject, seed
from hypothesis import strategies as st

from gluon_neuron.graph.subgraph import SUBGRAPH_OP
from tests.lowering.drawn.case import repeatable

from .operators import drawn_graph
from .uses import USES

FEW, MANY = 200, 10_000


@dataclass
class Seen:
    """What was drawn: uses, graphs of which something was compiled, and the operators in regions."""

    graphs: int = 0
    uses: Counter[str] = field(default_factory=Counter)
    compiled: int = 0
    operators: set[str] = field(default_factory=set)


def run(examples: int, start: int = 0, uses: tuple[str, ...] = tuple(USES), shrink: bool = True) -> Seen:
    """Draw graphs, the same in every run, and use each in one way."""
    seen = Seen()

    @repeatable(examples, shrink)
    @seed(start)
    @given(st.data())
    def each(data: st.DataObject) -> None:
        graph = drawn_graph(data.draw)
        if not graph.read():
            reject()
        use = data.draw(st.sampled_from(uses))
        try:
            compiled = USES[use](graph, data.draw)
        except Exception as error:
            error.add_note(f"{use} of {graph}") if hasattr(error, "add_note") else None
            raise
        seen.graphs += 1
        if compiled is not None:
            seen.uses[use] += 1
            seen.compiled += bool(compiled.report.regions)
            seen.operators |= _inside(compiled.symbol.tojson(remove_amp_cast=False))

    each()
    return seen


def _inside(text: str) -> set[str]:
    """The operators in the regions of a compiled symbol."""
    regions = [node for node in json.loads(text)["nodes"] if node["op"] == SUBGRAPH_OP]
    return {n["op"] for r in regions for sub in r.get("subgraphs", ()) for n in sub["nodes"] if n["op"] != "null"}


def check(examples: int, start: int) -> None:
    seen = run(examples, start)
    assert len(seen.operators) >= 40, sorted(seen.operators)
    assert set(seen.uses) == set(USES)
    assert seen.compiled >= 0.9 * sum(seen.uses.values())


def test_drawn_graphs_agree() -> None:
    check(FEW, 0)


@pytest.mark.slow
def test_many_drawn_graphs_agree() -> None:
    check(MANY, 1)
