"""Random weights with which a model's activations are of a moderate size at any depth, as a trained one's are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import mxnet as mx
import numpy as np
from mxnet import gluon
from mxnet.test_utils import environment

_INFERENCE_ONLY = ("_contrib_quantize", "_sg_mkldnn_")


def randomize(model: Any, seed: int = 0) -> None:
    """Give all parameters of an exported model (a `gluon_neuron.frontend.model.ExportedModel`) random values.

    Weights get He's variance, 2 / fan-in ("Delving deep into rectifiers", 2015), and the last normalization of a
    residual branch a smaller scale, as training gives it: a deep net of equal branches is chaotic. Parameters that are
    neither weights nor those of a normalization keep what the model itself gave them, if that is not zero.
    """
    random = np.random.default_rng(seed)
    damped = _last_of_branches(model.symbol)
    for name, param in model.params.items():
        if isinstance(param, gluon.parameter.Constant) or param.dtype not in (np.float32, "float32"):
            continue
        value = _initial(random, name, param)
        if value is not None:
            # Convolutions over three axes keep their weights in a layout of their own, into which MXNet cannot write.
            param.initialize(mx.init.Zero(), force_reinit=True)
            param.set_data(mx.nd.array(0.3 * value if name in damped else value))


def measure_batch_norms(model: Any, sample: Sequence[mx.nd.NDArray]) -> None:
    """Set the statistics of every BatchNorm to those of the sample, by one run in training mode.

    A quantized net keeps what it has: MXNet's quantized kernels fail in training mode.
    """
    graph = json.loads(model.symbol.tojson())
    norms = [node for node in graph["nodes"] if node["op"] == "BatchNorm"]
    if not norms or any(node["op"].startswith(_INFERENCE_ONLY) for node in graph["nodes"]):
        return
    for node in norms:
        node.setdefault("attrs", {}).update(output_mean_var="True", use_global_stats="False")
    internals = mx.sym.load_json(json.dumps(graph)).get_internals()
    # By position, as a layer that is used twice has two nodes of one name. All outputs of a node follow each other.
    places: dict[str, list[int]] = {name: [] for name in internals.list_outputs()}
    for place, name in enumerate(internals.list_outputs()):
        places[name].append(place)
    wanted = [places[f"{node['name']}_{what}"].pop(0) for node in norms for what in ("mean", "var")]
    seen = mx.sym.Group([internals[place] for place in wanted])
    found = iter(_run(seen, model, sample, is_train=True))
    for node, mean, inverse in zip(norms, found, found):
        names = [graph["nodes"][i]["name"] for i, *_ in node["inputs"]]
        variance = 1 / inverse**2 - float(node["attrs"].get("eps", 1e-3))
        # Maps of one pixel hardly differ: without a share of the mean, rounding errors would grow from layer to layer.
        model.params[names[3]].set_data(mean)
        model.params[names[4]].set_data(variance + (0.1 * variance + 0.03 * mean**2).mean() + 1e-3)


def spread(net: Any, model: Any, sample: Sequence[mx.nd.NDArray], wanted: Mapping[str, float]) -> None:
    """Give the outputs of layers these deviations, by the attributes under which blocks of the net hold the layers."""
    blocks: list[Any] = []
    net.apply(blocks.append)
    nodes = json.loads(model.symbol.tojson())["nodes"]
    internals = model.symbol.get_internals()
    names = internals.list_outputs()
    for attribute, deviation in wanted.items():
        for layer in {getattr(b, attribute) for b in blocks if hasattr(b, attribute)}:
            reader = next(n for n in nodes if any(nodes[i]["name"] == layer.weight.name for i, *_ in n["inputs"]))
            output = internals[names.index(f"{reader['name']}_output")]
            found = _run(output, model, sample, is_train=False)[0].asnumpy()
            layer.weight.set_data(layer.weight.data() * (deviation / found.std()))


def _run(symbol: mx.sym.Symbol, model: Any, sample: Sequence[mx.nd.NDArray], is_train: bool) -> list[mx.nd.NDArray]:
    given = dict(zip(model.inputs, sample, strict=True))
    arguments = {n: given[n] if n in given else model.params[n].data() for n in symbol.list_arguments()}
    states = {n: model.params[n].data().copy() for n in symbol.list_auxiliary_states()}
    # MXNet would fuse BatchNorm into the convolution before it, also for a run in training mode.
    with environment("MXNET_SUBGRAPH_BACKEND", "NONE"):
        executor = symbol.bind(mx.cpu(), arguments, aux_states=states, grad_req="null")
    return list(executor.forward(is_train=is_train))


def _initial(random: np.random.Generator, name: str, param: gluon.Parameter) -> np.ndarray | None:
    shape = param.shape
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
    if name.endswith("weight") and len(shape) > 1:
        return random.standard_normal(shape, dtype="float32") * np.float32(np.sqrt(2 / np.prod(shape[1:])))
    return random.uniform(0.1, 0.4, shape) if not param.data().asnumpy().any() else None


def _last_of_branches(symbol: mx.sym.Symbol) -> set[str]:
    """The gammas of BatchNorms that are added to something."""
    nodes = json.loads(symbol.tojson())["nodes"]
    added = {i for n in nodes if n["op"] in ("elemwise_add", "_Plus", "broadcast_add") for i, *_ in n["inputs"]}
    return {nodes[nodes[i]["inputs"][1][0]]["name"] for i in added if nodes[i]["op"] == "BatchNorm"}
