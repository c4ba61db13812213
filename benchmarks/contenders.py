"""The contenders: one model, each with parameters of its own, behind calls that wait for their results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mxnet as mx

import gluon_neuron
from gluon_neuron.model_zoo import get_network

HYBRID, ONEDNN, BARE, OURS = "MXNet", "MXNet oneDNN", "bare OpenVINO", "gluon_neuron"

Call = Callable[[], Any]


def small_network() -> mx.gluon.HybridBlock:
    """A net with 17 parameters, for what a call costs by itself."""
    net = mx.gluon.nn.HybridSequential()
    for channels in (16, 32, 32):
        net.add(mx.gluon.nn.Conv2D(channels, 3, padding=1, use_bias=False), mx.gluon.nn.BatchNorm())
        net.add(mx.gluon.nn.Activation("relu"), mx.gluon.nn.MaxPool2D())
    net.add(mx.gluon.nn.Dense(10, use_bias=False))
    return net


def network(model: str, picture: mx.nd.NDArray, weights: str | None = None) -> mx.gluon.HybridBlock:
    """The model with weights from a file of `save_parameters`, or random ones."""
    if model == "small":
        made = small_network()
        made.initialize(mx.init.Xavier())
    else:
        made = get_network(model)
    if weights is None:
        wait(made(picture))
    else:
        made.load_parameters(weights)
    return made


def hybrid(model: str, picture: mx.nd.NDArray, weights: str) -> Call:
    """MXNet, hybridized with static memory and shapes."""
    net = network(model, picture, weights)
    net.hybridize(static_alloc=True, static_shape=True)
    return lambda: wait(net(picture))


def onednn(model: str, picture: mx.nd.NDArray, weights: str) -> Call:
    """MXNet with its own oneDNN subgraph backend, the fastest that it can do alone."""
    net = network(model, picture, weights)
    net.optimize_for(picture, backend="MKLDNN", static_alloc=True, static_shape=True)
    return lambda: wait(net(picture))


def ours(model: str, picture: mx.nd.NDArray, weights: str, **options: Any) -> gluon_neuron.NeuronHybridBlock:
    """The model compiled by gluon_neuron."""
    return gluon_neuron.compile(network(model, picture, weights), picture, **options)


def wait(found: Any) -> Any:
    """Wait for a block's results, nested or not, and return them."""
    for array in found if isinstance(found, list | tuple) else [found]:
        if isinstance(array, list | tuple):
            wait(array)
        else:
            array.wait_to_read()
    return found
