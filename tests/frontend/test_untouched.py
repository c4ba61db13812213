"""A block that was compiled is as it was: attributes, cached operators, hooks and symbols, in all its children."""

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn, rnn

import gluon_neuron
from tests.agreement import agree
from tests.untouched import blocks_of, same, state


class OwnCall(mx.gluon.HybridBlock):
    """As gluonnlp's encoders: a call of its own, for an optional argument."""

    def __init__(self, known):
        super().__init__()
        with self.name_scope():
            self.body = nn.Dense(16, activation="relu", in_units=8 if known else 0)
            self.out = nn.Dense(4, in_units=16 if known else 0)

    def __call__(self, inputs, lengths=None):
        return super().__call__(inputs, lengths)

    def hybrid_forward(self, F, inputs, lengths=None):
        self.seen = self.last = inputs
        return self.out(self.body(inputs))


class Outer(mx.gluon.HybridBlock):
    """One of those inside a block without."""

    def __init__(self, known):
        super().__init__()
        with self.name_scope():
            self.inner = OwnCall(known)
        self.seen = None

    def hybrid_forward(self, F, x):
        self.seen = x
        return self.inner(x) * 2


def imported(known):
    net = nn.HybridSequential()
    net.add(nn.Dense(4, in_units=8))
    net.initialize()
    return mx.gluon.SymbolBlock(net(mx.sym.var("x")), mx.sym.var("x"), params=net.collect_params())


def recurrent(known):
    return rnn.LSTM(5, input_size=8 if known else 0, layout="NTC")


MAKE = {"own call": OwnCall, "inside": Outer, "symbol": imported, "recurrent": recurrent}


def inputs(name):
    return mx.nd.random.normal(shape=(3, 6, 8) if name == "recurrent" else (3, 8))


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("way", ["plain", "hybridized", "run", "children"])
def test_nothing_changes(name, known, way):
    net, x = MAKE[name](known), inputs(name)
    net.initialize()
    if way in ("hybridized", "run"):
        net.hybridize()
    if way == "children":
        for child in net._children.values():
            child.hybridize()
    if way == "run":
        net(x)
    before = state(net)
    compiled = gluon_neuron.compile(net, x)
    same(state(net), before)
    expected = net(x)
    agree(compiled(x), expected, 1e-4, 1e-5)
    net.hybridize()
    agree(net(x), expected, 1e-5, 1e-6)
    agree(compiled(x), expected, 1e-4, 1e-5)


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("known", [True, False])
def test_hooks_are_not_called(name, known):
    net, x = MAKE[name](known), inputs(name)
    net.initialize()
    called = []
    for block in blocks_of(net):
        block.register_forward_hook(lambda block, given, found: called.append(block))
        block.register_forward_pre_hook(lambda block, given: called.append(block))
    net.register_op_hook(lambda *args: called.append(net))
    gluon_neuron.compile(net, x)
    assert not called
    net(x)
    assert called


def test_a_net_of_one_front_end_is_compiled_for_the_other():
    net = nn.HybridSequential()
    net.add(nn.Dense(4, in_units=8))
    net.initialize()
    x = mx.nd.random.normal(shape=(3, 8))
    expected = net(x)
    agree(gluon_neuron.compile(net, x.as_np_ndarray())(x.as_np_ndarray()), expected, 1e-4, 1e-5)
    net.hybridize()
    agree(net(x), expected, 1e-5, 1e-6)
    agree(gluon_neuron.compile(net, x)(x), expected, 1e-4, 1e-5)


def test_analyze_leaves_it_too():
    net, x = OwnCall(False), inputs("own call")
    net.initialize()
    net.hybridize()
    before = state(net)
    gluon_neuron.analyze(net, x)
    same(state(net), before)
    net(x)


def test_a_compile_that_fails_leaves_it_too():
    class Eager(OwnCall):
        def hybrid_forward(self, F, inputs, lengths=None):
            found = super().hybrid_forward(F, inputs, lengths)
            return found * float(inputs.asnumpy().sum())

    net, x = Eager(False), inputs("own call")
    net.initialize()
    before = state(net)
    with pytest.raises(gluon_neuron.errors.BlockError):
        gluon_neuron.compile(net, x)
    same(state(net), before)
    net(x)


def test_layers_that_the_first_call_makes_stay():
    class Lazy(mx.gluon.HybridBlock):
        def hybrid_forward(self, F, x):
            if not hasattr(self, "layer"):
                with self.name_scope():
                    self.layer = nn.Dense(4, in_units=8)
                self.layer.initialize()
            return self.layer(x)

    net, x = Lazy(), inputs("own call")
    net(x)
    compiled = gluon_neuron.compile(net, x)
    agree(compiled(x), net(x), 1e-4, 1e-5)


def test_cells_that_remember_the_step_before():
    net = rnn.HybridSequentialRNNCell()
    net.add(rnn.ZoneoutCell(rnn.LSTMCell(5, input_size=8), 0.3, 0.2))

    class Unrolled(mx.gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            self.cell = net

        def hybrid_forward(self, F, x):
            return self.cell.unroll(4, x, layout="NTC", merge_outputs=True)[0]

    outer = Unrolled()
    outer.initialize()
    x = mx.nd.random.normal(shape=(2, 4, 8))
    states = net.begin_state(batch_size=2, func=mx.nd.zeros)
    net.reset()
    first, states = net(x[:, 0], states)
    before = state(outer)
    compiled = gluon_neuron.compile(outer, x)
    same(state(outer), before)
    net(x[:, 1], states)  # goes on from the step before
    agree(compiled(x), outer(x), 1e-4, 1e-5)


def test_bert_of_gluonnlp():
    bert = pytest.importorskip("gluonnlp.model.bert")
    net = bert.BERTClassifier(
        bert.BERTModel(
            bert.BERTEncoder(units=16, hidden_size=32, num_layers=1, num_heads=2, max_length=8, dropout=0.0),
            vocab_size=20,
            token_type_vocab_size=2,
            units=16,
            embed_size=16,
            use_decoder=False,
            use_classifier=False,
        ),
        num_classes=3,
    )
    net.initialize()
    net.hybridize()
    tokens = mx.nd.array(np.random.randint(0, 20, (2, 6)))
    args = tokens, mx.nd.zeros((2, 6)), mx.nd.array([6, 4])
    before = state(net)
    compiled = gluon_neuron.compile(net, args)
    same(state(net), before)
    agree(compiled(*args), net(*args), 1e-4, 1e-5)
