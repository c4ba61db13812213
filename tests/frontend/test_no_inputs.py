"""Symbols without any input: constants and parameters, which MXNet runs."""

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from gluon_neuron.errors import InputError
from tests.agreement import agree


def constants():
    return mx.sym.zeros((2, 3)) + 1, {}


def several():
    return mx.sym.Group([mx.sym.ones((2, 3)) * 2, mx.sym.arange(5)]), {}


def parameters():
    symbol = mx.sym.FullyConnected(mx.sym.var("x"), num_hidden=64, name="fc")
    shapes = {"x": (2, 64), "fc_weight": (64, 64), "fc_bias": (64,)}
    return symbol, {n: mx.nd.random.normal(shape=s) for n, s in shapes.items()}


@pytest.mark.parametrize("make", [constants, several, parameters])
@pytest.mark.parametrize("sample", [{}, (), [], None])
def test_nothing_is_compiled_and_all_runs(make, sample):
    symbol, args = make()
    expected = symbol.bind(mx.cpu(), args).forward()
    compiled, new_args, new_aux = gluon_neuron.compile(symbol, sample, args=args, aux={})
    report = gluon_neuron.get_report(compiled)
    assert not report.regions and len(report.outside) == report.operators
    assert gluon_neuron.analyze(symbol, sample, args=args).outside == report.outside
    assert compiled.list_outputs() == symbol.list_outputs() and not new_aux
    agree(compiled.bind(mx.cpu(), new_args).forward(), expected)


@pytest.mark.parametrize("make", [constants, several, parameters])
def test_files(make, tmp_path):
    symbol, args = make()
    compiled, new_args, _ = gluon_neuron.compile(symbol, {}, args=args)
    mx.model.save_checkpoint(str(tmp_path / "net"), 0, compiled, new_args, {})
    loaded, loaded_args, _ = mx.model.load_checkpoint(str(tmp_path / "net"), 0)
    assert gluon_neuron.get_report(loaded).operators == gluon_neuron.get_report(compiled).operators
    agree(loaded.bind(mx.cpu(), loaded_args).forward(), symbol.bind(mx.cpu(), args).forward())
    assert gluon_neuron.load(tmp_path / "net").input_names == ()


def test_among_the_shapes_of_mx_np():
    with mx.util.np_shape(True), mx.util.np_array(True):
        symbol = mx.sym.np.zeros((2, 3)) + 1
        compiled, args, _ = gluon_neuron.compile(symbol, {}, args={})
        agree(compiled.bind(mx.cpu(), args).forward()[0], np.ones((2, 3), np.float32))


def test_a_region_that_is_asked_for():
    symbol, args = parameters()
    compiled, new_args, _ = gluon_neuron.compile(symbol, {}, args=args, include_nodes=["fc"])
    assert len(gluon_neuron.get_report(compiled).regions) == 1
    agree(compiled.bind(mx.cpu(), new_args).forward(), symbol.bind(mx.cpu(), args).forward(), 1e-4, 1e-5)


def test_a_sample_for_what_is_not_there():
    symbol, args = constants()
    with pytest.raises(InputError, match="no argument 'data'.*none"):
        gluon_neuron.compile(symbol, {"data": mx.nd.ones((1,))}, args=args)
    with pytest.raises(InputError, match="0 arguments .*sample has 1"):
        gluon_neuron.compile(symbol, mx.nd.ones((1,)), args=args)
    with pytest.raises(InputError, match="are empty"):
        gluon_neuron.compile(mx.sym.var("data") + 1, {}, args=args)
