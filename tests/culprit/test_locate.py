"""A fault is found where it is: in regions, between them, and around them."""

from __future__ import annotations

import json
from dataclasses import replace

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.compiler import pack
from gluon_neuron.culprit.found import Kind
from gluon_neuron.errors import CompileError, InputError
from gluon_neuron.runtime.front_end import front_end
from gluon_neuron.targets.cpu import target
from tests.nets import Split, images, initialized, nested_net

from .faults import inject, scaled, shifted
from .faulty_nets import Chain, chain, small_net
from .test_operators import OPERATORS


@pytest.mark.parametrize("change", [scaled, shifted])
def test_a_fault_is_found_in_one_of_many_nodes_of_an_operator(change, monkeypatch):
    net = nn.HybridSequential(prefix="net_")
    with net.name_scope():
        for _ in range(12):
            net.add(nn.Dense(16, activation="softsign"))
    x = mx.nd.random.normal(shape=(4, 16))
    initialized(net, x)
    inject(monkeypatch, "FullyConnected", change, "net_dense7_fwd")
    compiled = gluon_neuron.compile(net, x, dynamic=False)
    # Where a later layer makes less of it, the outputs alone may hide it.
    made = gluon_neuron.verify(compiled, net, x, rtol=1e-5, atol=1e-6)
    assert made.culprit.kind is Kind.NODE and made.culprit.node.name == "net_dense7_fwd"
    # It takes two compiles for each halving, at most.
    assert len(made.culprit.tried) <= 2 + 2 * 5


def test_a_net_that_agrees_has_no_culprit():
    net, x = chain()
    made = gluon_neuron.verify(gluon_neuron.compile(net, x, dynamic=False), net, x)
    assert made and made.culprit is None and json.dumps(made.to_dict())


def test_it_can_be_left_out(monkeypatch):
    net, x = chain()
    inject(monkeypatch, "Pooling")
    made = gluon_neuron.verify(gluon_neuron.compile(net, x, dynamic=False), net, x, locate=False)
    assert not made and made.culprit is None and made.to_dict()["culprit"] is None


def test_it_is_looked_for_with_the_first_input_that_disagrees(monkeypatch):
    net = nn.HybridSequential()
    net.add(nn.Dense(64), nn.Dense(4))
    x = mx.nd.random.normal(shape=(2, 64))
    initialized(net, x)
    inject(monkeypatch, "FullyConnected", lambda xp, y: xp.where(xp.greater(xp.abs(y), 4.0), xp.multiply(y, 1.5), y))
    compiled = gluon_neuron.compile(net, x, dynamic=False, include_nodes=[net[0].prefix + "fwd"])
    made = gluon_neuron.verify(compiled, net, [x * 0.001, x * 5, x * 10])
    assert not made and made.culprit.sample == 1 and made.culprit.node.name == net[0].prefix + "fwd"
    assert "Tried with input 1" in str(made)


def test_as_data(monkeypatch):
    net, x = chain()
    inject(monkeypatch, "softmax")
    made = gluon_neuron.verify(gluon_neuron.compile(net, x, dynamic=False), net, x)
    found = json.loads(json.dumps(made.to_dict(), allow_nan=False))
    assert found["agrees"] is False and found["culprit"]["kind"] == "node"
    assert found["culprit"]["nodes"][0]["op"] == "softmax"
    assert found["culprit"]["tried"][0]["program"] == "as compiled"
    assert found["differences"][0]["cosine"] < 1


def test_values_that_are_not_finite(monkeypatch):
    net, x = chain()
    inject(monkeypatch, "exp", lambda xp, y: xp.where(xp.greater(y, 1.07), xp.multiply(y, np.inf), y))
    made = gluon_neuron.verify(gluon_neuron.compile(net, x, dynamic=False), net, x)
    assert made.culprit.node.op == "exp" and "not finite" in str(made)
    assert json.dumps(made.to_dict(), allow_nan=False)


def test_several_regions_the_second_is_at_fault(monkeypatch):
    x = mx.nd.random.uniform(shape=(1, 3, 4, 4))
    net = initialized(Split(), x)
    inject(monkeypatch, "FullyConnected")
    compiled = gluon_neuron.compile(net, x, dynamic=False)
    regions = [r.name for r in compiled.report.regions]
    assert len(regions) == 2
    made = gluon_neuron.verify(compiled, net, x)
    assert made.culprit.region == regions[1] and made.culprit.node.op == "FullyConnected"
    assert [t.parts for t in made.culprit.tried[:2]] == [False, True]


