"""Inputs and parameters as users have them: statistics as data, arrays that nothing reads, heads of training only."""

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.errors import UninitializedError
from tests.agreement import agree
from tests.nets import CLOSE


class Statistics(mx.gluon.HybridBlock):
    """A batch norm whose running statistics are arguments."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.dense = nn.Dense(32)
            self.gamma = self.params.get("gamma", shape=(16,), init=mx.init.Uniform(1))
            self.beta = self.params.get("beta", shape=(16,), init=mx.init.Uniform(1))

    def hybrid_forward(self, F, x, mean, var, gamma, beta):
        return self.dense(F.BatchNorm(x, gamma, beta, mean, var, fix_gamma=False))


def statistics(batch=4):
    uniform = mx.nd.random.uniform
    return mx.nd.random.normal(shape=(batch, 16)), uniform(-1, 1, shape=(16,)), uniform(0.5, 2, shape=(16,))


@pytest.fixture
def with_statistics():
    net = Statistics()
    net.initialize()
    net(*statistics())
    return net


@pytest.mark.parametrize("options", [{}, {"inline_weights": True}])
def test_statistics_that_are_arguments_of_a_block(with_statistics, tmp_path, options):
    net, args = with_statistics, statistics()
    compiled = gluon_neuron.compile(net, args, **options)
    assert len(compiled.report.regions) == 1
    compiled.export(tmp_path / "net")
    loaded = gluon_neuron.load(tmp_path / "net")
    plain = mx.gluon.SymbolBlock.imports(
        str(tmp_path / "net-symbol.json"), list(compiled.input_names), str(tmp_path / "net-0000.params")
    )
    for model in (compiled, loaded, plain):
        for _ in range(2):  # with other statistics at each call
            args = statistics()
            agree(model(*args), net(*args), **CLOSE)
        with mx.autograd.record(train_mode=False):
            agree(model(*args), net(*args), **CLOSE)
    if not options:
        args = statistics(7)
        agree(compiled(*args), net(*args), **CLOSE)


def test_statistics_that_are_data_of_a_symbol():
    names = ("data", "gamma", "beta", "mean", "var")
    x, gamma, beta, mean, var = map(mx.sym.var, names)
    symbol = mx.sym.FullyConnected(
        mx.sym.BatchNorm(x, gamma, beta, mean, var, fix_gamma=False), num_hidden=32, name="fc"
    )
    args = {n: mx.nd.random.normal(shape=(16,)) for n in ("gamma", "beta")}
    args |= {"fc_weight": mx.nd.random.normal(shape=(32, 16)), "fc_bias": mx.nd.ones((32,))}
    sample = dict(zip(("data", "mean", "var"), statistics(), strict=True))
    data = {"data": sample["data"]}
    aux = {n: sample[n] for n in ("mean", "var")}
    expected = symbol.bind(mx.cpu(), {**args, **data}, aux_states=aux).forward()
    made, new_args, new_aux = gluon_neuron.compile(symbol, sample, args=args, aux={})
    assert len(gluon_neuron.get_report(made).regions) == 1 and new_aux == {}
    agree(made.bind(mx.cpu(), {**new_args, **data}, aux_states=aux).forward(), expected, **CLOSE)


class Unread(mx.gluon.HybridBlock):
    """Two dense layers that do not read the second argument."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.first, self.second = nn.Dense(32), nn.Dense(8)

    def hybrid_forward(self, F, x, unread):
        return self.second(self.first(x))


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        *(((4, 0), o) for o in ({}, {"inline_weights": True}, {"dynamic_batch": True}, {"batch_sizes": [2]})),
        *((s, {}) for s in ((0, 5), (0,), ())),
    ],
)
def test_unread_inputs_without_elements(shape, options):
    net, x = Unread(), mx.nd.random.normal(shape=(4, 16))
    net.initialize()
    expected = net(x, mx.nd.zeros((1,)))
    compiled = gluon_neuron.compile(net, (x, np.zeros(shape, np.float32)), **options)
    assert len(compiled.report.regions) == 1 and not compiled.report.outside
    for unread in (np.zeros(shape, np.float32), mx.nd.zeros((4, 3))):
        agree(compiled(x, unread), expected, **CLOSE)


class Head(mx.gluon.HybridBlock):
    """A net with a head that only training reads."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.body, self.out, self.auxiliary = nn.Dense(32), nn.Dense(4), nn.Dense(7)

    def hybrid_forward(self, F, x):
        return self.out(self.body(x))


class HeadWithCall(Head):
    """The same with a call of its own, which is traced otherwise."""

    def __call__(self, x):
        return super().__call__(x)


@pytest.mark.parametrize("kind", [Head, HeadWithCall])
@pytest.mark.parametrize("was_run", [False, True])
def test_a_head_that_is_not_read_waits_for_its_shape(kind, was_run):
    net, x = kind(), mx.nd.random.normal(shape=(3, 8))
    net.initialize()
    if was_run:
        net(x)
    compiled = gluon_neuron.compile(net, x)
    assert len(compiled.report.regions) == 1
    agree(compiled(x), net(x), **CLOSE)
    assert gluon_neuron.analyze(net, x).operators == 2
    assert net.auxiliary.weight.shape == (7, 0)  # as before: it is used when training starts
    assert net.auxiliary(x).shape == (3, 7)


@pytest.mark.parametrize("kind", [Head, HeadWithCall])
def test_a_head_that_is_not_read_needs_no_value(kind):
    net, x = kind(), mx.nd.random.normal(shape=(3, 8))
    net.body.initialize()
    net.out.initialize()
    expected = net(x)
    agree(gluon_neuron.compile(net, x)(x), expected, **CLOSE)
    other = kind()
    other.body.initialize()
    with pytest.raises(UninitializedError, match="have no value: .*dense1_weight"):
        gluon_neuron.compile(other, x)
