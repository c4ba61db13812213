"""Exporting a block: every form of input, structure kept, the block untouched, clear errors."""

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon

import gluon_neuron
from gluon_neuron.errors import BlockError, InputError, UninitializedError
from gluon_neuron.frontend.export import export
from gluon_neuron.graph.spec import Spec
from tests.agreement import agree


class Two(gluon.HybridBlock):
    """Two inputs, nested outputs."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.dense = gluon.nn.Dense(4)

    def hybrid_forward(self, F, x, mask=None):
        y = self.dense(x)
        return y, [y + 1, y if mask is None else y * mask]


@pytest.fixture
def two():
    net = Two()
    net.initialize()
    return net


def zeros(*shape):
    return mx.nd.zeros(shape)


@pytest.mark.parametrize(
    "sample",
    [
        (zeros(2, 3), zeros(2, 4)),
        [zeros(2, 3), np.zeros((2, 4), np.float32)],
        {"x": zeros(2, 3), "mask": zeros(2, 4)},
        {"mask": zeros(2, 4), "x": np.zeros((2, 3), np.float32)},
        {"data0": zeros(2, 3), "data1": zeros(2, 4)},
    ],
)
def test_forms_of_input(two, sample):
    model = export(two, sample)
    assert model.inputs == ("data0", "data1")
    assert model.specs == {"data0": Spec((2, 3), "float32"), "data1": Spec((2, 4), "float32")}
    assert model.in_format == [0, 0] and model.out_format == [0, [0, 0]]


def test_optional_argument_left_out(two):
    assert export(two, zeros(2, 3)).inputs == ("data",)
    assert export(two, {"x": zeros(2, 3)}).inputs == ("data",)


def test_block_is_untouched(two):
    x = mx.nd.random.normal(shape=(2, 3))
    before = two(x)[0].asnumpy()
    two.hybridize(static_alloc=True)
    two(x)
    state = {k: v for k, v in two.__dict__.items() if k.startswith("_") and k != "_scope"}
    arrays = {n: p.data().asnumpy() for n, p in two.collect_params().items()}
    export(two, zeros(5, 3))
    after = {k: v for k, v in two.__dict__.items() if k.startswith("_") and k != "_scope"}
    assert after.keys() == state.keys()
    assert all(
        after[k] is state[k] or after[k] == state[k] for k in ("_cached_graph", "_cached_op", "_flags", "_active")
    )
    for name, param in two.collect_params().items():
        assert np.array_equal(param.data().asnumpy(), arrays[name])
    assert np.array_equal(two(x)[0].asnumpy(), before)


def test_parameters_are_shared_not_copied(two):
    model = export(two, zeros(2, 3))
    assert all(model.params[n] is p for n, p in two.collect_params().items())


def test_symbol_block(two):
    x = mx.sym.var("features")
    block = gluon.SymbolBlock(two(x)[0], [x], params=two.collect_params())
    two(zeros(2, 3))
    model = export(block, {"features": zeros(2, 3)})
    assert model.inputs == ("features",)
    with pytest.raises(InputError, match="no input 'feature'.*'features'"):
        export(block, {"feature": zeros(2, 3)})


def test_numpy_blocks():
    with mx.util.np_shape(True), mx.util.np_array(True):
        net = gluon.nn.Dense(3)
        net.initialize()
        model = export(net, mx.np.zeros((2, 5)))
    assert model.is_np and model.specs == {"data": Spec((2, 5), "float32")}


def test_not_hybrid():
    class Plain(gluon.Block):
        def forward(self, x):
            return x

    with pytest.raises(BlockError, match="derive it from gluon.HybridBlock"):
        export(Plain(), zeros(1))
    with pytest.raises(BlockError, match="not a builtins.int"):
        export(3, zeros(1))


def test_cannot_be_traced():
    class Eager(gluon.HybridBlock):
        def hybrid_forward(self, F, x):
            return x * float(x.asnumpy().sum())

    with pytest.raises(BlockError, match="cannot be exported.*asnumpy"):
        export(Eager(), zeros(2))


def test_uninitialized():
    with pytest.raises(UninitializedError, match=r"dense\d+_weight.*initialize"):
        export(gluon.nn.Dense(3), zeros(1, 2))


def test_sample_that_contradicts_the_parameters(two):
    two(zeros(2, 3))
    from gluon_neuron.frontend.infer import annotate

    model = export(two, zeros(2, 7))
    with pytest.raises(InputError, match="does not take inputs of these shapes"):
        annotate(model.symbol.tojson(), model.all_specs(), False)


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        ((zeros(2, 3), zeros(2, 4), zeros(1)), "takes 1 to 2 inputs"),
        ((), "empty"),
        ({"y": zeros(2, 3)}, "no input 'y'"),
        ({"mask": zeros(2, 3)}, "lacks the input x"),
        ("text", "is a str"),
        (np.zeros((2, 3), np.complex64), "complex64"),
        (np.array(["a"]), "MXNet does not know"),
        (mx.nd.zeros((2, 3)).tostype("csr"), "storage type"),
    ],
)
def test_bad_samples(two, sample, message):
    with pytest.raises(InputError, match=message):
        export(two, sample)


class Heads(gluon.HybridBlock):
    """One layer counts; another is called for nothing, and a third never; none knows its shapes yet."""

    def __init__(self, called):
        super().__init__()
        self.called = called
        with self.name_scope():
            self.body, self.unread, self.uncalled = gluon.nn.Dense(4), gluon.nn.Dense(3), gluon.nn.Dense(2)

    def hybrid_forward(self, F, x):
        if self.called:
            self.unread(x)
        return self.body(x)


@pytest.mark.parametrize("called", [False, True])
@pytest.mark.parametrize("way", ["plain", "called", "hybridized"])
def test_layers_that_nothing_reads(called, way):
    net, x = Heads(called), mx.nd.random.normal(shape=(2, 3))
    net.initialize()
    if way != "plain":
        net(x)
    if way == "hybridized":
        net.hybridize()
        net(x)
    waiting = [p.name for p in net.collect_params().values() if p._deferred_init]
    assert waiting
    model = export(net, x)
    assert set(model.params) == {net.body.weight.name, net.body.bias.name}
    still = [p.name for p in net.collect_params().values() if p._deferred_init]
    assert still == [n for n in waiting if n not in model.params]
    assert gluon_neuron.compile(net, x)(x).shape == net(x).shape == (2, 4)


@pytest.mark.parametrize(
    ("raised", "error", "message"),
    [
        (NotImplementedError("not for arrays"), BlockError, "NotImplementedError: not for arrays"),
        (ValueError("too few"), InputError, "does not take the sample input: too few"),
    ],
)
def test_a_call_that_fails(raised, error, message):
    class Own(Heads):
        def __call__(self, x):
            raise raised

    net = Own(False)
    net.initialize()
    with pytest.raises(error, match=message):
        export(net, zeros(2, 3))


class Masked(gluon.HybridBlock):
    """Its call puts something between the arguments that it is given, as gluonnlp's RoBERTa does."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.dense = gluon.nn.Dense(4, flatten=False)

    def __call__(self, x, length=None):
        return super().__call__(x, [], length)

    def hybrid_forward(self, F, x, nothing, length=None):
        assert isinstance(nothing, list)
        return F.SequenceMask(self.dense(x), length, use_sequence_length=True, axis=1)


@pytest.mark.parametrize("sample", [(zeros(2, 5, 3), zeros(2)), {"x": zeros(2, 5, 3), "length": zeros(2)}])
def test_a_call_that_prepares_its_arguments(sample):
    net = Masked()
    net.initialize()
    model = export(net, sample)
    assert list(model.specs.values()) == [Spec((2, 5, 3), "float32"), Spec((2,), "float32")]
    compiled = gluon_neuron.compile(net, sample)
    x, length = mx.nd.random.normal(shape=(2, 5, 3)), mx.nd.array([2, 4])
    agree(compiled(x, length), net(x, length), 1e-4, 1e-5)
    with pytest.raises(InputError, match="1 to 2 inputs"):
        export(net, (zeros(2, 5, 3), zeros(2), zeros(2)))
