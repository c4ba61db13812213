"""Rounding is told from faults, at whatever size values are."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.culprit.found import Kind
from tests.nets import initialized

from .faults import inject, scaled, shifted
from .faulty_nets import chain


@pytest.mark.parametrize("cast", ["matmult", "all"])
def test_rounding_to_bfloat16_is_no_culprit_and_a_fault_still_is(cast, monkeypatch):
    net, x = chain()
    assert gluon_neuron.verify(gluon_neuron.compile(net, x, auto_cast=cast, dynamic=False), net, x)
    inject(monkeypatch, "FullyConnected")
    made = gluon_neuron.verify(gluon_neuron.compile(net, x, auto_cast=cast, dynamic=False), net, x)
    assert made.culprit.node.op == "FullyConnected" and "0.015625 of each" in made.culprit.tolerance


def test_rounding_that_is_not_allowed_is_said_to_be_it():
    net, x = chain()
    compiled = gluon_neuron.compile(net, x, auto_cast="matmult", dynamic=False)
    made = gluon_neuron.verify(compiled, net, x, rtol=1e-6, atol=1e-7)
    assert made.culprit.node.op in ("Convolution", "batch_dot", "FullyConnected")


class Sizes(mx.gluon.HybridBlock):
    """Values of very different sizes, in one after the other or beside each other in one array."""

    def __init__(self, beside):
        super().__init__()
        self.beside = beside
        with self.name_scope():
            self.dense = nn.Dense(16)

    def hybrid_forward(self, F, x):
        y = F.tanh(self.dense(x))
        return F.concat(F.exp(y * 60.0), y) if self.beside else F.sigmoid(y * 1e-9) * (F.softsign(y * 1e-9) * 1e9)


@pytest.mark.parametrize("beside", [True, False])
def test_small_values_are_not_lost_beside_large_ones(beside, monkeypatch):
    x = mx.nd.random.normal(shape=(2, 16))
    net = initialized(Sizes(beside), x)
    name = "concat0" if beside else "softsign0"
    inject(monkeypatch, "Concat" if beside else "softsign", shift_last if beside else scaled)
    compiled = gluon_neuron.compile(net, x, dynamic=False, include_nodes=[f"{net.prefix}dense0_fwd"])
    assert len(compiled.report.regions) == 1
    made = gluon_neuron.verify(compiled, net, x)
    assert not made and made.culprit.node.name.endswith(name), str(made)


def shift_last(xp, result):
    """The second half of each row is shifted."""
    half = result.shape[-1] // 2
    return xp.add(result, xp.constant(np.repeat(np.float32([0, 0.05]), half)))


def test_what_adds_up_is_no_operators(monkeypatch):
    net = nn.HybridSequential(prefix="net_")
    with net.name_scope():
        for _ in range(16):
            net.add(nn.Dense(8, use_bias=False))
    x = mx.nd.random.normal(shape=(4, 8))
    net.initialize(mx.init.Orthogonal())
    # Each is allowed a thousandth; all together are off by more.
    for name, factor in {"": 1.00008, "net_dense9_fwd": 1.0006}.items():
        inject(monkeypatch, "FullyConnected", lambda xp, y, factor=factor: xp.multiply(y, factor), name)
    compiled = gluon_neuron.compile(net, x, dynamic=False)
    made = gluon_neuron.verify(compiled, net, x)
    assert not made and made.culprit.kind is Kind.TOGETHER and len(made.culprit.nodes) > 1
    assert "when they are compiled together" in str(made)
    assert made.culprit.suspect.name == "net_dense9_fwd"
    assert made.to_dict()["culprit"]["suspect"] == {"name": "net_dense9_fwd", "op": "FullyConnected"}
    tried = [(t.program, t.first, t.last) for t in made.culprit.tried]
    assert len(set(tried)) == len(tried)


class Cancelling(mx.gluon.HybridBlock):
    """A region of one operator that leaves nothing but rounding, and one at fault behind an operator of MXNet's."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.dense = nn.Dense(8)

    def hybrid_forward(self, F, x):
        return self.dense(F.sort(F.sum(x, axis=1, keepdims=True, name="nothing")))


def test_what_is_left_of_numbers_that_cancel_out_is_no_fault(monkeypatch):
    net = Cancelling()
    half = mx.nd.random.normal(shape=(4, 200))
    x = mx.nd.concat(half, -half, dim=1)
    initialized(net, x)
    inject(monkeypatch, "FullyConnected", shifted)
    # MXNet has no gradient of the sorting, and so no cached operator.
    names = [f"{net.prefix}nothing", f"{net.dense.prefix}fwd"]
    compiled = gluon_neuron.compile(net, x, dynamic=False, include_nodes=names, exclude_operators=["sort"])
    assert [r.operators for r in compiled.report.regions] == [1, 1]
    made = gluon_neuron.verify(compiled, net, x)
    assert made.culprit.kind is Kind.NODE and made.culprit.node.op == "FullyConnected", str(made)
    assert made.culprit.tried[0].parts, "what is left is rounding, of another order of summing"
