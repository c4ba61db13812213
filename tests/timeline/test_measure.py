"""Profiles of whole models: their sums, the names in them, what runs, and what cannot be profiled."""

from __future__ import annotations

import dataclasses
import json

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.engine import native_library, timed_runs
from gluon_neuron.errors import InputError, OptionError, ProfileError
from tests.agreement import agree
from tests.nets import Split, conv_net, images, initialized, nested_net
from tests.runtime import chip as chips


def times(net, *args, **options):
    """A short profile, whose sums are checked."""
    found = net.profile(*args, **{"calls": 3, "warmup": 1, **options})
    assert found.ms == pytest.approx(sum(row.ms for _, row in found.rows()))
    assert found.ms == pytest.approx(sum(found.by_kind().values()))
    for region in found.regions:
        assert region.ms == pytest.approx(sum(row.ms for row in region.operators))
        # The engine's own times are within those that were measured around it.
        assert 0 < sum(row.ms for row in region.operators if row.kind != "waiting") < 1.1 * region.ms
    assert found.ms > 0 and found.ordinary_ms > 0
    return found


def names(region):
    """The operators of a region that a row names."""
    return {name for row in region.operators if row.kind == "operator" for name in row.name.split(" + ")}


def operators(net):
    """The names of all operators in compiled nodes."""
    raw = json.loads(net.symbol.tojson(remove_amp_cast=False))
    graphs = [n["subgraphs"][0] for n in raw["nodes"] if n["op"] == "_neuron_subgraph_op"]
    return {n["name"] for graph in graphs for n in graph["nodes"] if n["op"] != "null"}


def test_every_operator_is_named_once_and_fused_ones_together():
    net = conv_net(prefix="net_")
    compiled = gluon_neuron.compile(net, images())
    before = compiled(images(1)).asnumpy().shape, native_library.stats()["models_alive"]
    (region,) = times(compiled, images()).regions
    rows = {row.name: row for row in region.operators if row.kind == "operator"}
    fused = rows["net_conv0_fwd + net_batchnorm0_fwd + net_relu0_fwd"]
    assert fused.op == "Convolution + BatchNorm + Activation" and fused.kernels[0].startswith("Convolution ")
    assert "net_conv1_fwd + net_batchnorm1_fwd + net_relu1_fwd" in rows and "net_dense0_fwd" in rows
    listed = [name for row in rows for name in row.split(" + ")]
    assert len(listed) == len(set(listed)) and {*listed, *region.folded} == operators(compiled)
    assert (region.program, region.parts, region.streams, region.runs) == ("static", 1, 1, 1)
    # What was compiled to be timed is gone, and calls are as they were.
    assert (compiled(images(1)).asnumpy().shape, native_library.stats()["models_alive"]) == before


@pytest.mark.parametrize("prefix", ["a,b_", "x/y_", 'back\\"_'])
def test_odd_names(prefix):
    compiled = gluon_neuron.compile(conv_net(prefix=prefix), images())
    (region,) = times(compiled, images(), calls=1).regions
    assert {*names(region), *region.folded} == operators(compiled)


def test_results_are_the_same_while_they_are_timed():
    net = conv_net()
    data = images()
    compiled = gluon_neuron.compile(net, data)
    expected = compiled(data).asnumpy()
    seen = []
    handle = compiled.register_forward_hook(lambda block, given, result: seen.append(result.asnumpy()))
    times(compiled, data)
    handle.detach()
    assert len(seen) >= 10
    for result in seen:
        agree(result, expected, 1e-5, 1e-6)


def test_operators_left_in_mxnet_and_several_regions():
    data = mx.nd.random.normal(shape=(1, 3, 6, 6))
    net = initialized(Split(), data)
    compiled = gluon_neuron.compile(net, data)
    found = times(compiled, data)
    assert len(found.regions) == 2 and not names(found.regions[0]) & names(found.regions[1])
    raw = json.loads(compiled.symbol.tojson(remove_amp_cast=False))
    # A copy that only names a result is not bound.
    left = {n["name"]: n["op"] for n in raw["nodes"] if n["op"] not in ("null", "_neuron_subgraph_op", "_copy")}
    assert {row.name: row.op for row in found.outside} == left and "_contrib_box_nms" in left.values()
    assert all(row.ms > 0 for row in found.outside)
    categories = {event.category for event in found.events}
    assert {"call", "compiled region", "operator in MXNet", "operator"} <= categories


def test_slow_operators_are_the_ones_that_take_the_time():
    class Uneven(gluon.HybridBlock):
        def __init__(self):
            super().__init__(prefix="uneven_")
            with self.name_scope():
                self.small, self.large = nn.Dense(8, prefix="small_"), nn.Dense(4096, prefix="large_")
                self.end = nn.Dense(2048, prefix="end_")

        def hybrid_forward(self, F, x):
            return self.end(self.large(self.small(x)))

    data = mx.nd.random.normal(shape=(128, 64))
    (region,) = times(gluon_neuron.compile(initialized(Uneven(), data), data), data, calls=5).regions
    spent = {row.name: row.ms for row in region.operators}
    assert spent["uneven_end_fwd"] == max(ms for name, ms in spent.items() if name != "waiting")
    assert spent["uneven_end_fwd"] > 5 * spent["uneven_small_fwd"]


