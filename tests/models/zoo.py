"""Models of the model zoos with random weights under which activations, scores and boxes are those of a trained net."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import gluon
from mxnet.test_utils import environment

from tests.agreement import agree

RTOL, ATOL = 1e-3, 1e-4
"""How far a compiled model's floating-point outputs may be from the original's."""


@dataclass(frozen=True)
class Head:
    """Layers whose outputs are to have a given mean and deviation: one number, or a few to repeat over the channels.

    Without a deviation, the layers keep theirs. The mean of a layer without bias becomes 0.
    """

    layers: Sequence[Any]
    mean: Any = 0.0
    deviation: Any = None


def images(name: str, batch: int, height: int, width: int | None = None, seed: int = 0) -> mx.nd.NDArray:
    """Random images with structure in the large and noise in the small, so that no two look alike to a net."""
    width = width or height
    random = np.random.RandomState(zlib.crc32(f"{name} {seed}".encode()))
    cell = 16
    coarse = random.normal(0, 1, (batch, 3, -(-height // cell), -(-width // cell)))
    smooth = coarse.repeat(cell, 2).repeat(cell, 3)[:, :, :height, :width]
    return mx.nd.array(smooth + random.normal(0, 0.4, smooth.shape), dtype="float32")


def state(net: Any) -> tuple[bool, dict[str, int]]:
    """Whether a block is hybridized, and a checksum of each of its parameters."""
    params = net.collect_params().items()
    return net._active, {n: zlib.crc32(np.ascontiguousarray(p.data().asnumpy())) for n, p in params}


def agree_by_row(found: Any, expected: Any) -> None:
    """Assert that two outputs are equal within RTOL and ATOL, with the same top-1 in each row."""
    assert found.shape == expected.shape and found.dtype == expected.dtype
    for index in range(expected.shape[0]):
        # Row by row: some outputs fill gigabytes.
        a, b = found[index].asnumpy(), expected[index].asnumpy()
        assert np.isfinite(b).all() and b.std() > 100 * ATOL, "the outputs are too small for the comparison to say much"
        agree(a, b, RTOL, ATOL)
        if b.ndim == 1:
            assert a.argmax() == b.argmax()


def with_weights(net: Any, sample: mx.nd.NDArray, heads: Sequence[Head] = (), seed: int = 0) -> Any:
    """Give the net random weights, BatchNorm the statistics of the sample, and the heads the spread they ask for.

    Heads are set one after the other, so a later one may depend on what an earlier one decides.
    """
    net.infer_shape(sample)
    net.initialize(mx.init.Zero(), force_reinit=True)
    random = np.random.default_rng(seed)
    symbol = _symbol(net)
    damped = _last_of_branches(symbol)
    for name, param in net.collect_params().items():
        if not isinstance(param, gluon.parameter.Constant):
            value = _initial(random, name, param.shape)
            # As in trained residual nets: each block changes its input a little. Else a deep one is chaotic.
            param.set_data(mx.nd.array(0.3 * value if name in damped else value))
    _measure_batch_norms(net, symbol, sample, heads)
    for head in heads:
        _spread(net, symbol, sample, head)
    return net


def last_layer(net: Any) -> Any:
    """The layer that is the last with weights: that which classifies."""
    return _layers(net)[-1]


def _layers(net: Any) -> list[Any]:
    found: list[Any] = []
    net.apply(lambda b: found.append(b) if isinstance(b, gluon.nn.Dense | gluon.nn.Conv2D) else None)
    return found


def _initial(random: np.random.Generator, name: str, shape: Sequence[int]) -> np.ndarray:
    if name.endswith(("running_mean", "moving_mean")):
        return np.zeros(shape)
    if name.endswith(("running_var", "moving_var")):
        return np.ones(shape)
    if name.endswith("gamma"):
        return random.uniform(0.7, 1.3, shape)
    if name.endswith("beta"):
        # Mostly above zero, so that few units are at the kink of their ReLU, where rounding errors grow.
        return random.normal(0.3, 0.2, shape)
    if name.endswith("bias"):
        return random.normal(0, 0.05, shape)
    assert name.endswith("weight"), f"{name}: nothing is known about values for such a parameter"
    return random.standard_normal(shape, dtype="float32") * np.sqrt(2 / np.prod(shape[1:]))


def _last_of_branches(symbol: mx.sym.Symbol) -> set[str]:
    """The gammas of BatchNorms that are added to something."""
    nodes = json.loads(symbol.tojson())["nodes"]
    added = {i for n in nodes if n["op"] in ("elemwise_add", "_Plus", "broadcast_add") for i, *_ in n["inputs"]}
    return {nodes[nodes[i]["inputs"][1][0]]["name"] for i in added if nodes[i]["op"] == "BatchNorm"}


def _symbol(net: Any) -> mx.sym.Symbol:
    outputs = net(mx.sym.var("data"))
    return mx.sym.Group(list(outputs)) if isinstance(outputs, list | tuple) else outputs


def _measure_batch_norms(net: Any, symbol: mx.sym.Symbol, sample: mx.nd.NDArray, heads: Sequence[Head]) -> None:
    # In training mode, each BatchNorm normalizes by what it sees, and says what that was when asked to.
    if heads:
        symbol = mx.sym.Group([_output_of(symbol, layer) for head in heads for layer in head.layers])
    graph = json.loads(symbol.tojson())
    norms = [node for node in graph["nodes"] if node["op"] == "BatchNorm"]
    if not norms:
        return
    for node in norms:
        node.setdefault("attrs", {}).update(output_mean_var="True", use_global_stats="False")
    internals = mx.sym.load_json(json.dumps(graph)).get_internals()
    seen = mx.sym.Group([internals[f"{node['name']}_{what}"] for node in norms for what in ("mean", "var")])
    params = net.collect_params()
    found = iter(_run(seen, params, sample, is_train=True).outputs)
    for node, mean, inverse in zip(norms, found, found):
        names = [graph["nodes"][i]["name"] for i, *_ in node["inputs"]]
        params[names[3]].set_data(mean)
        variance = 1 / inverse**2 - float(node["attrs"].get("eps", 1e-3))
        # The deepest maps of some nets have one pixel, in which a few images hardly differ: without a share of the
        # mean, each layer would enlarge the difference, and rounding errors with it.
        params[names[4]].set_data(variance + (0.1 * variance + 0.03 * mean**2).mean())


def _spread(net: Any, symbol: mx.sym.Symbol, sample: mx.nd.NDArray, head: Head) -> None:
    ends = [_input_of(symbol, layer) for layer in head.layers] + [_output_of(symbol, layer) for layer in head.layers]
    found = _run(mx.sym.Group(ends), net.collect_params(), sample).outputs
    for layer, given, output in zip(head.layers, found, found[len(head.layers) :]):
        values = output.asnumpy().astype(np.float64)
        axes = tuple(i for i in range(values.ndim) if i != 1)
        mean = values.mean(axes)
        # What is measured is the same for all channels: a channel of a small map has too few values for its own.
        wanted = np.ones(len(mean))
        if head.deviation is not None:
            wanted = np.resize(head.deviation, len(mean)) / np.sqrt(values.var(axes).mean() + 0.03 * (values**2).mean())
        weight = layer.weight.data().asnumpy()
        weight *= wanted.reshape(-1, *[1] * (weight.ndim - 1))
        if layer.bias is None:
            # Weights across the mean of what the layer is given do what a bias would do.
            common = given.asnumpy().mean(axes)
            weight -= np.outer(weight.reshape(len(mean), -1) @ common, common / (common @ common)).reshape(weight.shape)
        else:
            bias = (layer.bias.data().asnumpy() - mean) * wanted + np.resize(head.mean, len(mean))
            layer.bias.set_data(mx.nd.array(bias))
        layer.weight.set_data(mx.nd.array(weight))


def _run(symbol: mx.sym.Symbol, params: Any, sample: mx.nd.NDArray, is_train: bool = False) -> Any:
    arguments = {n: params[n].data() for n in symbol.list_arguments() if n != "data"}
    states = {n: params[n].data().copy() for n in symbol.list_auxiliary_states()}
    # MXNet would fuse BatchNorm into the convolution before it, also for a run in training mode.
    with environment("MXNET_SUBGRAPH_BACKEND", "NONE"):
        executor = symbol.bind(mx.cpu(), {"data": sample, **arguments}, aux_states=states, grad_req="null")
    executor.forward(is_train=is_train)
    return executor


def _output_of(symbol: mx.sym.Symbol, layer: Any) -> mx.sym.Symbol:
    return symbol.get_internals()[f"{_node_of(symbol, layer)[1]['name']}_output"]


def _input_of(symbol: mx.sym.Symbol, layer: Any) -> mx.sym.Symbol:
    nodes, node = _node_of(symbol, layer)
    return symbol.get_internals()[f"{nodes[node['inputs'][0][0]]['name']}_output"]


def _node_of(symbol: mx.sym.Symbol, layer: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    nodes = json.loads(symbol.tojson())["nodes"]
    for node in nodes:
        if any(nodes[i]["name"] == layer.weight.name for i, *_ in node["inputs"]):
            return nodes, node
    raise AssertionError(f"No node reads {layer.weight.name}.")
