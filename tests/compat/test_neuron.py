"""mx.contrib.neuron.compile and mx_neuron.compile: symbols, blocks, what they return, and what they refuse."""

from __future__ import annotations

import json
import re

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from gluon_neuron.errors import BlockError, InputError, OptionError, UninitializedError
from tests.agreement import agree
from tests.compat.nets import SHAPE, checkpoint, image, run
from tests.nets import artifact_name


@pytest.fixture(scope="module")
def given():
    return checkpoint()


@pytest.fixture(scope="module")
def compiled(given):
    return mx.contrib.neuron.compile(*given, {"data": image()})


def test_results_agree(given, compiled):
    x = image(1)
    agree(run(*compiled, x)[0], run(*given, x)[0], 1e-4, 1e-5)


def test_what_was_given_is_not_changed(given):
    sym, args, aux = given
    before = sym.tojson(), dict(args), dict(aux)
    new_sym, new_args, new_aux = mx.contrib.neuron.compile(sym, args, aux, {"data": image()})
    assert sym.tojson() == before[0]
    assert args == before[1]
    assert aux == before[2]
    assert new_sym is not sym
    assert set(new_args) == {*args, artifact_name(new_args)}
    assert all(new_args[n] is a for n, a in args.items())
    assert all(new_aux[n] is a for n, a in aux.items())


def test_artifact_is_a_uint8_argument(compiled):
    assert compiled[1][artifact_name(compiled[1])].dtype == np.uint8
    assert artifact_name(compiled[1]) in compiled[0].list_arguments()


def test_names_of_outputs_and_states_stay(given, compiled):
    assert compiled[0].list_outputs() == given[0].list_outputs()
    assert compiled[0].list_auxiliary_states() == given[0].list_auxiliary_states()


def test_attribute_on_the_node(compiled):
    node = next(n for n in json.loads(compiled[0].tojson())["nodes"] if n["op"] == "_neuron_subgraph_op")
    assert node["name"] == "_neuron_subgraph_op0"
    assert node["attrs"]["__subgraph_opt_neuroncore__"] == "1"


def count(nodes):
    return sum(n["op"] != "null" for n in nodes)


def test_statistics(given):
    # What the archived package's page counts: operators before and after, subgraphs, and operators in them.
    sym, args, aux = mx.contrib.neuron.compile(*given, {"data": image()}, excl_node_names=["pool0"])
    before, after = (json.loads(s.tojson())["nodes"] for s in (given[0], sym))
    subgraphs = [n for n in after if n["op"] == "_neuron_subgraph_op"]
    inside = sum(count(g["nodes"]) for n in subgraphs for g in n["subgraphs"])
    # Two subgraphs, the pooling between them, and the copy that keeps the output's name.
    assert (count(before), count(after), len(subgraphs), inside) == (9, 4, 2, 8)
    report = gluon_neuron.get_report(sym)
    assert (report.operators, report.compiled_operators, len(report.regions)) == (9, 8, 2)
    assert [n["name"] for n in subgraphs] == ["_neuron_subgraph_op0", "_neuron_subgraph_op1"]
    artifacts = [n for n in args if n.endswith("_neuronbin")]
    assert [re.fullmatch(r"(.*)_[0-9a-f]{16}_neuronbin", n)[1] for n in artifacts] == [n["name"] for n in subgraphs]
    assert all(args[n].dtype == np.uint8 for n in artifacts)


def test_float_array_inputs(given):
    sym, _, _ = mx.contrib.neuron.compile(*given, {"data": np.ones(SHAPE, np.float32)})
    assert gluon_neuron.get_report(sym).compiled_operators == 9


def test_label_may_be_given(given):
    inputs = {"data": image(), "softmax_label": mx.nd.ones((SHAPE[0],))}
    made = mx.contrib.neuron.compile(*given, inputs)
    agree(run(*made, image(2))[0], run(*given, image(2))[0], 1e-4, 1e-5)


def test_group_of_outputs(given):
    inner = given[0].get_internals()
    sym = mx.sym.Group([inner["relu0_output"], inner["fc0_output"], inner["relu0_output"]])
    made = mx.contrib.neuron.compile(sym, given[1], given[2], {"data": image()})
    assert made[0].list_outputs() == sym.list_outputs()
    for a, b in zip(run(*made, image(3)), run(sym, given[1], given[2], image(3)), strict=True):
        agree(a, b, 1e-4, 1e-5)


def test_extra_arrays_are_ignored(given):
    extra = {**given[1], "unrelated": mx.nd.ones((3,))}
    made = mx.contrib.neuron.compile(given[0], extra, given[2], {"data": image()})
    agree(run(*made, image(4))[0], run(*given, image(4))[0], 1e-4, 1e-5)


