"""Inputs that a compiled model does not take: one error, which says what it was compiled for and what to do."""

import re

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from gluon_neuron.errors import InputError, reason
from gluon_neuron.graph.spec import Spec
from gluon_neuron.runtime.misfit import misfit
from tests.agreement import agree
from tests.nets import CLOSE, conv_net, images, in_threads


@pytest.fixture(scope="module")
def compiled():
    return gluon_neuron.compile(conv_net(), images())


@pytest.fixture(scope="module", params=["compiled", "loaded"])
def model(request, compiled, tmp_path_factory):
    if request.param == "compiled":
        return compiled
    prefix = tmp_path_factory.mktemp("model") / "net"
    compiled.export(prefix)
    return gluon_neuron.load(prefix)


WRONG = [
    ((1, 16, 16, 3), r"compiled for \(1, 3, 16, 16\), got \(1, 16, 16, 3\).*transpose\(\(0, 3, 1, 2\)\)"),
    ((5, 20, 24, 3), r"got \(5, 20, 24, 3\).*channels are last.*transpose\(\(0, 3, 1, 2\)\)"),
    ((3, 16, 16), r"got \(3, 16, 16\).*expand_dims\(axis=0\)"),
    ((16, 16, 3), r"got \(16, 16, 3\).*expand_dims\(axis=0\), after transpose\(\(2, 0, 1\)\)"),
    ((1, 1, 3, 16, 16), "has 5 axes and needs 4"),
    ((1, 4, 16, 16), r"got \(1, 4, 16, 16\).*compile it with one as the sample"),
]


@pytest.mark.parametrize(("shape", "message"), WRONG)
def test_wrong_shapes(model, shape, message):
    with pytest.raises(InputError, match=message) as caught:
        model(mx.nd.zeros(shape))
    assert ".cc:" not in str(caught.value) and "_neuron_subgraph_op" not in str(caught.value)


def test_wrong_dtypes(model):
    with pytest.raises(InputError, match=r"float32 \(1, 3, 16, 16\), got uint8 .*astype\('float32'\)"):
        model(mx.nd.zeros((1, 3, 16, 16), dtype="uint8"))


def test_the_way_through_the_cached_operator(model):
    with mx.autograd.record(train_mode=False), pytest.raises(InputError, match=r"transpose\(\(0, 3, 1, 2\)\)"):
        model(mx.nd.zeros((1, 16, 16, 3)))


def test_what_is_advised_works(model):
    x = mx.nd.random.normal(shape=(1, 16, 16, 3))
    with pytest.raises(InputError):
        model(x)
    expected = model(mx.nd.array(x.asnumpy().transpose(0, 3, 1, 2))).asnumpy()
    np.testing.assert_array_equal(model(x.transpose((0, 3, 1, 2))).asnumpy(), expected)


def test_a_dynamic_batch():
    model = gluon_neuron.compile(conv_net(), images(), dynamic_batch=True)
    with pytest.raises(InputError, match="transpose"):
        model(mx.nd.zeros((2, 16, 16, 3)))


BAKED = r"inline_weights=True.*compiled for \(1, 3, 16, 16\), got \(2, 3, 16, 16\).*batch_sizes.*without inline_"


@pytest.fixture(scope="module")
def baked(tmp_path_factory):
    net = conv_net()
    made = gluon_neuron.compile(net, images(), inline_weights=True, batch_sizes=[3])
    made.export(tmp_path_factory.mktemp("baked") / "net")
    return net, made


@pytest.mark.parametrize("loaded", [False, True])
def test_shapes_that_no_program_with_baked_weights_is_for(baked, loaded, tmp_path):
    net, model = baked
    if loaded:
        model.export(tmp_path / "net")
        model = gluon_neuron.load(tmp_path / "net")
    for _ in range(2):
        with pytest.raises(InputError, match=BAKED):
            model(images(2))
        for batch in (1, 3):
            x = images(batch)
            agree(model(x), net(x), **CLOSE)
    with mx.autograd.record(train_mode=False), pytest.raises(InputError, match=BAKED):
        model(images(2))


def test_several_threads_with_baked_weights(baked):
    net, model = baked
    mx.nd.waitall()
    samples = [images(1), images(2), images(3), images(2)]
    expected = [net(x).asnumpy() for x in samples]

    def work(i):
        for _ in range(5):
            if len(samples[i]) == 2:
                with pytest.raises(InputError, match=BAKED):
                    model(samples[i])
            else:
                agree(model(samples[i]).asnumpy(), expected[i], 1e-3, 1e-4)

    in_threads(work)


