"""docs/operators.md is what the rules say, and every rule says enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.operators_page import page, registered_operators
from gluon_neuron.lowering.common import FirstOf
from gluon_neuron.lowering.registry import rules

PAGE = Path(__file__).parents[2] / "docs" / "operators.md"


def test_page_is_not_stale():
    assert page(registered_operators()) == PAGE.read_text(), "run `make docs` and commit docs/operators.md"


def test_page_names_every_rule():
    text = PAGE.read_text()
    assert [n for n in rules() if f"`{n}`" not in text] == []


@pytest.mark.parametrize("name", sorted(rules()))
def test_restrictions_have_words(name):
    found = rules()[name]
    questions = found.refuse.questions if isinstance(found.refuse, FirstOf) else [found.refuse]
    assert all(q is None or q.__doc__ for q in questions), f"the refusals of {name} need docstrings"
