"""What OpenVINO computes in an operator's own kernel: factors, summands and slopes of one axis that follow it.

Its nodes take in what follows them where they alone are read, and each kind of node by code of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import combinations
from typing import Any
from unittest import mock
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given, reject, seed
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from mxnet.base import MXNetError

from gluon_neuron.graph.graph import Node
from gluon_neuron.graph.spec import Spec
from gluon_neuron.lowering.registry import refusal
from gluon_neuron.targets.cpu.target import CpuTarget
from tests.agreement import agree

from .. import harness
from .case import drawn, repeatable
from .table import STRATEGIES

MANY = 12
Follow = Callable[[Any, Any, Any], Any]
FOLLOWS: dict[str, Follow] = {
    "factor": lambda xp, x, w: xp.multiply(x, w),
    "summand": lambda xp, x, w: xp.add(x, w),
    "both": lambda xp, x, w: xp.add(xp.multiply(x, w), w),
    "slope": lambda xp, x, w: xp.where(xp.greater(x, xp.full(x.shape, 0, x.dtype)), x, xp.multiply(x, w)),
    "square": lambda xp, x, w: xp.multiply(x, x),
    "rectified": lambda xp, x, w: xp.multiply(xp.maximum(x, xp.full(x.shape, 0, x.dtype)), w),
}


def followed(namespace: str, node: Node, inputs: Sequence[np.ndarray], follow: Follow, axis: int) -> np.ndarray:
    """The first output of a node, and what follows it with a weight of one axis."""
    lower = harness._lower

    def lower_both(xp: Any, node: Node, arrays: Sequence[Any]) -> dict[int, Any]:
        built = lower(xp, node, arrays)
        x = built[0]
        count = x.shape[axis]
        weight = np.linspace(0.5, 2, count, dtype=x.dtype).reshape([count if i == axis else 1 for i in range(x.ndim)])
        return {0: follow(xp, x, xp.constant(weight, x.dtype))}

    with mock.patch.object(harness, "_lower", lower_both):
        return harness.run_rule(namespace, node, inputs)[0]


def check(op: str, inputs: Sequence[np.ndarray], attrs: dict[str, Any], kind: str, axis: int) -> bool:
    """Compare with the reference namespace; false where the case is not for OpenVINO."""
    try:
        node = harness.node_of(op, [Spec(v.shape, v.dtype.name) for v in inputs], attrs)
    except (MXNetError, TypeError, ValueError):
        return False  # MXNet does not take the attributes, or cannot infer a shape or a dtype
    spec = node.outs[0]
    if spec is None or spec.dtype != "float32" or not spec.shape or 0 in spec.shape or min(spec.shape) < 0:
        return False
    if any(s is None for s in node.ins) or refusal(node) is not None or CpuTarget().refusal(node) is not None:
        return False
    axis %= len(spec.shape)
    want = followed("numpy", node, inputs, FOLLOWS[kind], axis)
    got = followed("openvino", node, inputs, FOLLOWS[kind], axis)
    there = np.isfinite(want)
    size = np.abs(want[there]).max(initial=1.0)
    agree(got[there], want[there], 1e-3, 1e-4 * size, where=f"{node} {attrs}, {kind} of axis {axis}")
    return True


@pytest.mark.parametrize("op", ["sum", "mean", "max", "min", "prod"])
def test_reductions_of_three_axes(op: str) -> None:
    for i, axes in enumerate(a for n in (1, 2) for a in combinations(range(3), n)):
        for keepdims in (True, False):
            shape = (2, 3, 4) if keepdims else (3, 4, 5)
            kinds = list(FOLLOWS)
            for axis in range(3 if keepdims else 3 - len(axes)):
                attrs = {"axis": axes, "keepdims": keepdims}
                assert check(op, [harness.random(*shape)], attrs, kinds[(i + axis) % len(kinds)], axis)


@pytest.mark.slow
@pytest.mark.parametrize("op", sorted(STRATEGIES))
def test_many_drawn_cases_with_what_follows(op: str) -> None:
    @repeatable(MANY)
    @seed(crc32(op.encode()))
    @given(st.data())
    def run(data: st.DataObject) -> None:
        case = drawn(STRATEGIES[op], data.draw, op)
        kind = data.draw(st.sampled_from(sorted(FOLLOWS)))
        if not check(op, case.inputs, case.attrs, kind, data.draw(st.integers(0, 4))):
            reject()

    with suppress(Unsatisfiable):  # of many operators no result is float32 with axes
        run()
