"""Which strategy draws the cases of which operator."""

from __future__ import annotations

from . import (
    creation,
    elementwise,
    indexing,
    matrices,
    neural,
    reduction,
    sampling,
    shaping,
    slicing,
    solvers,
    vision,
)
from .case import Strategy

FAMILIES = (
    elementwise,
    reduction,
    shaping,
    slicing,
    indexing,
    creation,
    matrices,
    solvers,
    neural,
    vision,
    sampling,
)
STRATEGIES: dict[str, Strategy] = {op: s for family in FAMILIES for op, s in family.STRATEGIES.items()}

NOT_DRAWN: dict[str, str] = {
    "_foreach": "its body is a graph, which no attribute says: tests/lowering/test_control.py has bodies",
}
"""Operators with a rule but no strategy, each with the reason."""
