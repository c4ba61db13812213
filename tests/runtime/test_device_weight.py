"""One set of weights on a NeuronCore for all programs of an artifact, by the doubles of the compiler and of libnrt."""

import gc

import mxnet as mx
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.engine import native_library
from tests.agreement import agree
from tests.doubles.install import compilers as compilers


@pytest.fixture
def net():
    """Two dense layers along the last axis."""
    made = nn.HybridSequential()
    with made.name_scope():
        made.add(nn.Dense(6, flatten=False, in_units=4, activation="relu"), nn.Dense(3, flatten=False, in_units=6))
    made.initialize(mx.init.Normal(0.5))
    return made


def filled(*shape):
    return mx.nd.random.normal(shape=shape)


def bytes_of(net):
    return sum(4 * p.data().size for p in net.collect_params().values())


def test_buckets_share_their_weights(compilers, chip, net):
    made = gluon_neuron.compile(net, filled(2, 4, 4), target="inf2", buckets={"data": {1: [4, 8, 16]}}, strict=True)
    assert len(made.report.regions[0].programs) == 3
    mx.nd.waitall()
    native_library.release()
    chip.reset()
    data = 0
    for length, bucket in ((3, 4), (8, 8), (11, 16), (4, 4), (7, 8)):
        x = filled(2, length, 4)
        agree(made(x), net(x), 1e-4, 1e-5)
        data += 4 * 2 * bucket * 4
    assert chip.count("nrt_load") <= 3 and chip.count("alive model") == 3
    written = chip.count("written") - data
    assert written in (0, bytes_of(net)), "the weights were written once, here or when it was compiled"
    assert len([core for core in range(4) if chip.clock(core)]) == 1, "and where they are, all programs run"


def test_new_weights_are_written_once_for_each(compilers, chip, net):
    made = gluon_neuron.compile(net, filled(2, 4, 4), target="inf2", buckets={"data": {1: [4, 8]}}, strict=True)
    for length in (3, 7):
        made(filled(2, length, 4)).wait_to_read()
    for layer in net:
        layer.weight.set_data(layer.weight.data() + 1)
    for length in (3, 7, 4, 8):
        x = filled(2, length, 4)
        agree(made(x), net(x), 1e-4, 1e-5)
    alive = chip.count("alive tensor")
    for layer in net:
        layer.weight.set_data(layer.weight.data() + 1)
    for length in (3, 7, 4, 8):
        x = filled(2, length, 4)
        agree(made(x), net(x), 1e-4, 1e-5)
    assert chip.count("alive tensor") == alive, "nothing of the weights before is left"
    del made
    gc.collect()
    mx.nd.waitall()
    native_library.release()
    assert chip.count("alive tensor") == 0


def test_a_failed_write_leaves_nothing(compilers, chip, net):
    made = gluon_neuron.compile(net, filled(2, 4, 4), target="inf2", buckets={"data": {1: [4, 8]}}, strict=True)
    layer = net[0]
    layer.weight.set_data(layer.weight.data() + 1)
    chip.fail("nrt_tensor_write", 3)
    with pytest.raises(mx.MXNetError, match="write a weight: NRT_INVALID_HANDLE"):
        made(filled(2, 3, 4)).wait_to_read()
    x = filled(2, 3, 4)
    agree(made(x), net(x), 1e-4, 1e-5)