def test_only_inputs_that_differ_are_named():
    specs = [Spec((2, 3), "float32"), Spec((2, 4), "float32")]
    given = [Spec((2, 3), "float32"), Spec((2, 5), "float32")]
    said = str(misfit(["a", "b"], specs, given, ValueError("no")))
    assert "'b' was compiled for (2, 4), got (2, 5)" in said and "'a'" not in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "[00:37:51] ../src/a.cc:15: Check failed: n == 4U (3 vs. 4) : It should be 4D\nStack trace:\n  [bt] 0",
            "It should be 4D",
        ),
        (
            "MXNetError: Error in operator _neuron_subgraph_op0: Error in operator fc: Shape",
            "Error in operator fc: Shape",
        ),
        (
            'Traceback (most recent call last):\n  File "../src/c_api.cc", line 346\nMXNetError: Check failed: retval: '
            "Error calling X\nExtension Traceback:\n\t[0] gluon_neuron: node a: no\n\n",
            "gluon_neuron: node a: no",
        ),
        ("", "MXNetError"),
    ],
)
def test_reasons_have_no_places_in_sources(text, expected):
    assert reason(mx.base.MXNetError(text)) == expected


class Cast(mx.gluon.nn.HybridSequential):
    """A compiled region with weights, whose weights may be cast later."""

    def __init__(self):
        super().__init__()
        self.add(mx.gluon.nn.Dense(4, in_units=3), mx.gluon.nn.BatchNorm(in_channels=4))
        self.initialize()


@pytest.mark.parametrize("who", ["compiled", "original", "loaded"])
def test_mxnet_runs_weights_that_were_cast_since(tmp_path, caplog, who):
    dtype = "float64"
    net, x = Cast(), mx.nd.random.normal(shape=(2, 3))
    model = gluon_neuron.compile(net, x)
    if who == "loaded":
        model.export(tmp_path / "net")
        model = gluon_neuron.load(tmp_path / "net")
    expected = model(x)
    cast = net if who == "original" else model
    cast.cast(dtype)
    for _ in range(2):
        found = model(x.astype(dtype))
        assert np.dtype(found.dtype) == dtype
        agree(found, expected, 1e-2, 1e-2, dtype=False)
    with mx.autograd.record(train_mode=False):
        agree(model(x.astype(dtype)), expected, 1e-2, 1e-2, dtype=False)
    (said,) = [r.message for r in caplog.records]
    assert re.search(rf"MXNet itself runs.*node '_neuron.*weight.*as float32.*is {dtype} now.*cast\('float32'\)", said)
    with pytest.raises(InputError, match=rf"was compiled for float32 \(2, 3\), got int32|astype\('{dtype}'\)"):
        model(x.astype("int32"))
    cast.cast("float32")
    agree(model(x), expected, 1e-2, 1e-2)
    assert model._sessions.last is not None


def test_weights_that_were_cast_since_have_no_program_with_baked_ones():
    net, x = Cast(), mx.nd.random.normal(shape=(2, 3))
    model = gluon_neuron.compile(net, x, inline_weights=True, exclude_operators=["BatchNorm"])
    expected = model(x)
    model.cast("float64")
    with pytest.raises((InputError, mx.base.MXNetError)):
        model(x.astype("float64")).wait_to_read()
    model.cast("float32")
    agree(model(x), expected, 1e-5, 1e-6)


def test_weights_of_mxnets_own_operators_may_be_cast():
    net, x = Cast(), mx.nd.random.normal(shape=(2, 3))
    model = gluon_neuron.compile(net, x, exclude_operators=["FullyConnected", "BatchNorm"])
    assert not model.report.compiled_operators
    model.cast("float64")
    assert model(x.astype("float64")).dtype == np.float64


@pytest.mark.parametrize("batch", [1, 3])
def test_another_operations_error_comes_through_as_it_is(monkeypatch, batch):
    """MXNet may raise an operation's error at any later call, so at that which binds a model too."""
    model = gluon_neuron.compile(conv_net(), images())
    model._sessions.clear()  # what was compiled for is bound already
    late = mx.base.MXNetError("spotrf failed in lapack on cpu")

    def session(*args, **kwargs):
        raise late

    monkeypatch.setattr("gluon_neuron.runtime.session_cache.Session", session)
    monkeypatch.setattr("gluon_neuron.runtime.session_cache.OriginalCall.__call__", session)
    with pytest.raises(mx.base.MXNetError) as found:
        model(mx.nd.zeros((batch, 3, 16, 16)))
    assert found.value is late
    with pytest.raises(InputError, match="compiled for"):
        model(mx.nd.zeros((batch, 5, 16, 16)))


def test_nothing_at_all_outside_numpy_mode():
    model = gluon_neuron.compile(conv_net(), images())
    with mx.util.np_shape(True):
        x = mx.nd.zeros((0, 3, 16, 16))
    with pytest.raises(InputError, match=r"got \(0, 3, 16, 16\)\. Outside NumPy mode MXNet takes a length of 0"):
        model(x)
