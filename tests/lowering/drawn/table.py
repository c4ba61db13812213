"""Which strategy draws the cases of which operator."""

from __future__ import annotations

from . import creation, elementwise, indexing, matrices, neural, reduction, shaping, slicing, vision
from .case import Strategy

FAMILIES = (elementwise, reduction, shaping, slicing, indexing, creation, matrices, neural, vision)
STRATEGIES: dict[str, Strategy] = {op: s for family in FAMILIES for op, s in family.STRATEGIES.items()}

NOT_DRAWN: dict[str, str] = {}
"""Operators with a rule but no strategy, each with the reason."""