def test_nested_outputs(monkeypatch):
    net, args = nested_net()
    inject(monkeypatch, "relu")
    made = gluon_neuron.verify(gluon_neuron.compile(net, args, dynamic=False), net, args)
    assert [d.outside > 0 for d in made.differences] == [False, False, True, False]
    assert made.culprit.node.op == "relu"


def test_a_block_that_was_loaded(monkeypatch, tmp_path):
    net, x = chain()
    inject(monkeypatch, "tanh")
    gluon_neuron.compile(net, x, dynamic=False).export(str(tmp_path / "net"))
    made = gluon_neuron.verify(gluon_neuron.load(tmp_path / "net"), net, x)
    assert made.culprit.node.op == "tanh"
    imported = mx.gluon.SymbolBlock.imports(
        str(tmp_path / "net-symbol.json"), ["data"], str(tmp_path / "net-0000.params")
    )
    assert gluon_neuron.verify(imported, net, x).culprit.node.op == "tanh"


def test_the_program_of_a_file_is_at_fault(monkeypatch, tmp_path):
    net, x = chain()
    with monkeypatch.context() as patch:
        inject(patch, "exp")
        gluon_neuron.compile(net, x, dynamic=False).export(str(tmp_path / "net"))
    made = gluon_neuron.verify(gluon_neuron.load(tmp_path / "net"), net, x)
    assert made.culprit.kind is Kind.PROGRAM and made.culprit.node is None
    assert "Compile the model again" in str(made)


def test_parameters_that_were_changed_since(tmp_path):
    net, x = chain()
    gluon_neuron.compile(net, x, dynamic=False).export(str(tmp_path / "net"))
    net.dense.weight.set_data(net.dense.weight.data() * 1.5)
    made = gluon_neuron.verify(gluon_neuron.load(tmp_path / "net"), net, x)
    assert made.culprit.kind is Kind.PARAMETERS and net.dense.weight.name in made.culprit.sentence
    # A block that shares them sees the change.
    compiled = gluon_neuron.compile(net, x, dynamic=False)
    net.dense.weight.set_data(net.dense.weight.data() * 1.5)
    assert gluon_neuron.verify(compiled, net, x)


def test_a_fault_after_the_weights_were_changed(monkeypatch):
    net, x = chain()
    inject(monkeypatch, "mean")
    compiled = gluon_neuron.compile(net, x, dynamic=False)
    assert gluon_neuron.verify(compiled, net, x).culprit.node.op == "mean"
    for param in net.collect_params(".*weight|.*running_mean").values():
        param.set_data(param.data() * 1.3)
    assert gluon_neuron.verify(compiled, net, x).culprit.node.op == "mean"


@pytest.mark.parametrize("op", ["FullyConnected", "BatchNorm", "sigmoid"])
def test_weights_that_were_baked_in(op, monkeypatch):
    net, x = chain()
    inject(monkeypatch, op)
    compiled = gluon_neuron.compile(net, x, inline_weights=True)
    made = gluon_neuron.verify(compiled, net, x)
    assert made.culprit.node.op == op, str(made)
    net.dense.weight.set_data(net.dense.weight.data() * 1.5)
    made = gluon_neuron.verify(compiled, net, x)
    assert made.culprit.kind is Kind.UNKNOWN and "baked in" in str(made)


class InNumPy(mx.gluon.HybridBlock):
    """Operators of MXNet's NumPy front end."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.norm, self.dense = nn.BatchNorm(), nn.Dense(5)

    def hybrid_forward(self, F, x):
        y = F.np.exp(F.np.tanh(self.norm(x)) * 0.5)
        return self.dense(F.np.mean(y, axis=3)), F.np.sum(y, axis=(1, 2, 3))


@pytest.mark.parametrize("op", ["_npi_exp", "_npi_mean"])
def test_in_numpy_mode(op, monkeypatch):
    with front_end(True):
        x = images(2, 8)
        net = initialized(InNumPy(), x)
        inject(monkeypatch, op)
        made = gluon_neuron.verify(gluon_neuron.compile(net, x, dynamic=False), net, x)
    assert made.culprit.node.op == op


class Loop(mx.gluon.HybridBlock):
    """A loop between dense layers."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.first, self.last = nn.Dense(6, flatten=False), nn.Dense(6, flatten=False)

    def hybrid_forward(self, F, x):
        def step(data, states):
            new = F.tanh(data + states[0])
            return new, [new]

        outputs, _ = F.contrib.foreach(step, self.first(x), [F.zeros_like(F.slice_axis(x, 0, 0, 1).reshape((-1, 6)))])
        return self.last(outputs)