def test_inputs_win_over_args(given):
    args = {**given[1], "data": mx.nd.ones((5, 3, 8, 8))}
    sym, new_args, _ = mx.contrib.neuron.compile(given[0], args, given[2], {"data": image()})
    assert gluon_neuron.get_report(sym).compiled_operators == 9
    assert new_args["data"] is args["data"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"inputs": {"dta": image()}}, InputError, "no argument 'dta'.*Did you mean 'data'"),
        ({"inputs": {}}, InputError, "empty"),
        ({"inputs": {"data": mx.nd.ones((2, 3))}}, InputError, "does not take inputs of these shapes"),
        ({"inputs": {"data": "x"}}, InputError, "is a str"),
        ({"args": {}}, UninitializedError, "conv0_weight"),
        ({"args": [1]}, InputError, "args must be a dict"),
        ({"args": {"conv0_weight": np.ones(3)}}, InputError, r"args\['conv0_weight'\] is a ndarray"),
        ({"aux": {}}, UninitializedError, "bn0_moving_mean"),
        ({"sym": "resnet"}, BlockError, "must be a Symbol"),
    ],
)
def test_bad_arguments(given, change, error, message):
    call = {**dict(zip(("sym", "args", "aux"), given, strict=True)), "inputs": {"data": image()}, **change}
    with pytest.raises(error, match=message):
        mx.contrib.neuron.compile(**call)


def test_plugin_compiles_symbols_and_blocks(given):
    import mx_neuron

    assert mx_neuron.__version__ == gluon_neuron.__version__
    sym, args, aux = mx_neuron.compile(given[0], args=given[1], aux=given[2], inputs={"data": image()})
    x = image(5)
    expected = run(*given, x)[0]
    agree(run(sym, args, aux, x)[0], expected, 1e-4, 1e-5)
    block = mx.gluon.SymbolBlock(given[0], [mx.sym.var("data"), mx.sym.var("softmax_label")])
    for name, array in {**given[1], **given[2]}.items():
        block.collect_params()[name]._load_init(array, [mx.cpu()])
    block.hybridize()
    made = mx_neuron.compile(block, inputs={"data": image(), "softmax_label": mx.nd.ones((SHAPE[0],))})
    assert isinstance(made, gluon_neuron.NeuronHybridBlock)
    agree(made(x, mx.nd.zeros((SHAPE[0],))), expected, 1e-4, 1e-5)


def test_gluon_tutorial(given, tmp_path):
    # The published order of calls, with what it passes for `remove_amp_cast`.
    import mx_neuron as neuron

    mx.model.save_checkpoint(str(tmp_path / "net"), 0, *given)
    names = ["data", "softmax_label"]
    files = str(tmp_path / "net-symbol.json"), names, str(tmp_path / "net-0000.params")
    block = mx.gluon.nn.SymbolBlock.imports(*files, ctx=mx.cpu())
    block.hybridize()
    block = neuron.compile(block, inputs={"data": image(), "softmax_label": mx.nd.ones((SHAPE[0],))})
    block.export(str(tmp_path / "made"), 0, block)
    files = str(tmp_path / "made-symbol.json"), names, str(tmp_path / "made-0000.params")
    again = mx.gluon.nn.SymbolBlock.imports(*files, ctx=mx.cpu())
    found = again(image(1), mx.nd.zeros((SHAPE[0],))).asnumpy()
    agree(found, run(*given, image(1))[0], 1e-4, 1e-5)


def test_block_with_several_inputs_by_the_names_it_gives_them():
    import mx_neuron

    class Sum(mx.gluon.HybridBlock):
        def hybrid_forward(self, F, a, b, c):
            return F.dot(a, b) + c

    net = Sum()
    a, b, c = mx.nd.random.normal(shape=(2, 3)), mx.nd.random.normal(shape=(3, 4)), mx.nd.random.normal(shape=(2, 4))
    made = mx_neuron.compile(net, inputs={"data1": b, "data0": a, "data2": c}, flags=["--fp32-cast matmult"])
    agree(made(a, b, c), net(a, b, c), 0, 5e-2)
    assert made.report.compiled_operators == 2


def test_plugin_needs_inputs(given):
    import mx_neuron

    with pytest.raises(InputError, match="needs inputs"):
        mx_neuron.compile(given[0], given[1], given[2])


def test_block_with_args():
    net = mx.gluon.nn.Dense(3)
    net.initialize()
    with pytest.raises(InputError, match="go with a Symbol"):
        gluon_neuron.compile(net, mx.nd.ones((1, 2)), args={})


def test_report_of_another_symbol(given):
    with pytest.raises(InputError, match="not compiled by gluon_neuron"):
        gluon_neuron.get_report(given[0])


def test_unknown_argument(given):
    with pytest.raises(OptionError, match="'excl_nodes_names'.*'excl_node_names'"):
        mx.contrib.neuron.compile(*given, {"data": image()}, excl_nodes_names=["a"])


def test_analyze_symbol(given):
    report = gluon_neuron.analyze(given[0], {"data": image()}, args=given[1], aux=given[2])
    assert report.compiled_operators == 9
