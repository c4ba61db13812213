"""Every operator of MXNet has a rule, or a reason why it has none."""

from __future__ import annotations

import pytest

from docs.operators_page import registered_operators
from gluon_neuron.lowering.registry import rules
from gluon_neuron.lowering.unsupported import LEFT_OUT, left_out


def test_every_operator_is_classified():
    names = registered_operators()
    assert len(names) > 850
    assert [n for n in names if n not in rules() and left_out(n) is None] == []


def test_none_is_classified_twice():
    twice = {n for n in registered_operators() if n in rules() and left_out(n) is not None}
    assert twice == set()
    for name in registered_operators():
        assert sum(entry.names.fullmatch(name) is not None for entry in LEFT_OUT) <= 1, name


def test_no_pattern_without_an_operator():
    names = registered_operators()
    for entry in LEFT_OUT:
        assert any(entry.names.fullmatch(n) for n in names), entry.reason


@pytest.mark.parametrize(
    ("op", "words"),
    [("sgd_update", "training"), ("_contrib_box_nms", "between regions"), ("_contrib_fft", "GPUs only")],
)
def test_reasons(op, words):
    found = left_out(op)
    assert found is not None
    assert words in found.reason
