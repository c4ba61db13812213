"""The culprit of a model for a NeuronCore, by the doubles of the compiler and of libnrt, and where there is no chip."""

from __future__ import annotations

import mxnet as mx
import pytest

import gluon_neuron
from gluon_neuron.culprit.found import Kind
from tests.doubles.install import compilers as compilers

from .faults import inject
from .faulty_nets import small_net


@pytest.mark.parametrize("op", ["Convolution", "FullyConnected"])
def test_of_a_program_for_a_chip_that_is_there(op, compilers, chip, monkeypatch):
    net, x = small_net()
    inject(monkeypatch, op)
    compiled = gluon_neuron.compile(net, x, target="inf2", strict=True)
    made = gluon_neuron.verify(compiled, net, x)
    assert chip.count("nrt_execute") > 0
    assert made.culprit.kind is Kind.NODE and made.culprit.node.op == op


def test_of_a_program_for_a_chip_that_is_not_there(compilers, monkeypatch):
    net, x = small_net()
    inject(monkeypatch, "Pooling")
    compiled = gluon_neuron.compile(net, x, target="inf2", auto_cast="matmult")
    made = gluon_neuron.verify(compiled, net, x)
    assert made.culprit.node.op == "Pooling"
    mx.nd.waitall()
