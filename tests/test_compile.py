"""compile(): the same results as the block, in every form of input and output, and the block as it was."""

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.errors import CompileError, InputError, OptionError
from gluon_neuron.report import REASONS
from tests.agreement import agree
from tests.nets import CLOSE, Split, conv_net, images, initialized, nested_net


@pytest.fixture(scope="module")
def net():
    return conv_net()


@pytest.fixture(scope="module")
def compiled(net):
    return gluon_neuron.compile(net, images())


def test_agrees_on_several_inputs(net, compiled):
    for _ in range(3):
        x = images()
        agree(compiled(x), net(x), **CLOSE)


def test_is_a_block_of_ours(compiled):
    assert isinstance(compiled, gluon_neuron.NeuronHybridBlock)
    assert isinstance(compiled, gluon.SymbolBlock)
    assert compiled.target == "cpu" and compiled.engine == "openvino"
    assert "regions=1" in repr(compiled)


def test_report(compiled):
    report = compiled.report
    assert report.operators == report.compiled_operators == 9
    assert report.operator_share == report.flops_share == 1.0 and report.flops > 200_000
    assert "9 of 9 operators (100.0%)" in str(report)


def test_other_batch_sizes(net, compiled):
    for batch in (4, 1, 3, 8, 4):
        x = images(batch)
        agree(compiled(x), net(x), **CLOSE)


def test_compiled_batch_sizes(net):
    both = gluon_neuron.compile(net, images(), batch_sizes=[1, 4])
    for batch in (4, 1):
        x = images(batch)
        agree(both(x), net(x), **CLOSE)


def test_dynamic_batch(net):
    dynamic = gluon_neuron.compile(net, images(2), dynamic_batch=True)
    for batch in (1, 2, 3, 5):
        x = images(batch)
        agree(dynamic(x), net(x), **CLOSE)


def test_inline_weights(net):
    inline = gluon_neuron.compile(net, images(), inline_weights=True)
    x = images()
    agree(inline(x), net(x), **CLOSE)
    assert [n for n in inline.collect_params() if not n.endswith("_neuronbin")] == []
    with pytest.raises(InputError, match="baked into the model's programs"):
        inline(images(2))


@pytest.mark.parametrize("auto_cast", ["matmult", "all"])
def test_auto_cast(net, auto_cast):
    cast = gluon_neuron.compile(net, images(), auto_cast=auto_cast)
    x = images()
    expected = net(x).asnumpy()
    difference = np.abs(cast(x).asnumpy() - expected).max() / np.abs(expected).max()
    assert difference < 0.05
    if auto_cast == "matmult":
        # The casts are in the program, so they cost accuracy whatever the processor offers.
        assert difference > 1e-5


def test_nested_structure():
    net, args = nested_net()
    compiled = gluon_neuron.compile(net, args)
    agree(compiled(*args), net(*args), **CLOSE)


def test_symbol_block(net):
    x = mx.sym.var("pixels")
    block = gluon.SymbolBlock(net(x), [x], params=net.collect_params())
    compiled = gluon_neuron.compile(block, {"pixels": images()})
    data = images()
    agree(compiled(data), net(data), **CLOSE)


def test_numpy_arrays_as_samples(net):
    compiled = gluon_neuron.compile(net, np.zeros((1, 3, 16, 16), np.float32))
    x = images()
    agree(compiled(x), net(x), **CLOSE)
    agree(compiled(x.asnumpy()), net(x), **CLOSE)


def test_numpy_interface():
    with mx.util.np_shape(True), mx.util.np_array(True):
        net = nn.HybridSequential()
        net.add(nn.Conv2D(4, 3), nn.Activation("relu"), nn.Dense(3))
        net.initialize()
        x = mx.np.random.normal(size=(2, 3, 8, 8))
        expected = net(x)
        compiled = gluon_neuron.compile(net, x)
        found = compiled(x)
    agree(found, expected, **CLOSE)


