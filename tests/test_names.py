"""Names that are not ASCII, or that JSON has to escape, go through every part of the package as through MXNet."""

import json
import os

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.compat.context import neuron
from gluon_neuron.graph.text import to_text
from tests.agreement import agree
from tests.nets import CLOSE, run_python

PREFIXES = ["模型_", "réseau_", "сеть_", "🙂_", 'quoted"_', "back\\slash_", "blank _", "tab\t_"]


@pytest.fixture(params=PREFIXES)
def prefix(request):
    return request.param


def layers(prefix):
    net = nn.HybridSequential(prefix=prefix)
    with net.name_scope():
        net.add(nn.Conv2D(4, 3, in_channels=3), nn.BatchNorm(in_channels=4), nn.Activation("relu"))
        net.add(nn.Flatten(), nn.Dense(4, in_units=4 * 36))
    net.initialize(mx.init.Normal(0.3))
    return net, mx.nd.random.normal(shape=(2, 3, 8, 8))


def test_blocks(prefix, tmp_path):
    net, x = layers(prefix)
    compiled = gluon_neuron.compile(net, x)
    agree(compiled(x), net(x), **CLOSE)
    assert compiled.report.operator_share == 1.0
    compiled.export(tmp_path / "net")
    loaded = gluon_neuron.load(tmp_path / "net")
    agree(loaded(x), net(x), **CLOSE)
    x = mx.nd.random.normal(shape=(3, 3, 8, 8))  # specialised by the native library
    agree(loaded(x), net(x), **CLOSE)
    plain = mx.gluon.SymbolBlock.imports(str(tmp_path / "net-symbol.json"), ["data"], str(tmp_path / "net-0000.params"))
    agree(plain(x), net(x), **CLOSE)
    agree(gluon_neuron.compile(loaded, x)(x), net(x), **CLOSE)  # the original operators are taken out again


@pytest.mark.parametrize(
    "given", [{"inline_weights": True}, {"exclude_operators": ["Activation"]}, {"batch_sizes": [1]}]
)
def test_options(prefix, given):
    net, x = layers(prefix)
    agree(gluon_neuron.compile(net, x, **given)(x), net(x), **CLOSE)


def test_names_of_nodes_as_options(prefix):
    net, x = layers(prefix)
    compiled = gluon_neuron.compile(net, x, exclude_nodes=[f"{prefix}dense0_fwd"])
    assert f"{prefix}dense0_fwd" in str(compiled.report)
    agree(compiled(x), net(x), **CLOSE)


def test_cores(prefix):
    net, x = layers(prefix)
    compiled = gluon_neuron.compile(net, x)
    compiled.collect_params().reset_ctx(neuron(1))
    x = x.as_in_context(mx.cpu(1))
    net.collect_params().reset_ctx(mx.cpu(1))
    agree(compiled(x), net(x), **CLOSE)


def test_checkpoints(prefix):
    data = mx.sym.var(f"{prefix}données")
    symbol = mx.sym.FullyConnected(data, num_hidden=4, name=f"{prefix}fc")
    symbol = mx.sym.Group([mx.sym.relu(symbol, name=f"{prefix}a"), mx.sym.exp(symbol, name=f"{prefix}b")])
    x = mx.nd.random.normal(shape=(2, 5))
    args = {f"{prefix}fc_weight": mx.nd.random.normal(shape=(4, 5)), f"{prefix}fc_bias": mx.nd.ones((4,))}
    inputs = {f"{prefix}données": x}
    plain = mx.nd.FullyConnected(x, *args.values(), num_hidden=4)
    expected = [mx.nd.relu(plain), mx.nd.exp(plain)]  # MXNet's executors fuse one of the two into both
    made, new, _ = gluon_neuron.compile(symbol, inputs, args=args, aux={})
    assert made.list_outputs() == symbol.list_outputs()
    agree(made.bind(mx.cpu(), {**new, **inputs}).forward(), expected, 1e-4, 1e-5)
    assert gluon_neuron.get_report(made).compiled_operators


def test_partitioning_by_mxnet(prefix):
    net, x = layers(prefix)
    expected = net(x)
    net.hybridize(backend="neuron")
    agree(net(x), expected, **CLOSE)


def test_loops_and_branches(prefix):
    class Loop(mx.gluon.HybridBlock):
        def __init__(self):
            super().__init__(prefix=prefix)
            with self.name_scope():
                self.layer = nn.Dense(4, in_units=4, flatten=False)

        def hybrid_forward(self, F, x):
            out, _ = F.contrib.foreach(lambda one, state: (self.layer(one) + state, state + 1), x, F.zeros((2, 4)))
            return F.contrib.cond(F.sum(x) > 0, lambda: out + 1, lambda: out - 1)

    net = Loop()
    net.initialize(mx.init.Normal(0.3))
    x = mx.nd.random.normal(shape=(3, 2, 4))
    compiled = gluon_neuron.compile(net, x)
    for given in (x, -x):
        agree(compiled(given), net(given), **CLOSE)


def test_a_variable_that_appears_twice(prefix):
    one, two = mx.sym.var(f"{prefix}x"), mx.sym.var(f"{prefix}x")
    symbol = mx.sym.relu(one + 1) * mx.sym.exp(two)
    x = mx.nd.random.normal(shape=(2, 300, 300))
    made, args, _ = gluon_neuron.compile(symbol, {f"{prefix}x": x}, args={}, aux={})
    agree(made.bind(mx.cpu(), {**args, f"{prefix}x": x}).forward()[0], mx.nd.relu(x + 1) * mx.nd.exp(x), 1e-4, 1e-5)


def test_kept_regions(prefix, tmp_path, monkeypatch):
    monkeypatch.setenv("SUBGRAPH_INFO", "1")
    net, x = layers(prefix)
    gluon_neuron.compile(net, x, work_dir=str(tmp_path))
    (kept,) = tmp_path.glob(".*-symbol.json")
    assert f"{prefix}dense0_fwd" in [n["name"] for n in json.loads(kept.read_text(encoding="utf-8"))["nodes"]]


def test_in_a_process_whose_language_is_c(tmp_path):
    net, x = layers("模型_")
    np.save(tmp_path / "x.npy", x.asnumpy())
    np.save(tmp_path / "y.npy", net(x).asnumpy())
    gluon_neuron.compile(net, x).export(tmp_path / "net")
    code = """
        import sys, numpy as np, mxnet as mx, gluon_neuron
        folder = sys.argv[1]
        net = gluon_neuron.load(folder + "/net")
        found = net(mx.nd.array(np.load(folder + "/x.npy"))).asnumpy()
        np.testing.assert_allclose(found, np.load(folder + "/y.npy"), 1e-3, 1e-4)
        net.export(folder + "/again")
        gluon_neuron.load(folder + "/again")
        print("ran")
    """

    env = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert run_python(code, tmp_path, env=env) == "ran\n"


def test_text_is_what_mxnet_reads(prefix):
    raw = json.loads(mx.sym.relu(mx.sym.var(f"{prefix}x")).tojson())
    assert mx.sym.load_json(to_text(raw)).list_arguments() == [f"{prefix}x"]


def test_analysis_for_chips(prefix):
    net, x = layers(prefix)
    assert gluon_neuron.analyze(net, x, target="trn1").compiled_operators
