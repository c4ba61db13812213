"""MXNet's own convention gives the same regions as compile(), and our error text when it fails."""

from __future__ import annotations

import json

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from tests.agreement import agree
from tests.compat.nets import SHAPE, checkpoint, image, run
from tests.nets import artifact_name
from tests.static import static_programs_alone  # noqa: F401


def make():
    net = mx.gluon.nn.HybridSequential()
    net.add(
        mx.gluon.nn.Conv2D(6, 3, activation="relu"),
        mx.gluon.nn.BatchNorm(),
        mx.gluon.nn.MaxPool2D(),
        mx.gluon.nn.Dense(5),
    )
    net.initialize(mx.init.Normal(0.3))
    return net


def regions(sym):
    """The operators of each region."""
    nodes = json.loads(sym.tojson())["nodes"]
    return [
        [inner["op"] for inner in n["subgraphs"][0]["nodes"] if inner["op"] != "null"]
        for n in nodes
        if n["op"] == "_neuron_subgraph_op"
    ]


def exported(net, path):
    net.export(str(path))
    return mx.sym.load(f"{path}-symbol.json")


@pytest.mark.parametrize("static", [False, True])
def test_optimize_for(tmp_path, static):
    net, x = make(), image()
    expected = net(x).asnumpy()
    compiled = gluon_neuron.compile(net, x)
    net.optimize_for(x, backend="neuron", static_alloc=static, static_shape=static)
    agree(net(x), expected, 1e-4, 1e-5)
    assert regions(exported(net, tmp_path / "net")) == regions(compiled.symbol) != []


@pytest.mark.parametrize("options", [{}, {"exclude_operators": ["Pooling"]}])
def test_hybridize(tmp_path, options):
    net, x = make(), image()
    expected = net(x).asnumpy()
    compiled = gluon_neuron.compile(net, x, **options)
    net.hybridize(backend="neuron", **options)
    agree(net(x), expected, 1e-4, 1e-5)
    found = regions(exported(net, tmp_path / "net"))
    assert found == regions(compiled.symbol)
    assert len(found) == 1 + len(options)
    more = image(1, batch=5)
    agree(net(more), compiled(more), 1e-4, 1e-5)


@pytest.mark.parametrize("options", [{}, {"exclude_operators": ["Pooling"]}])
def test_all_ways_give_the_same_regions(tmp_path, options):
    net, x = make(), image()
    net(x)
    net.hybridize()
    net(x)
    plain = exported(net, tmp_path / "plain")
    arrays = {n: p.data() for n, p in net.collect_params().items()}
    args = {n: a for n, a in arrays.items() if n in plain.list_arguments()}
    aux = {n: a for n, a in arrays.items() if n in plain.list_auxiliary_states()}
    by_symbol = plain.optimize_for("neuron", {**args, "data": x}, aux, **options)
    by_compile = mx.contrib.neuron.compile(plain, args, aux, {"data": x}, **options)[0]
    net.optimize_for(x, backend="neuron", **options)
    assert regions(by_symbol) == regions(by_compile) == regions(exported(net, tmp_path / "net"))
    assert len(regions(by_symbol)) == 1 + len(options)


def test_export_and_load(tmp_path):
    net, x = make(), image()
    expected = net(x).asnumpy()
    net.optimize_for(x, backend="neuron")
    net.export(str(tmp_path / "net"))
    again = gluon_neuron.load(tmp_path / "net")
    agree(again(x), expected, 1e-4, 1e-5)


def test_weights_are_followed():
    net, x = make(), image()
    net(x)
    net.optimize_for(x, backend="neuron", static_alloc=True, static_shape=True)
    net(x).wait_to_read()
    net[3].weight.set_data(net[3].weight.data() * 2)
    found = net(x).asnumpy()
    net.hybridize(active=False)
    agree(found, net(x), 1e-4, 1e-5)