def test_regions_around_what_stays():
    net = initialized(Split(), images(1, 8))
    compiled = gluon_neuron.compile(net, images(1, 8), include_nodes=["split0_dense0_fwd"][:0])
    report = compiled.report
    assert [o.op for o in report.outside] == ["_contrib_box_nms"]
    assert len(report.regions) == 2
    assert {o.category for o in report.outside} <= set(REASONS)
    x = images(1, 8)
    agree(compiled(x), net(x), **CLOSE)


def test_names_and_order_of_outputs_are_kept():
    net, args = nested_net()
    data = [mx.sym.var("data0"), [mx.sym.var("data1"), mx.sym.var("data2")]]
    flat = net(*data)
    names = [flat[0].name, flat[1][0].name, flat[1][1][0].name, flat[1][1][1].name]
    compiled = gluon_neuron.compile(net, args)
    assert compiled.symbol.list_outputs() == [f"{n}_output" for n in names]


def test_nothing_to_compile():
    class Sort(gluon.HybridBlock):
        def hybrid_forward(self, F, x):
            return F.contrib.box_nms(x)

    net = Sort()
    x = mx.nd.random.uniform(shape=(1, 5, 6))
    compiled = gluon_neuron.compile(net, x)
    assert compiled.report.regions == () and compiled.engine == "mxnet"
    assert "Nothing was compiled" in str(compiled.report)
    agree(compiled(x), net(x), **CLOSE)


def test_excluded(net):
    name = next(n for n in net(mx.sym.var("data")).get_internals().list_outputs() if n.endswith("relu0_fwd_output"))
    compiled = gluon_neuron.compile(net, images(), exclude_nodes=[name.removesuffix("_output")])
    assert [o.category for o in compiled.report.outside] == ["excluded"]
    without = gluon_neuron.compile(net, images(), exclude_operators=["BatchNorm"])
    assert [o.op for o in without.report.outside if o.category == "excluded"] == ["BatchNorm", "BatchNorm"]
    x = images()
    agree(compiled(x), net(x), **CLOSE)
    agree(without(x), net(x), **CLOSE)
    with pytest.raises(OptionError, match="'Convolutio'.*'Convolution'"):
        gluon_neuron.compile(net, images(), exclude_operators=["Convolutio"])


def test_the_block_stays_as_it_was():
    net = conv_net()
    net.hybridize(static_alloc=True, static_shape=True)
    x = images()
    before, params = net(x).asnumpy(), {n: p.data().asnumpy() for n, p in net.collect_params().items()}
    cached = net._cached_op
    gluon_neuron.compile(net, images(4))(images(2)).wait_to_read()
    assert net._cached_op is cached and net._active
    assert np.array_equal(net(x).asnumpy(), before)
    for name, param in net.collect_params().items():
        assert np.array_equal(param.data().asnumpy(), params[name])


def test_analyze_compiles_nothing(net):
    report = gluon_neuron.analyze(net, images())
    assert report.operator_share == 1.0 and len(report.regions) == 1


def test_verify(net, compiled):
    good = gluon_neuron.verify(compiled, net, [images(), images(2)])
    assert good and good.differences[0].top1 == 1.0 and "agrees" in str(good)
    other = conv_net()
    bad = gluon_neuron.verify(compiled, other, images())
    assert not bad and "DISAGREES" in str(bad)


def test_a_region_that_cannot_be_compiled_stays_in_mxnet(net, monkeypatch):
    from gluon_neuron.targets.cpu.target import CpuTarget

    def fail(self, work):
        raise CompileError("node 'x' (op): the engine is out of order")

    monkeypatch.setattr(CpuTarget, "compile", fail)
    compiled = gluon_neuron.compile(net, images())
    assert {o.category for o in compiled.report.outside} == {"compile failed"}
    assert "out of order" in str(compiled.report)
    x = images()
    agree(compiled(x), net(x), **CLOSE)
    with pytest.raises(CompileError, match="out of order"):
        gluon_neuron.compile(net, images(), strict=True)


def test_recompiling_a_compiled_block(net, compiled):
    again = gluon_neuron.compile(compiled, images())
    x = images()
    agree(again(x), net(x), **CLOSE)