def test_a_fault_in_a_loop(monkeypatch):
    x = mx.nd.random.normal(shape=(4, 2, 6))
    net = initialized(Loop(), x)
    inject(monkeypatch, "tanh")
    compiled = gluon_neuron.compile(net, x, dynamic=False)
    made = gluon_neuron.verify(compiled, net, x)
    assert made.culprit.node.op == "_foreach", str(made)


def wired_wrongly(monkeypatch, **changes):
    made = pack.Replacement

    def wrong(*args, **kwargs):
        right = made(*args, **kwargs)
        return replace(right, **{n: tuple(reversed(getattr(right, n))) for n in changes})

    monkeypatch.setattr(pack, "Replacement", wrong)


class Difference(mx.gluon.HybridBlock):
    """What two inputs give apart, and together."""

    def hybrid_forward(self, F, a, b):
        return F.dot(a, b) - F.dot(b, a) * 2.0 + F.exp(a)


def test_a_region_that_is_given_the_wrong_inputs(monkeypatch):
    a, b = (mx.nd.random.normal(shape=(3, 3)) for _ in range(2))
    net = Difference()
    wired_wrongly(monkeypatch, inputs=True)
    names = gluon_neuron.analyze(net, (a, b)).outside
    compiled = gluon_neuron.compile(net, (a, b), include_nodes=["difference0_exp0"], dynamic=False)
    assert len(compiled.report.regions) == 1 and not names[8:]
    made = gluon_neuron.verify(compiled, net, (a, b))
    assert made.culprit.kind is Kind.WIRING and made.culprit.region == compiled.report.regions[0].name
    assert "the reference's is 'data" in made.culprit.sentence


class Two(mx.gluon.HybridBlock):
    """Two results of one shape."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.one, self.other = nn.Dense(4), nn.Dense(4)

    def hybrid_forward(self, F, x):
        return self.one(x), self.other(x)


def test_outputs_that_are_taken_for_each_other(monkeypatch):
    x = mx.nd.random.normal(shape=(2, 5))
    net = initialized(Two(), x)
    lowered = target.lowered

    def swapped(graph, any_shape=False):
        xp, outputs = lowered(graph, any_shape)
        return xp, outputs[::-1]

    with monkeypatch.context() as patch:
        patch.setattr(target, "lowered", swapped)
        compiled = gluon_neuron.compile(net, x, dynamic=False, include_nodes=[net.one.prefix + "fwd"])
        made = gluon_neuron.verify(compiled, net, x)
    assert made.culprit.kind is Kind.TOGETHER
    assert "Its output 0 holds what output 1 is to hold." in made.culprit.sentence
    wired_wrongly(monkeypatch, outputs=True)
    compiled = gluon_neuron.compile(net, x, dynamic=False, include_nodes=[net.one.prefix + "fwd"])
    made = gluon_neuron.verify(compiled, net, x)
    assert made.culprit.kind is Kind.WIRING and "of the model is" in made.culprit.sentence


def test_another_net_is_said_to_be_one():
    net, x = chain()
    other = initialized(Chain(), x)
    made = gluon_neuron.verify(gluon_neuron.compile(net, x, dynamic=False), other, x)
    assert made.culprit.kind is Kind.PARAMETERS


def test_a_model_of_which_nothing_was_compiled():
    net, x = chain()
    other = initialized(Chain(), x)
    compiled = gluon_neuron.compile(net, x, exclude_operators=list(OPERATORS))
    assert not compiled.report.regions
    made = gluon_neuron.verify(compiled, other, x)
    assert made.culprit.kind is Kind.PARAMETERS and "Nothing was compiled" in str(made)


def test_what_is_no_compiled_model_is_said_to_be_none():
    net, x = chain()
    other = initialized(Chain(), x)
    made = gluon_neuron.verify(net, other, x)
    assert made.culprit.kind is Kind.UNKNOWN and "is no compiled model" in str(made)


def test_the_fault_is_in_how_the_block_calls(monkeypatch):
    net, x = chain()
    compiled = gluon_neuron.compile(net, x, dynamic=False)
    monkeypatch.setattr(compiled, "forward", lambda *args: net(*args) * 1.1)
    monkeypatch.setattr(compiled, "_call_again", lambda args: None)
    assert gluon_neuron.verify(compiled, net, x).culprit.kind is Kind.CALL


def test_a_search_that_fails_does_not_lose_the_verification(monkeypatch):
    net, x = chain()
    inject(monkeypatch, "exp")
    compiled = gluon_neuron.compile(net, x, dynamic=False)

    def fails(*args):
        raise mx.base.MXNetError("no such thing")

    monkeypatch.setattr("gluon_neuron.culprit.opened.annotate", fails)
    made = gluon_neuron.verify(compiled, net, x)
    assert not made and made.culprit.kind is Kind.UNKNOWN and "no such thing" in str(made)


def test_it_ends_in_time(monkeypatch):
    net, x = chain()
    inject(monkeypatch, "exp")
    compiled = gluon_neuron.compile(net, x, dynamic=False)
    monkeypatch.setattr("gluon_neuron.culprit.locate.SECONDS", -1.0)
    made = gluon_neuron.verify(compiled, net, x)
    assert made.culprit.kind is Kind.REGION and "the time for it was over" in str(made)
    assert len(made.culprit.tried) <= 2


@pytest.mark.parametrize(
    ("options", "size"), [({"dynamic_batch": True}, 5), ({"buckets": {"data": {0: [2, 4]}}}, 3), ({"dynamic": True}, 3)]
)
def test_a_fault_in_what_serves_another_batch(options, size, monkeypatch):
    net, x = small_net()
    inject(monkeypatch, "Pooling", scaled)
    compiled = gluon_neuron.compile(net, x, **{"dynamic": False, **options})
    # MXNet itself has the first calls of another batch: to compare those would say nothing.
    made = gluon_neuron.verify(compiled, net, images(size, 10))
    assert not made and made.culprit.node.op == "Pooling"


def test_a_shape_that_no_program_can_be_made_for_is_mxnets(monkeypatch):
    net, x = small_net()
    inject(monkeypatch, "Pooling")
    compiled = gluon_neuron.compile(net, x, dynamic=False)

    def fails(*args):
        raise CompileError("not for this shape")

    monkeypatch.setattr("gluon_neuron.compiler.specialize.Inference", fails)
    assert gluon_neuron.verify(compiled, net, images(3, 10))
    assert not gluon_neuron.verify(compiled, net, x)


def test_weights_that_were_baked_in_are_for_no_other_shape():
    net, x = small_net()
    compiled = gluon_neuron.compile(net, x, inline_weights=True)
    with pytest.raises(InputError, match="baked into"):
        gluon_neuron.verify(compiled, net, images(3, 10))


def test_a_block_that_optimize_for_has_compiled(monkeypatch):
    net, x = small_net()
    other, _ = small_net()
    for mine, theirs in zip(net.collect_params().values(), other.collect_params().values()):
        mine.set_data(theirs.data())
    inject(monkeypatch, "FullyConnected")
    net.hybridize()
    net.optimize_for(x, backend="neuron")
    assert gluon_neuron.verify(net, other, x).culprit.node.op == "FullyConnected"


class Branch(mx.gluon.HybridBlock):
    """Dense layers before and behind a branch, which stays in MXNet."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.one, self.other = nn.Dense(32), nn.Dense(32, activation="sigmoid")

    def hybrid_forward(self, F, x):
        y = self.one(x)
        return self.other(F.contrib.cond(F.sum(y) > 0, lambda: F.exp(y * 0.01), lambda: y * 3))


