"""The CPU target leaves to MXNet what MXNet computes faster, and says so."""

import mxnet as mx
import pytest

import gluon_neuron
from tests.agreement import agree


class Ranked(mx.gluon.HybridBlock):
    def __init__(self):
        super().__init__()
        self.dense = mx.gluon.nn.Dense(200)

    def hybrid_forward(self, F, x):
        return F.sqrt(F.abs(F.sort(self.dense(x), axis=1)))


@pytest.fixture
def net():
    made = Ranked()
    made.initialize()
    return made


def test_a_large_sort_stays_in_mxnet(net):
    x = mx.nd.random.normal(shape=(100, 8))
    compiled = gluon_neuron.compile(net, x)
    (left,) = [o for o in compiled.report.outside if o.op == "sort"]
    assert left.category == "slower"
    assert "20000" in left.sentence
    agree(compiled(x), net(x), 1e-5, 1e-6)


def test_a_small_one_does_not_break_a_region(net):
    report = gluon_neuron.compile(net, mx.nd.random.normal(shape=(10, 8))).report
    assert not report.outside
    assert len(report.regions) == 1


def test_it_can_be_asked_for(net):
    x = mx.nd.random.normal(shape=(100, 8))
    name = gluon_neuron.analyze(net, x).outside[0].node
    report = gluon_neuron.compile(net, x, include_nodes=[name]).report
    assert not report.outside
