"""Faults in lowering rules: an operator that computes something slightly wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gluon_neuron.lowering import registry

Change = Callable[[Any, Any], Any]


def uneven(xp: Any, result: Any) -> Any:
    """Every third value 20 % too large, so that no normalisation takes it out again."""
    factors = np.where(np.arange(result.size) % 3, 1.0, 1.2).reshape(result.shape)
    return xp.multiply(result, xp.constant(factors.astype(result.dtype)))


def scaled(xp: Any, result: Any) -> Any:
    """1 % too large."""
    return xp.multiply(result, xp.constant(np.asarray(1.01, result.dtype)))


def shifted(xp: Any, result: Any) -> Any:
    """0.05 too large."""
    return xp.add(result, xp.constant(np.asarray(0.05, result.dtype)))


def inject(monkeypatch: pytest.MonkeyPatch, op: str, change: Change = uneven, name: str = "") -> None:
    """Have the rule of an operator compute something else in its first output; with `name` for that node alone."""
    rule = registry.rules()[op]

    def build(xp: Any, node: Any, *inputs: Any) -> Any:
        result = rule.build(xp, node, *inputs)
        if name and node.name != name:
            return result
        first, *rest = result if isinstance(result, tuple) else (result,)
        return (change(xp, first), *rest)

    monkeypatch.setitem(registry._RULES, op, replace(rule, build=build))
