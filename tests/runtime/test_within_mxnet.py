"""The operator called by MXNet itself, which runs nothing else then: one program for any shape, or one for each."""

import logging

import mxnet as mx
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.engine import native_library
from tests.agreement import agree


@pytest.mark.parametrize("dynamic", [True, False])
def test_shapes_in_turn(dynamic, tmp_path, caplog):
    net = nn.HybridSequential()
    net.add(nn.Dense(8, flatten=False, in_units=4))
    net.initialize()
    net(mx.nd.ones((1, 2, 4)))
    gluon_neuron.compile(net, mx.nd.ones((1, 2, 4)), dynamic=dynamic).export(str(tmp_path / "n"))
    block = mx.gluon.SymbolBlock.imports(str(tmp_path / "n-symbol.json"), ["data"], str(tmp_path / "n-0000.params"))
    before = native_library.stats()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            for length in range(3, 9):
                x = mx.nd.random.normal(shape=(1, length, 4))
                agree(block(x), net(x), 1e-4, 1e-5)
    after = native_library.stats()
    made = 0 if dynamic else 6
    assert after["specialisations"] - before["specialisations"] == made
    assert after["compiles"] - before["compiles"] == (made or 1)
    warned = [r.message for r in caplog.records if "one is compiled for each such shape" in r.message]
    assert len(warned) == (0 if dynamic else 1)