def test_several_inputs():
    class Two(mx.gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            self.dense = mx.gluon.nn.Dense(4)

        def hybrid_forward(self, F, a, b):
            return self.dense(a) + b

    net = Two()
    net.initialize()
    a, b = mx.nd.random.normal(shape=(2, 3)), mx.nd.random.normal(shape=(2, 4))
    expected = net(a, b).asnumpy()
    net.optimize_for(a, b, backend="neuron")
    agree(net(a, b), expected, 1e-5, 1e-6)


def test_options_reach_the_compiler(tmp_path):
    net, x = make(), image()
    expected = net(x).asnumpy()
    net.optimize_for(x, backend="neuron", auto_cast="matmult", exclude_operators=["Pooling"], num_threads=1)
    found = net(x).asnumpy()
    assert 1e-6 < np.abs(found - expected).max() < 1e-1
    report = gluon_neuron.get_report(exported(net, tmp_path / "net"))
    assert [(o.op, o.category) for o in report.outside] == [("Pooling", "excluded")]


def test_inline_weights():
    net, x = make(), image()
    expected = net(x).asnumpy()
    net.optimize_for(x, backend="neuron", inline_weights=True)
    agree(net(x), expected, 1e-4, 1e-5)


def test_symbol_with_data_among_the_arrays():
    sym, args, aux = checkpoint()
    x = image(1)
    given = {**args, "data": x, "softmax_label": mx.nd.zeros((SHAPE[0],))}
    made = sym.optimize_for("neuron", given, aux)
    assert artifact_name(given) in made.list_arguments()
    reference = mx.contrib.neuron.compile(*checkpoint(), {"data": x})
    assert regions(made) == regions(reference[0])
    executor = made.bind(mx.cpu(), given, aux_states=aux, grad_req="null")
    agree(executor.forward()[0], run(*checkpoint(), x)[0], 1e-4, 1e-5)


def test_inputs_can_be_named():
    a, b = mx.sym.var("scale_weight"), mx.sym.var("matrix")
    sym = mx.sym.FullyConnected(a, b, num_hidden=3, no_bias=True, name="fc")
    given = {"scale_weight": mx.nd.ones((2, 4)), "matrix": mx.nd.ones((3, 4))}
    made = sym.optimize_for("neuron", dict(given), {}, inputs=["scale_weight"])
    assert gluon_neuron.get_report(made).regions[0].inputs == ("scale_weight",)
    guessed = sym.optimize_for("neuron", dict(given), {})
    assert gluon_neuron.get_report(guessed).regions[0].inputs == ("matrix",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"auto_kast": "all"}, "Unknown compile argument 'auto_kast'. Did you mean 'auto_cast'"),
        ({"exclude_nodes": ["nothing"]}, "names 'nothing', which the model does not have"),
        ({"inputs": ["nothing"]}, "names 'nothing', for which no array was given"),
        ({"target": "inf9"}, "must be one of"),
    ],
)
def test_errors(options, message):
    net = make()
    with pytest.raises(mx.base.MXNetError, match=message):
        net.optimize_for(image(), backend="neuron", **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"auto_kast": "all"}, "Unknown compile argument 'auto_kast'. Did you mean 'auto_cast'"),
        ({"excl_node_names": ["nothing"]}, "names 'nothing', which the model does not have"),
    ],
)
def test_errors_of_hybridize_and_of_symbols(options, message):
    net = make()
    net.hybridize(backend="neuron", **options)
    with pytest.raises(mx.base.MXNetError, match=message):
        net(image())
    sym, args, aux = checkpoint()
    with pytest.raises(mx.base.MXNetError, match=message):
        sym.optimize_for("neuron", {**args, "data": image()}, aux, **options)


def test_symbol_without_arrays():
    sym = mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=3)
    with pytest.raises(mx.base.MXNetError, match="neither an array in args or aux nor a sample"):
        sym.optimize_for("neuron", {"data": mx.nd.ones((2, 4))}, {})


def imported(net, x, path, **options):
    """What plain MXNet makes of the files of the compiled net."""
    gluon_neuron.compile(net, x, **options).export(path / "net")
    return mx.gluon.SymbolBlock.imports(str(path / "net-symbol.json"), ["data"], str(path / "net-0000.params"))


def parent(net, x):
    """A block around the compiled net."""

    class Around(mx.gluon.HybridBlock):
        def __init__(self, child):
            super().__init__()
            self.child = child

        def hybrid_forward(self, F, data):
            return self.child(data)

    return Around(gluon_neuron.compile(net, x))


COMPILED = {
    "optimized before": lambda net, x, path: net.optimize_for(x, backend="neuron") or net,
    "imported": imported,
    "a parent": lambda net, x, path: parent(net, x),
}


@pytest.mark.parametrize("options", [{}, {"exclude_operators": ["Pooling"]}])
@pytest.mark.parametrize("step", ["optimize_for", "hybridize"])
@pytest.mark.parametrize("given", COMPILED.values(), ids=COMPILED)
def test_what_is_compiled_already_is_compiled_anew(given, step, options, tmp_path):
    net, x = make(), image()
    expected = net(x).asnumpy()
    compiled = given(net, x, tmp_path)
    for _ in range(2):
        if step == "optimize_for":
            compiled.optimize_for(x, backend="neuron", **options)
        else:
            compiled.hybridize(backend="neuron", **options)
        agree(compiled(x), expected, 1e-4, 1e-5)
        assert len(regions(exported(compiled, tmp_path / "again"))) == 1 + len(options)
        agree(gluon_neuron.load(tmp_path / "again")(x), expected, 1e-4, 1e-5)


def test_symbols_that_are_compiled_already():
    sym, args, aux = mx.contrib.neuron.compile(*checkpoint(), {"data": image()})
    given = {**args, "data": image(1), "softmax_label": mx.nd.zeros((SHAPE[0],))}
    made = sym.optimize_for("neuron", given, aux, excl_node_names=["pool0"])
    assert len(regions(made)) == 2
    executor = made.bind(mx.cpu(), {n: given[n] for n in made.list_arguments()}, aux_states=aux, grad_req="null")
    agree(executor.forward()[0], run(*checkpoint(), image(1))[0], 1e-4, 1e-5)


def test_baked_weights_are_gone(tmp_path):
    net = imported(make(), image(), tmp_path, inline_weights=True)
    with pytest.raises(mx.base.MXNetError, match="weights baked in"):
        net.optimize_for(image(), backend="neuron")
