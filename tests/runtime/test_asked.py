"""Parameters whose data() computes, and arrays that replace others, are followed as MXNet follows them."""

import copy
import pickle
import threading

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.engine import native_library
from gluon_neuron.runtime.mxnet_private import arrays_of
from tests.agreement import agree


class Scaled(mx.gluon.Parameter):
    """Weight normalisation: a new array at each call."""

    scale = 2.0

    def data(self, ctx=None):
        array = super().data(ctx)
        return array * self.scale / mx.nd.sqrt((array * array).sum())


class InNumPy(Scaled):
    def data(self, ctx=None):
        return mx.gluon.Parameter.data(self, ctx) * self.scale


class Kept(Scaled):
    """One array, into which every call writes."""

    def data(self, ctx=None):
        array = super().data(ctx)
        if "kept" not in vars(self):
            self.kept = array
        array.copyto(self.kept)
        return self.kept


class Sometimes(Scaled):
    """Its own array while the scale is 1, as weight drop with a rate of 0."""

    def data(self, ctx=None):
        return mx.gluon.Parameter.data(self, ctx) if self.scale == 1 else super().data(ctx)


class Listed(mx.gluon.Parameter):
    """Computes behind what data() calls."""

    scale = 2.0

    def _check_and_get(self, arr_list, ctx):
        found = super()._check_and_get(arr_list, ctx)
        return [a * self.scale for a in found] if isinstance(found, list) else found * self.scale


def put(layer, attribute, param):
    """Has the layer use this Parameter, as gluonnlp's apply_weight_drop does."""
    layer._reg_params[attribute] = layer.params._params[param.name] = param


class WithSteps(nn.HybridBlock):
    """A Dense whose weight is of the given class, between two others."""

    def __init__(self, kind, hidden=16):
        super().__init__()
        with self.name_scope():
            self.first = nn.Dense(hidden, activation="relu", in_units=6)
            self.last = nn.Dense(4, in_units=hidden)
        put(self.first, "weight", kind(self.first.weight.name, shape=(hidden, 6)))

    def hybrid_forward(self, F, x):
        return self.last(self.first(x))


def made(kind, **kwargs):
    net = WithSteps(kind, **kwargs)
    net.initialize(mx.init.Normal(0.5))
    return net, net.first._reg_params["weight"]


def step(net, x):
    trainer = mx.gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
    with mx.autograd.record():
        loss = (net(x) ** 2).mean()
    loss.backward()
    trainer.step(1)


@pytest.mark.parametrize("kind", [Scaled, Kept, Sometimes, Listed, mx.gluon.Parameter])
@pytest.mark.parametrize("hybridized", [False, True])
def test_every_change_is_seen(kind, hybridized):
    net, weight = made(kind)
    if hybridized:
        net.hybridize()
    x = mx.nd.random.normal(shape=(3, 6))
    compiled = gluon_neuron.compile(net, x)
    agree(compiled(x), net(x), 1e-5, 1e-6)
    for scale in (2.0, 1.0, 1.0, 3.0, 1.0, 0.5):
        weight.scale = scale
        agree(compiled(x), net(x), 1e-5, 1e-6)
        if kind not in (Kept, Listed):  # MXNet itself cannot train these
            step(net, x)
        agree(compiled(x), net(x), 1e-5, 1e-6)
    weight.set_data(mx.nd.random.normal(shape=weight.shape))
    agree(compiled(x), net(x), 1e-5, 1e-6)
    net.initialize(force_reinit=True)
    agree(compiled(x), net(x), 1e-5, 1e-6)
    agree(compiled(x[:2]), net(x[:2]), 1e-5, 1e-6)


def test_a_method_of_the_instance():
    net, weight = made(mx.gluon.Parameter)
    x = mx.nd.random.normal(shape=(3, 6))
    weight.data = lambda ctx=None: mx.gluon.Parameter.data(weight, ctx) * weight.scale
    weight.scale = 2
    compiled = gluon_neuron.compile(net, x)
    for scale in (1, 5, 2):
        weight.scale = scale
        agree(compiled(x), net(x), 1e-5, 1e-6)


def test_in_numpy_mode():
    with mx.util.np_shape(True), mx.util.np_array(True):
        net, weight = made(InNumPy)
        x = mx.np.random.normal(size=(3, 6))
        compiled = gluon_neuron.compile(net, x)
        for scale in (2.0, 1.0, 0.5):
            weight.scale = scale
            agree(compiled(x), net(x), 1e-5, 1e-6, kind=True)


def test_weight_drop_of_one_that_is_always_on():
    parameter = pytest.importorskip("gluonnlp.model.parameter")
    net, weight = made(mx.gluon.Parameter)
    x = mx.nd.ones((3, 6))
    weight = parameter.WeightDropParameter(weight, 0.5, "always")
    put(net.first, "weight", weight)
    compiled = gluon_neuron.compile(net, x)
    assert len({compiled(x).asnumpy().tobytes() for _ in range(8)}) > 1


def test_weight_drop_does_nothing_at_inference():
    utils = pytest.importorskip("gluonnlp.model.utils")
    net = nn.HybridSequential()
    net.add(nn.Dense(8, in_units=6), nn.Dense(4, in_units=8))
    utils.apply_weight_drop(net, ".*weight", 0.5)
    net.initialize()
    x = mx.nd.random.normal(shape=(3, 6))
    compiled = gluon_neuron.compile(net, x)
    for _ in range(3):
        step(net, x)
        agree(compiled(x), net(x), 1e-5, 1e-6)


