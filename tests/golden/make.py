"""Writes the golden files of the gluon_neuron that is imported, into a folder: `python tests/golden/make.py FOLDER`.

A release's own files were made once, with its own build and this script, and are never made again: they stand for what
its users have. The script uses nothing of the tests, so that an older build runs it from its own folder.
"""

from __future__ import annotations

import contextlib
import pickle
import sys
from pathlib import Path

import mxnet as mx
import numpy as np

import gluon_neuron

SHAPE = (2, 3, 8, 8)


def initialized(net, x):
    """The net with weights and batch norm statistics that matter."""
    net.initialize(mx.init.Xavier(magnitude=2))
    net(x)
    rng = np.random.default_rng(7)
    for name, param in net.collect_params().items():
        if name.endswith(("running_var", "gamma", "beta", "bias", "running_mean")):
            param.set_data(rng.uniform(0.5, 1.5, param.shape).astype("float32"))
    return net


def conv_net(prefix):
    """A convolution, batch norm and a dense layer."""
    nn = mx.gluon.nn
    net = nn.HybridSequential(prefix=prefix)
    with net.name_scope():
        net.add(nn.Conv2D(4, 3), nn.BatchNorm(), nn.Activation("relu"), nn.MaxPool2D(), nn.Dense(3))
    return net


def checkpoint():
    """`(sym, args, aux)` of a classifier, as scripts for the archived packages have them."""
    net = mx.sym.Convolution(mx.sym.var("data"), kernel=(3, 3), num_filter=4, name="conv0")
    net = mx.sym.Activation(mx.sym.BatchNorm(net, fix_gamma=False, name="bn0"), act_type="relu", name="relu0")
    net = mx.sym.FullyConnected(mx.sym.Flatten(net, name="flat0"), num_hidden=3, name="fc0")
    sym = mx.sym.SoftmaxOutput(net, name="softmax")
    rng = np.random.default_rng(8)
    shapes, _, states = sym.infer_shape(data=SHAPE)
    named = zip(sym.list_arguments(), shapes, strict=True)
    args = {n: mx.nd.array(rng.normal(size=s) * 0.3) for n, s in named if n not in ("data", "softmax_label")}
    aux = {n: mx.nd.array(rng.uniform(0.5, 1.5, s)) for n, s in zip(sym.list_auxiliary_states(), states, strict=True)}
    return sym, args, aux


def in_numpy(folder, x):
    """A net of mx.np arrays; its results."""
    mx.npx.set_np()
    try:
        given = mx.np.array(x)
        net = initialized(conv_net("numpy_"), given)
        compiled = gluon_neuron.compile(net, given)
        dump(folder / "numpy.pickle", compiled)
        # The first release could not export a net of mx.np arrays.
        with contextlib.suppress(TypeError):
            compiled.export(str(folder / "numpy"))
        return net(given).asnumpy()
    finally:
        mx.npx.reset_np()


def dump(path, value):
    """Pickle a value, as every Python that runs MXNet 1.9 reads it."""
    path.write_bytes(pickle.dumps(value, protocol=4))


def make(folder):
    """Write everything; what MXNet itself computes is in `expected.npz`, for the input in it."""
    mx.random.seed(0)
    x = np.random.default_rng(9).normal(size=SHAPE).astype("float32")
    data = mx.nd.array(x)
    net = initialized(conv_net("net_"), data)
    expected = {"x": x, "net": net(data).asnumpy()}
    compiled = gluon_neuron.compile(net, data)
    compiled.export(str(folder / "net"))
    gluon_neuron.compile(net, data, inline_weights=True).export(str(folder / "inline"))
    expected["inline"] = expected["block"] = expected["net"]
    expected["numpy"] = in_numpy(folder, x)

    sym, args, aux = checkpoint()
    made = mx.contrib.neuron.compile(sym, args, aux, {"data": data})
    mx.model.save_checkpoint(str(folder / "checkpoint"), 0, *made)
    label = mx.nd.zeros((SHAPE[0],))
    executor = sym.bind(mx.cpu(), {**args, "data": data, "softmax_label": label}, aux_states=aux, grad_req="null")
    expected["checkpoint"] = executor.forward(is_train=False)[0].asnumpy()

    options = gluon_neuron.CompileOptions(auto_cast="all", batch_sizes=(1, 4), exclude_operators=("Dropout",))
    # What was measured differs from run to run.
    report = gluon_neuron.Report.from_dict({**compiled.report.to_dict(), "seconds": {"export": 0.25, "compile": 0.5}})
    for name, one in {"block": compiled, "report": report, "options": options}.items():
        dump(folder / f"{name}.pickle", one)
    np.savez_compressed(folder / "expected.npz", **expected)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    make(Path(sys.argv[1]))