@pytest.mark.parametrize("op", ["FullyConnected", "Activation"])
def test_regions_around_a_branch(op, monkeypatch):
    x = mx.nd.random.normal(shape=(2, 32))
    net = initialized(Branch(), x)
    inject(monkeypatch, op)
    compiled = gluon_neuron.compile(net, x, dynamic=False)
    assert [o.op for o in compiled.report.outside] == ["_cond"] and len(compiled.report.regions) == 2
    made = gluon_neuron.verify(compiled, net, x)
    assert made.culprit.node.op == op and made.culprit.region == compiled.report.regions[op == "Activation"].name


def test_a_recurrent_layer_whose_first_states_say_no_batch(monkeypatch):
    net = nn.HybridSequential()
    net.add(mx.gluon.rnn.LSTM(16, 2, layout="NTC"), nn.Dense(5, flatten=False))
    x = mx.nd.random.normal(shape=(2, 6, 8))
    net.initialize(mx.init.Uniform(0.5))
    inject(monkeypatch, "RNN")
    made = gluon_neuron.verify(gluon_neuron.compile(net, x, dynamic=False), net, x)
    assert made.culprit.kind is Kind.NODE and made.culprit.node.op == "RNN"


def test_a_graph_that_is_another(monkeypatch):
    net, x = small_net()
    other = nn.HybridSequential()
    other.add(nn.Conv2D(8, 3), nn.AvgPool2D(), nn.Dense(5))
    initialized(other, x)
    for mine, theirs in zip(other.collect_params().values(), net.collect_params().values()):
        mine.set_data(theirs.data())
    made = gluon_neuron.verify(gluon_neuron.compile(net, x, dynamic=False), other, x)
    assert made.culprit.kind is Kind.WIRING and made.culprit.node.op == "Pooling"
