"""A fault in each of many operators is found, in a net of all of them."""

from __future__ import annotations

import pytest

import gluon_neuron
from gluon_neuron.culprit.found import Kind

from .faults import inject
from .faulty_nets import chain

OPERATORS = (
    *("Convolution", "BatchNorm", "Activation", "LeakyReLU", "Pooling", "_mul_scalar", "transpose", "Reshape"),
    *("LayerNorm", "broadcast_add", "batch_dot", "softmax", "exp", "Concat", "tanh", "slice_axis", "broadcast_mul"),
    *("clip", "abs", "sqrt", "mean", "FullyConnected", "sigmoid", "log"),
)


@pytest.mark.parametrize("op", OPERATORS)
def test_a_fault_in_an_operator_is_found(op, monkeypatch):
    net, x = chain()
    inject(monkeypatch, op)
    compiled = gluon_neuron.compile(net, x, dynamic=False)
    assert len(compiled.report.regions) == 1 and not compiled.report.outside
    made = gluon_neuron.verify(compiled, net, x)
    assert not made and made.culprit.kind is Kind.NODE, str(made)
    assert made.culprit.node.op == op and made.culprit.region == compiled.report.regions[0].name
    assert f"{made.culprit.node.name!r} ({op})" in str(made)
