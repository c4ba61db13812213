"""A checkpoint's block, whose parameters are the caller's arrays, exports as one of Gluon's does."""

from __future__ import annotations

import mxnet as mx
import pytest

import gluon_neuron
from gluon_neuron.api import compile_symbol
from tests.agreement import agree
from tests.compat.nets import checkpoint, image


@pytest.fixture(scope="module")
def made():
    sym, args, aux = checkpoint()
    return compile_symbol(sym, {"data": mx.nd.array(image())}, args, aux, {"dynamic": False})


def test_exported(made, tmp_path):
    label = mx.nd.zeros(image().shape[0])
    expected = made(mx.nd.array(image()), label).asnumpy()
    made.export(tmp_path / "net")
    agree(gluon_neuron.load(tmp_path / "net")(mx.nd.array(image()), label).asnumpy(), expected)
    sym, args, aux = mx.model.load_checkpoint(str(tmp_path / "net"), 0)
    assert set(aux) == {"bn0_moving_mean", "bn0_moving_var"}
    assert set(args) | {"data", "softmax_label"} == set(sym.list_arguments())


def test_its_parameters_are_saved(made, tmp_path):
    made.save_parameters(tmp_path / "net.params")
    held = made.collect_params()
    saved = mx.nd.load(str(tmp_path / "net.params"))
    assert set(saved) == set(held)
    for name, array in saved.items():
        assert (array.asnumpy() == held[name].data().asnumpy()).all()
