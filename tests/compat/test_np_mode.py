"""A program that uses MXNet's NumPy front end throughout compiles symbols, blocks and models by every way there is."""

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron import model_zoo
from gluon_neuron.compat import mx_neuron
from gluon_neuron.runtime.front_end import front_end
from tests.agreement import agree


@pytest.fixture(autouse=True)
def np_mode():
    with front_end(True):
        yield


class Net(mx.gluon.HybridBlock):
    """Operators of both front ends."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.conv = nn.Conv2D(4, 3, activation="relu")
            self.norm = nn.BatchNorm()
            self.out = nn.Dense(3)

    def hybrid_forward(self, F, x):
        return F.np.exp(self.out(self.norm(self.conv(x)))) + 1


def hybridized(**how):
    net = Net()
    net.initialize(mx.init.Normal(0.3))
    net.hybridize(**how)
    return net


def images(batch=2):
    return mx.np.random.uniform(size=(batch, 3, 8, 8))


def exported(tmp_path):
    net, x = hybridized(), images()
    expected = net(x)
    net.export(str(tmp_path / "net"))
    symbol, held = mx.sym.load(str(tmp_path / "net-symbol.json")), mx.npx.load(str(tmp_path / "net-0000.params"))
    args = {n[4:]: a for n, a in held.items() if n.startswith("arg:")}
    aux = {n[4:]: a for n, a in held.items() if n.startswith("aux:")}
    return symbol, args, aux, x, expected


def test_optimize_for():
    net, x = hybridized(), images()
    expected = net(x)
    net.optimize_for(x, backend="neuron")
    assert any(n.endswith("_neuronbin") for n in net._cached_graph[1].list_inputs())
    agree(net(x), expected, 1e-4, 1e-5, kind=True)


def test_hybridize():
    net, x = hybridized(), images()
    expected = net(x)
    net.hybridize(backend="neuron")
    agree(net(x), expected, 1e-4, 1e-5, kind=True)


@pytest.mark.parametrize("kind", ["as_np_ndarray", "as_nd_ndarray"])
@pytest.mark.parametrize("compile", [mx.contrib.neuron.compile, lambda s, a, u, i: mx_neuron.compile(s, a, u, i)])
def test_checkpoints(tmp_path, kind, compile):
    symbol, args, aux, x, expected = exported(tmp_path)
    args, aux = ({n: getattr(a, kind)() for n, a in part.items()} for part in (args, aux))
    made, new_args, new_aux = compile(symbol, args, aux, {"data": getattr(x, kind)()})
    assert type(made) is type(symbol)
    plain = {n: a.as_nd_ndarray() for n, a in new_args.items()}
    states = {n: a.as_nd_ndarray() for n, a in new_aux.items()}
    bound = made.bind(mx.cpu(), {**plain, "data": x.as_nd_ndarray()}, aux_states=states, grad_req="null")
    agree(bound.forward()[0], expected, 1e-4, 1e-5)


def test_checkpoint_of_the_other_front_end(tmp_path):
    with front_end(False):
        net = nn.HybridSequential()
        net.add(nn.Conv2D(4, 3), nn.BatchNorm(), nn.Dense(3))
        net.initialize(mx.init.Normal(0.3))
        net.hybridize()
        x = mx.nd.random.normal(shape=(2, 3, 8, 8))
        expected = net(x)
        net.export(str(tmp_path / "net"))
        symbol, args, aux = mx.model.load_checkpoint(str(tmp_path / "net"), 0)
    made, new_args, new_aux = gluon_neuron.compile(symbol, {"data": x}, args=args, aux=aux)
    assert gluon_neuron.get_report(made).compiled_operators
    bound = made.bind(mx.cpu(), {**new_args, "data": x}, aux_states=new_aux, grad_req="null")
    agree(bound.forward()[0], expected, 1e-4, 1e-5)


def test_symbols_of_mx_np(tmp_path):
    _, args, aux, x, expected = exported(tmp_path)
    symbol = mx.sym.np.load(str(tmp_path / "net-symbol.json")) if hasattr(mx.sym.np, "load") else None
    if symbol is None:
        symbol = mx.sym.load(str(tmp_path / "net-symbol.json")).as_np_ndarray()
    made, _, _ = gluon_neuron.compile(symbol, {"data": x}, args=args, aux=aux)
    assert type(made) is type(symbol)
    with front_end(False):
        again, _, _ = gluon_neuron.compile(symbol, {"data": x}, args=args, aux=aux)
    assert type(again) is type(symbol)


def test_imported_blocks(tmp_path):
    *_, x, expected = exported(tmp_path)
    files = str(tmp_path / "net-symbol.json"), ["data"], str(tmp_path / "net-0000.params")
    compiled = gluon_neuron.compile(mx.gluon.SymbolBlock.imports(*files), x)
    agree(compiled(x), expected, 1e-4, 1e-5, kind=True)
    compiled.export(tmp_path / "ours")
    files = str(tmp_path / "ours-symbol.json"), ["data"], str(tmp_path / "ours-0000.params")
    agree(mx.gluon.SymbolBlock.imports(*files)(x), expected, 1e-4, 1e-5)


def test_analyze_and_verify():
    net, x = hybridized(), images()
    assert gluon_neuron.analyze(net, x).compiled_operators
    assert gluon_neuron.verify(gluon_neuron.compile(net, x), net, [x, images(3)])


@pytest.mark.parametrize("given", [{}, {"batch_sizes": [1, 2]}, {"dynamic_batch": True}, {"inline_weights": True}])
def test_options(given):
    net, x = hybridized(), images()
    compiled = gluon_neuron.compile(net, x, **given)
    agree(compiled(x), net(x), 1e-4, 1e-5, kind=True)
    agree(compiled(np.asarray(x.asnumpy())), net(x), 1e-4, 1e-5, kind=True)
    if "inline_weights" not in given:
        x = images(1)
        agree(compiled(x), net(x), 1e-4, 1e-5, kind=True)


@pytest.mark.parametrize("name", ["mobilenet0.25", "resnet18_v1"])
def test_model_zoo(name):
    net = model_zoo.get_network(name)
    x = mx.np.random.normal(size=(1, 3, 64, 64))
    compiled = gluon_neuron.compile(net, x)
    agree(compiled(x), net(x), 1e-3, 1e-4, kind=True)
    agree(model_zoo.get_model(name, image_size=64)(x).shape, (1, 1000))


def test_results_without_axes():
    class Mean(mx.gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            self.out = nn.Dense(3)

        def hybrid_forward(self, F, x):
            return self.out(x).mean()

    net, x = Mean(), mx.np.random.normal(size=(2, 6))
    net.initialize()
    compiled = gluon_neuron.compile(net, x)
    agree(compiled(x), net(x), 1e-4, 1e-5, kind=True)


def test_what_was_compiled_of_a_checkpoint_is_saved_as_one(tmp_path):
    """MXNet loads mx.nd arrays in either mode, and saves no list of both kinds."""
    net, x = hybridized(), mx.np.random.uniform(size=(2, 3, 8, 8))
    wanted = net(x)
    net.export(str(tmp_path / "net"))
    symbol, args, aux = mx.model.load_checkpoint(str(tmp_path / "net"), 0)
    ours = gluon_neuron.compile(symbol, {"data": x}, args=args, aux=aux)
    for made in (mx.contrib.neuron.compile(symbol, args, aux, {"data": x}), ours):
        assert len({type(a) for a in made[1].values()}) == 1
        mx.model.save_checkpoint(str(tmp_path / "ours"), 0, *made)
        agree(gluon_neuron.load(tmp_path / "ours")(x), wanted, 1e-4, 1e-5)
