"""Every rule agrees with MXNet on drawn cases, in every namespace; and every rule has a strategy that draws them."""

from __future__ import annotations

from collections import Counter
from zlib import crc32

import pytest
from hypothesis import given, reject, seed
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable

from gluon_neuron.lowering.registry import rules

from .case import drawn, repeatable
from .judge import COMPARED, COMPILED, judge
from .table import NOT_DRAWN, STRATEGIES

FEW, MANY = 3, 60
"""Cases of each operator that are compared with MXNet; the first is the simplest of all."""
FEW_COMPILED = 1
"""How many of the few OpenVINO runs too, of those after the first: to compile one takes longer than all the rest."""

BUILT_IN = sorted(op for op, rule in rules().items() if rule.family.startswith("gluon_neuron."))


def compare(op: str, examples: int, compiled: int) -> None:
    """Draw cases of an operator, the same in every run and not those of others, until `examples` were compared.

    OpenVINO runs `compiled` of them too, and all once a case has failed, so that it still fails while it is shrunk.
    """
    seen: Counter[str] = Counter()
    failed = False

    @repeatable(examples)
    @seed(crc32(op.encode()))
    @given(st.data())
    def run(data: st.DataObject) -> None:
        nonlocal failed
        # The first case is the simplest, with next to nothing to compile.
        openvino = failed or (seen[COMPILED] < compiled and seen.total() > 0)
        case = drawn(STRATEGIES[op], data.draw, op)
        try:
            outcome = judge(op, case, openvino)
        except Exception:
            failed = True
            raise
        seen[outcome] += 1
        if outcome not in (COMPARED, COMPILED):
            reject()

    try:
        run()
    except Unsatisfiable:
        pytest.fail(f"{op}: no case was compared with MXNet: {dict(seen)}")


@pytest.mark.parametrize("op", sorted(STRATEGIES))
def test_drawn_cases_agree(op: str) -> None:
    compare(op, FEW, FEW_COMPILED)


@pytest.mark.slow
@pytest.mark.parametrize("op", sorted(STRATEGIES))
def test_many_drawn_cases_agree(op: str) -> None:
    compare(op, MANY, MANY)


def test_every_rule_is_drawn() -> None:
    lacking = [op for op in BUILT_IN if op not in STRATEGIES and op not in NOT_DRAWN]
    assert not lacking, f"give these a strategy in tests/lowering/drawn, or a reason in NOT_DRAWN: {lacking}"


def test_no_strategy_without_a_rule() -> None:
    assert not [op for op in STRATEGIES if op not in rules()]
    assert not NOT_DRAWN.keys() & STRATEGIES.keys()
    assert all(len(reason) > 20 for reason in NOT_DRAWN.values())
