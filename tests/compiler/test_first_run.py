"""A region that does not run stays in MXNet: that one, whatever other names the error's text has."""

import mxnet as mx
import pytest

import gluon_neuron
from gluon_neuron.block import NeuronHybridBlock
from gluon_neuron.errors import CompileError
from tests.agreement import agree

REFUSALS = {
    "gluon_neuron: node _neuron_subgraph_op1: the program of '_neuron_subgraph_op0': no": "_neuron_subgraph_op1",
    "gluon_neuron: artifact of node _neuron_subgraph_op0 is damaged: see _neuron_subgraph_op1:": "_neuron_subgraph_op0",
}


@pytest.fixture
def net():
    """Two dense layers, which become two regions, and what they give."""
    made = mx.gluon.nn.HybridSequential()
    made.add(mx.gluon.nn.Dense(8, in_units=8), mx.gluon.nn.Activation("relu"), mx.gluon.nn.Dense(8, in_units=8))
    made.initialize(mx.init.Normal(0.5))
    return made


def failing(monkeypatch, text):
    """From now on a model with two regions fails with this text."""
    run = NeuronHybridBlock._run

    def _run(self, arrays):
        if len(self.report.regions) == 2:
            raise mx.base.MXNetError(f"Error calling FStatefulCompute: {text}\nStack trace: ...")
        return run(self, arrays)

    monkeypatch.setattr(NeuronHybridBlock, "_run", _run)


@pytest.mark.parametrize(("text", "region"), REFUSALS.items())
def test_the_region_that_speaks(net, monkeypatch, text, region):
    x = mx.nd.random.normal(shape=(2, 8))
    expected = net(x)
    plain = gluon_neuron.compile(net, x, exclude_operators=["Activation"])
    assert [r.name for r in plain.report.regions] == ["_neuron_subgraph_op0", "_neuron_subgraph_op1"]
    (output,) = next(r.outputs for r in plain.report.regions if r.name == region)
    failing(monkeypatch, text)
    made = gluon_neuron.compile(net, x, exclude_operators=["Activation"])
    failed = [o for o in made.report.outside if o.category == "compile failed"]
    assert [f"{o.node}_output" for o in failed] == [output] and text in failed[0].sentence
    agree(made(x), expected, 1e-4, 1e-5)
    with pytest.raises(CompileError, match=f"Region {region} does not run"):
        gluon_neuron.compile(net, x, exclude_operators=["Activation"], strict=True)


def test_an_error_of_no_region(net, monkeypatch):
    failing(monkeypatch, "an operator called _neuron_subgraph_op0: did not run")
    with pytest.raises(mx.base.MXNetError, match="did not run"):
        gluon_neuron.compile(net, mx.nd.ones((2, 8)), exclude_operators=["Activation"])
