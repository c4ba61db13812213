"""Weights of what stays in MXNet are followed too, whatever MXNet would fuse."""

import os
import threading
import time

import mxnet as mx
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.runtime.unfused import unfused
from tests.agreement import agree

NAME = "MXNET_SUBGRAPH_BACKEND"


def convolutions():
    net = nn.HybridSequential()
    for _ in range(2):
        net.add(nn.Conv2D(8, 3, in_channels=8), nn.BatchNorm(in_channels=8), nn.Activation("relu"))
    net.add(nn.Dense(5, activation="relu", in_units=8 * 4 * 4))
    return net, (2, 8, 8, 8)


def layers():
    net = nn.HybridSequential()
    net.add(nn.Dense(16, activation="relu", in_units=6), nn.Dense(4, in_units=16), nn.Dense(4, in_units=4))
    return net, (3, 6)


@pytest.mark.parametrize(
    ("make", "excluded"),
    [
        (convolutions, ["Convolution", "FullyConnected"]),
        (convolutions, ["FullyConnected"]),
        (layers, ["FullyConnected"]),
    ],
)
def test_each_weight_outside_regions(make, excluded):
    net, shape = make()
    net.initialize(mx.init.Xavier())
    x = mx.nd.random.normal(shape=shape)
    net(x)
    compiled = gluon_neuron.compile(net, x, exclude_operators=excluded)
    agree(compiled(x), net(x), 1e-4, 1e-5)
    for param in net.collect_params().values():
        param.set_data(param.data() * 2 + 0.1)
        agree(compiled(x), net(x), 1e-4, 1e-5, where=param.name)


def test_the_environment_is_as_before(monkeypatch):
    monkeypatch.delenv(NAME, raising=False)
    with unfused():
        assert os.environ[NAME] == "default"
    assert NAME not in os.environ
    monkeypatch.setenv(NAME, "MKLDNN")
    with unfused():
        assert os.environ[NAME] == "MKLDNN"
    assert os.environ[NAME] == "MKLDNN"


def test_one_thread_is_inside_at_a_time_and_a_fork_waits_for_it(monkeypatch):
    monkeypatch.delenv(NAME, raising=False)
    seen = []

    def bind():
        with unfused():
            seen.append(os.environ[NAME])
            time.sleep(0.1)

    with unfused():
        threads = [threading.Thread(target=bind) for _ in range(2)]
        for thread in threads:
            thread.start()
        with unfused():
            assert os.environ[NAME] == "default"
        assert os.environ[NAME] == "default"
        time.sleep(0.1)
        assert not seen
    child = os.fork()
    if child == 0:
        free = NAME not in os.environ
        with unfused():
            os._exit(0 if free else 1)
    for thread in threads:
        thread.join()
    assert seen == ["default"] * 2
    assert NAME not in os.environ
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