def test_auxiliary_states_that_compute():
    net = nn.HybridSequential()
    net.add(nn.BatchNorm(in_channels=6), nn.Dense(4, in_units=6))
    norm = net[0]
    mean = Scaled(norm.running_mean.name, shape=(6,), grad_req="null", init="ones", differentiable=False)
    put(norm, "running_mean", mean)
    net.initialize()
    x = mx.nd.random.normal(shape=(3, 6))
    compiled = gluon_neuron.compile(net, x)
    for scale in (2.0, 7.0):
        mean.scale = scale
        agree(compiled(x), net(x), 1e-5, 1e-6)


def test_what_is_not_compiled_reads_them_too():
    net, weight = made(Scaled)
    x = mx.nd.random.normal(shape=(3, 6))
    compiled = gluon_neuron.compile(net, x, exclude_operators=["FullyConnected"])
    for scale in (2.0, 7.0):
        weight.scale = scale
        agree(compiled(x), net(x), 1e-5, 1e-6)


def test_baked_weights_are_those_of_the_compile():
    net, weight = made(Scaled)
    x = mx.nd.random.normal(shape=(3, 6))
    expected = net(x)
    agree(gluon_neuron.compile(net, x, inline_weights=True)(x), expected, 1e-5, 1e-6)


def test_one_that_computes_from_storage_of_another_type():
    class Dequantized(mx.gluon.Parameter):
        def data(self, ctx=None):
            return super().data(ctx).astype("float32") * 0.01

    net, _ = made(mx.gluon.Parameter)
    name = net.first.weight.name
    weight = Dequantized(name, shape=(16, 6), dtype="int8", grad_req="null")
    weight.initialize(mx.init.Zero())
    weight.set_data(mx.nd.array(np.random.randint(-100, 100, (16, 6)), dtype="int8"))
    put(net.first, "weight", weight)
    x = mx.nd.random.normal(shape=(3, 6))
    compiled = gluon_neuron.compile(net, x)
    agree(compiled(x), net(x), 1e-5, 1e-6)


def test_calls_from_several_threads():
    net, _ = made(Scaled, hidden=512)
    x = mx.nd.random.normal(shape=(3, 6))
    compiled = gluon_neuron.compile(net, x)
    expected = net(x).asnumpy()
    found = []

    def call():
        found.extend(compiled(x).asnumpy() for _ in range(30))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 120
    for one in found:
        agree(one, expected, 1e-5, 1e-6)


def test_ordinary_parameters_are_not_asked():
    net, weight = made(mx.gluon.Parameter)
    x = mx.nd.random.normal(shape=(3, 6))
    compiled = gluon_neuron.compile(net, x)
    compiled(x).wait_to_read()
    assert compiled._sessions.last is not None and not compiled._sessions.last.asks
    before = native_library.stats()["trusted_calls"]
    for _ in range(5):
        compiled(x).wait_to_read()
    assert native_library.stats()["trusted_calls"] - before == 5


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays, new: arrays.__setitem__(0, new),
        lambda arrays, new: arrays.__setitem__(slice(None), [new]),
        lambda arrays, new: (arrays.pop(), arrays.append(new)),
        lambda arrays, new: (arrays.clear(), arrays.extend([new])),
        lambda arrays, new: (arrays.insert(0, new), arrays.__delitem__(1)),
        lambda arrays, new: (arrays.insert(0, new), arrays.reverse(), arrays.remove(arrays[0])),
    ],
)
def test_an_array_put_into_the_list(change):
    net, _ = made(mx.gluon.Parameter)
    x = mx.nd.random.normal(shape=(3, 6))
    compiled = gluon_neuron.compile(net, x)
    bias = net.last.bias
    for number in (100, 200):
        change(arrays_of(bias), mx.nd.full(bias.shape, number))
        agree(compiled(x), net(x), 1e-5, 1e-6)
    bias.cast("float32")  # a new list
    change(arrays_of(bias), mx.nd.full(bias.shape, 3))
    agree(compiled(x), net(x), 1e-5, 1e-6)
    assert bias.list_data() == [bias.data()] and isinstance(bias.list_data(), list)


def test_copies_of_a_list_are_plain():
    net, _ = made(mx.gluon.Parameter)
    x = mx.nd.random.normal(shape=(3, 6))
    gluon_neuron.compile(net, x)
    arrays = arrays_of(net.last.bias)
    assert [type(a) for a in (copy.copy(arrays), copy.deepcopy(arrays), pickle.loads(pickle.dumps(arrays)))] == [
        list
    ] * 3


@pytest.mark.parametrize("contexts", [[mx.cpu(0)], [mx.cpu(0), mx.cpu(1)]], ids=["one context", "two"])
@pytest.mark.parametrize("kind", [Scaled, Kept, Sometimes, Listed])
def test_files_hold_what_it_computes(kind, contexts, tmp_path):
    net = WithSteps(kind)
    net.initialize(mx.init.Normal(0.5), ctx=contexts)
    x = mx.nd.random.normal(shape=(2, 6))
    expected = net(x)
    compiled = gluon_neuron.compile(net, x)
    compiled.export(tmp_path / "net")
    loaded = gluon_neuron.load(tmp_path / "net")
    agree(loaded(x), expected, 1e-4, 1e-5)
    compiled.save_parameters(tmp_path / "parameters")
    loaded.collect_params().initialize(mx.init.Zero(), force_reinit=True)
    loaded.load_parameters(tmp_path / "parameters")
    agree(loaded(x), expected, 1e-4, 1e-5)
