"""A checkpoint as scripts for the archived packages have them: a symbol with a softmax layer, its args and aux."""

from __future__ import annotations

import json

import mxnet as mx
import numpy as np

from tests.doubles.neff import Neff, pack
from tests.nets import artifact_name

SHAPE = (2, 3, 8, 8)
ARTIFACT = "_neuron_subgraph_op0_neuronbin"


def checkpoint(seed=0):
    """`(sym, args, aux)` of a convolutional classifier with 4 classes."""
    data = mx.sym.var("data")
    net = mx.sym.Convolution(data, kernel=(3, 3), num_filter=6, pad=(1, 1), name="conv0")
    net = mx.sym.BatchNorm(net, fix_gamma=False, name="bn0")
    net = mx.sym.Activation(net, act_type="relu", name="relu0")
    net = mx.sym.Pooling(net, kernel=(2, 2), stride=(2, 2), pool_type="max", name="pool0")
    net = mx.sym.Convolution(net, kernel=(1, 1), num_filter=8, name="conv1")
    net = mx.sym.Activation(net, act_type="relu", name="relu1")
    net = mx.sym.FullyConnected(mx.sym.Flatten(net, name="flat0"), num_hidden=4, name="fc0")
    sym = mx.sym.SoftmaxOutput(net, name="softmax")
    rng = np.random.default_rng(seed)
    shapes, _, states = sym.infer_shape(data=SHAPE)
    args = {
        n: mx.nd.array(rng.normal(size=s) * 0.3)
        for n, s in zip(sym.list_arguments(), shapes, strict=True)
        if n not in ("data", "softmax_label")
    }
    aux = {n: mx.nd.array(rng.uniform(0.5, 1.5, s)) for n, s in zip(sym.list_auxiliary_states(), states, strict=True)}
    return sym, args, aux


def image(seed=0, batch=SHAPE[0]):
    """A batch of images."""
    return mx.nd.array(np.random.default_rng(seed).normal(size=(batch, *SHAPE[1:])))


def run(sym, args, aux, x, ctx=None):
    """The outputs of a symbol through `bind`, as NumPy arrays."""
    given = {**args, "data": x}
    if "softmax_label" in sym.list_arguments():
        given["softmax_label"] = mx.nd.zeros((x.shape[0],), x.ctx)
    executor = sym.bind(ctx or mx.cpu(), args=given, aux_states=aux, grad_req="null")
    return [o.asnumpy() for o in executor.forward(is_train=False)]


def archived(cores=1, counted=False, front=False):
    """`(sym, args, aux)` as the archived package left them: NEFFs for artifacts, and nothing of ours in the symbol.

    `counted` says in the node that its last input is not the subgraph's; `front` puts that input before the others.
    """
    made, args, aux = mx.contrib.neuron.compile(*checkpoint(), {"data": image()})
    raw = json.loads(made.tojson())
    neff = np.frombuffer(pack(Neff(cores, {}, {"text": bytes(2000)})), np.uint8)
    for node in raw["nodes"]:
        if node["op"] == "_neuron_subgraph_op":
            node["attrs"] = {"__subgraph_opt_neuroncore__": str(cores)}
            if counted:
                node["attrs"]["__ext_extra_inputs__"] = "1"
            if front:
                node["inputs"].insert(0, node["inputs"].pop())
        elif node["name"] == artifact_name(args):
            node["name"] = ARTIFACT
            node["attrs"] = {"__shape__": f"({neff.size},)", "__dtype__": "3"}
        else:
            node.get("attrs", {}).pop("__gluon_neuron__", None)
    del args[artifact_name(args)]
    return mx.sym.load_json(json.dumps(raw)), {**args, ARTIFACT: mx.nd.array(neff, dtype=np.uint8)}, aux
