"""Every rule agrees with MXNet on drawn cases, in every namespace; and every rule has a strategy that draws them."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gluon_neuron.lowering.registry import rules

from .case import drawn
from .judge import COMPARED, judge
from .table import NOT_DRAWN, STRATEGIES

FEW, MANY = 5, 100
BUILT_IN = sorted(op for op, rule in rules().items() if rule.family.startswith("gluon_neuron."))


def compare(op: str, examples: int) -> None:
    """Draw cases of an operator, the same in every run, until as many were tried; at least one has to be compared."""
    seen: Counter[str] = Counter()

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        phases=(Phase.generate, Phase.shrink),
    )
    @given(st.data())
    def run(data: st.DataObject) -> None:
        seen[judge(op, drawn(STRATEGIES[op], data.draw, op))] += 1

    run()
    assert seen[COMPARED], f"{op}: no case was compared with MXNet: {dict(seen)}"


@pytest.mark.parametrize("op", sorted(STRATEGIES))
def test_drawn_cases_agree(op: str) -> None:
    compare(op, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("op", sorted(STRATEGIES))
def test_many_drawn_cases_agree(op: str) -> None:
    compare(op, MANY)


def test_every_rule_is_drawn() -> None:
    lacking = [op for op in BUILT_IN if op not in STRATEGIES and op not in NOT_DRAWN]
    assert not lacking, f"give these a strategy in tests/lowering/drawn, or a reason in NOT_DRAWN: {lacking}"


def test_no_strategy_without_a_rule() -> None:
    assert not [op for op in STRATEGIES if op not in rules()]
    assert not NOT_DRAWN.keys() & STRATEGIES.keys()
    assert all(len(reason) > 20 for reason in NOT_DRAWN.values())