def test_another_shape_is_profiled_in_the_program_that_it_runs_in():
    compiled = gluon_neuron.compile(conv_net(), images())
    found = times(compiled, images(2, 24))
    assert [r.program for r in found.regions] == ["dynamic"] and found.inputs == {"data": "float32[2, 3, 24, 24]"}
    assert any(name.endswith("dense0_fwd") for name in names(found.regions[0]))
    alone = gluon_neuron.compile(conv_net(), images(), dynamic=False)
    assert [r.program for r in times(alone, images(2)).regions] == ["static"]


def test_parts_of_a_batch_share_the_streams(monkeypatch):
    from gluon_neuron.targets.cpu import batch_parts, target

    monkeypatch.setattr(target, "batch_parts_that_pay", lambda outputs, data, batch: batch)
    assert batch_parts.LEAST > 0
    compiled = gluon_neuron.compile(conv_net(), images(4))
    (region,) = times(compiled, images(4)).regions
    assert region.parts == 4 and region.runs == 1
    (dynamic,) = times(gluon_neuron.compile(conv_net(), images(2), dynamic_batch=True), images(6)).regions
    assert dynamic.runs == 3


def test_nested_and_named_arguments_and_numpy():
    net, args = nested_net()
    compiled = gluon_neuron.compile(net, args)
    assert len(times(compiled, *args).inputs) == 3
    whole = gluon_neuron.compile(conv_net(), images())
    assert times(whole, images().asnumpy()).regions and times(whole, x=images()).regions


def test_the_numpy_front_end_and_integers():
    mx.npx.set_np()
    try:
        net = nn.HybridSequential()
        net.add(nn.Embedding(50, 16), nn.Dense(32, flatten=False, activation="relu"), nn.Dense(4))
        tokens = mx.np.array([[1, 2, 3]], dtype="int32")
        net.initialize()
        found = times(gluon_neuron.compile(net, tokens), tokens)
        assert found.inputs == {"data": "int32[1, 3]"} and any("embedding" in n for n in names(found.regions[0]))
    finally:
        mx.npx.reset_np()


def test_recurrent_layers_and_what_is_computed_of_weights_alone():
    net = gluon.rnn.LSTM(16, 2, prefix="lstm_")
    data = mx.nd.random.normal(shape=(5, 2, 8))
    net.initialize()
    (region,) = times(gluon_neuron.compile(net, data), data).regions
    assert "lstm_rnn0" in names(region)
    assert any(name.startswith("lstm_reshape") for name in region.folded)  # of the weights


def test_shapes_that_follow_from_the_data():
    class Open(gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            with self.name_scope():
                self.dense = nn.Dense(4)

        def hybrid_forward(self, F, x, mask):
            return F.contrib.boolean_mask(self.dense(x), mask)

    args = mx.nd.ones((4, 8)), mx.nd.array([1, 0, 1, 1])
    found = times(gluon_neuron.compile(initialized(Open(), *args), args), *args)
    assert [row.op for row in found.outside] == ["_contrib_boolean_mask"] and len(found.regions) == 1


def test_a_recorded_call_is_profiled_as_inference():
    compiled = gluon_neuron.compile(conv_net(), images())
    with mx.autograd.record():
        assert times(compiled, images()).regions


def test_what_is_wrong_is_said(monkeypatch):
    compiled = gluon_neuron.compile(conv_net(), images())
    for options in ({"calls": 0}, {"calls": 1.5}, {"warmup": -1}):
        with pytest.raises(OptionError, match="calls="):
            compiled.profile(images(), **options)
    with pytest.raises(InputError, match="without any"):
        compiled.profile()
    with pytest.raises(InputError, match="another structure"):
        compiled.profile(images(), images())
    with pytest.raises(InputError, match="symbol"):
        compiled.profile(mx.sym.var("x"))
    assert timed_runs.take("another") == ""
    try:
        with pytest.raises(ProfileError, match="another times this process's"):
            compiled.profile(images())
    finally:
        timed_runs.give_back()
    times(compiled, images())  # an error keeps nobody out


def test_without_a_program_mxnets_profiler_is_named():
    net = nn.Dense(4)
    data = mx.nd.ones((2, 8))
    compiled = gluon_neuron.compile(initialized(net, data), data, dynamic=False)
    from gluon_neuron.engine import callbacks

    callbacks.set_program_maker(None)
    try:
        with pytest.raises(ProfileError, match=r"mx\.profiler"):
            compiled.profile(mx.nd.ones((3, 8)))
    finally:
        from gluon_neuron import with_mxnet

        callbacks.set_program_maker(with_mxnet._specialize)
    agree(compiled(mx.nd.ones((3, 8))), net(mx.nd.ones((3, 8))), 1e-4, 1e-5)


def test_a_neuron_core_is_left_to_neuron_profile(chip, tmp_path):
    net = nn.Dense(3, in_units=5, flatten=False)
    net.initialize(mx.init.Normal())
    data = mx.nd.random.normal(shape=(2, 5))
    compiled = gluon_neuron.compile(net, data, target="cpu", include_nodes=[f"{net.name}_fwd"])
    compiled.export(tmp_path / "net")
    weight, bias = net.weight.name, net.bias.name
    chips.equip(tmp_path / "net", lambda x: [x["data"] @ x[weight].T + x[bias]])
    with pytest.raises(ProfileError, match="neuron-profile capture"):
        gluon_neuron.load(tmp_path / "net").profile(data, calls=2)


def test_the_result_is_plain_and_does_not_change():
    found = times(gluon_neuron.compile(conv_net(), images()), images())
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["regions"][0]["operators"][0]["ms"] >= 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.ms = 0.0
    assert np.isclose(sum(found.to_dict()["by_kind"].values()), found.ms)
