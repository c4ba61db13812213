"""Symbols as MXNet 0.8 to 1.8 wrote them load, compile whole, and give MXNet's own numbers."""

from __future__ import annotations

import json
from typing import Any

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from tests.agreement import agree

Shapes = dict[str, tuple[int, ...]]
VERSIONS = (None, 904, 905, 10000, 10100, 10200, 10300, 10400, 10500, 10600, 10700, 10800)


def variable(name: str, **extra: Any) -> dict[str, Any]:
    return {"op": "null", "name": name, "inputs": [], **extra}


def convolution_net(key: str, long: bool, aux: bool) -> dict[str, Any]:
    """Convolution, BatchNorm, an old scalar operator, pooling and a classifier, its attributes under `key`.

    `long` entries have a version as their third number. Without `aux` the moving statistics are not nodes, as in 0.9.
    """

    def entry(node: int, output: int = 0) -> list[int]:
        return [node, output, 0] if long else [node, output]

    nodes: list[dict[str, Any]] = []

    def add(op: str, name: str, sources: list[int], attrs: dict[str, str]) -> int:
        nodes.append({"op": op, key: attrs, "name": name, "inputs": [entry(i) for i in sources]})
        return len(nodes) - 1

    def leaf(name: str) -> int:
        nodes.append({"op": "null", **({key: {}} if key == "param" else {}), "name": name, "inputs": []})
        return len(nodes) - 1

    attrs = {"kernel": "(3,3)", "num_filter": "4", "pad": "(1,1)", "stride": "(1,1)", "no_bias": "False"}
    x = add("Convolution", "conv", [leaf("data"), leaf("conv_weight"), leaf("conv_bias")], attrs)
    states = ["bn_gamma", "bn_beta", *(["bn_moving_mean", "bn_moving_var"] if aux else [])]
    attrs = {"eps": "0.001", "momentum": "0.9", "fix_gamma": "False", "use_global_stats": "False"}
    x = add("BatchNorm", "bn", [x, *map(leaf, states)], attrs)
    x = add("Activation", "act", [x], {"act_type": "relu"})
    x = add("_PlusScalar", "plus", [x], {"scalar": "0.5"})
    x = add("Pooling", "pool", [x], {"kernel": "(2,2)", "pool_type": "max", "stride": "(2,2)"})
    x = add("Flatten", "flat", [x], {})
    x = add("FullyConnected", "fc", [x, leaf("fc_weight"), leaf("fc_bias")], {"num_hidden": "3"})
    x = add("SoftmaxOutput", "softmax", [x, leaf("softmax_label")], {"grad_scale": "1"})
    leaves = [i for i, node in enumerate(nodes) if node["op"] == "null"]
    return {"nodes": nodes, "arg_nodes": leaves, "heads": [entry(x)]}


def with_version(graph: dict[str, Any], version: int | None) -> str:
    if version is not None:
        graph["attrs"] = {"mxnet_version": ["int", version]}
    return json.dumps(graph, indent=2)


def check(text: str, shapes: Shapes) -> Any:
    """Compile what a text loads as and compare with MXNet; all operators have to be compiled."""
    symbol = mx.sym.load_json(text)
    random = np.random.RandomState(1)
    every = dict(zip(symbol.list_arguments(), symbol.infer_shape(**shapes)[0]))
    arrays = {n: mx.nd.array(random.uniform(-1, 1, s)) for n, s in every.items()}
    states = zip(symbol.list_auxiliary_states(), symbol.infer_shape(**shapes)[2])
    aux = {n: mx.nd.array(random.uniform(0.5, 1.5, s)) for n, s in states}
    expected = symbol.bind(mx.cpu(), arrays, aux_states=aux, grad_req="null").forward(is_train=False)
    samples = {n: arrays[n] for n in shapes}
    held = {n: a for n, a in arrays.items() if n not in shapes and not n.endswith("label")}
    names = tuple(node["name"] for node in json.loads(text)["nodes"] if node["op"] != "null")
    made, args, states = gluon_neuron.compile(symbol, samples, args=held, aux=aux, include_nodes=names)
    report = gluon_neuron.get_report(made)
    assert not report.outside, str(report)
    given = {**args, **arrays}
    executor = made.bind(mx.cpu(), {n: given[n] for n in made.list_arguments()}, aux_states=states, grad_req="null")
    for got, want in zip(executor.forward(is_train=False), expected):
        agree(got, want, rtol=1e-5, atol=1e-6)
    return made


@pytest.mark.parametrize("key", ["attr", "attrs", "param"])
@pytest.mark.parametrize("long", [False, True])
def test_layouts(key: str, long: bool) -> None:
    check(with_version(convolution_net(key, long, True), None if key == "param" else 10000), {"data": (2, 3, 6, 6)})


@pytest.mark.parametrize("version", VERSIONS)
def test_versions(version: int | None) -> None:
    check(with_version(convolution_net("attrs", True, True), version), {"data": (2, 3, 6, 6)})


def test_moving_statistics_that_are_no_nodes() -> None:
    made = check(with_version(convolution_net("param", False, False), None), {"data": (2, 3, 6, 6)})
    assert "bn_moving_mean" in made.list_auxiliary_states() or "bn_moving_mean" in made.list_inputs()


def test_attributes_beside_parameters() -> None:
    """0.8 had "param" for the operator's and "attr" for the hidden attributes, which had no underscores yet."""
    graph = convolution_net("param", False, True)
    for node in graph["nodes"]:
        node["backward_source_id"] = -1
        if node["name"] == "conv":
            node["attr"] = {"ctx_group": "stage1", "lr_mult": "0.2"}
        if node["name"] == "fc_weight":
            node["attr"] = {"weight_lr_mult": "1.2", "wd_mult": "0.3"}
    check(json.dumps(graph), {"data": (2, 3, 6, 6)})


def test_version_one_layers() -> None:
    nodes = [
        variable("data"),
        variable("w"),
        {
            "op": "Convolution_v1",
            "attr": {"kernel": "(2, 3)", "num_filter": "4", "no_bias": "True", "stride": "(1, 2)"},
            "name": "conv",
            "inputs": [[0, 0, 0], [1, 0, 0]],
        },
        variable("gamma"),
        variable("beta"),
        variable("mean"),
        variable("var"),
        {
            "op": "BatchNorm_v1",
            "attr": {"eps": "0.002", "fix_gamma": "True", "momentum": "0.9"},
            "name": "bn",
            "inputs": [[2, 0, 0], [3, 0, 0], [4, 0, 0], [5, 0, 1], [6, 0, 1]],
        },
        {
            "op": "Pooling_v1",
            "attr": {"kernel": "(2, 2)", "pool_type": "avg", "pooling_convention": "full"},
            "name": "pool",
            "inputs": [[7, 0, 0]],
        },
    ]
    graph = {"nodes": nodes, "arg_nodes": [0, 1, 3, 4, 5, 6], "heads": [[8, 0, 0]]}
    check(with_version(graph, 905), {"data": (2, 3, 5, 7)})


SCALARS = ["Plus", "Minus", "RMinus", "Mul", "Div", "RDiv", "Power", "RPower", "Maximum", "Minimum"]
COMPARED = ["Equal", "NotEqual", "Greater", "GreaterEqual", "Lesser", "LesserEqual"]
PAIRS = ["_Plus", "_Minus", "_Mul", "_Div", "_Power", "_Maximum", "_Minimum", "_plus", "_sub", "_add"]


def chain(steps: list[tuple[str, list[int], dict[str, str]]], key: str, leaves: int) -> dict[str, Any]:
    """Operators one after the other; the inputs of each are counted among the leaves and the operators before."""
    nodes = [variable(f"x{i}") for i in range(leaves)]
    for i, (op, sources, attrs) in enumerate(steps):
        nodes.append({"op": op, key: attrs, "name": f"n{i}", "inputs": [[s, 0] for s in sources]})
    return {"nodes": nodes, "arg_nodes": list(range(leaves)), "heads": [[len(nodes) - 1, 0]]}


@pytest.mark.parametrize("name", [*SCALARS, *COMPARED])
def test_old_scalar_operators(name: str) -> None:
    steps = [("abs", [0], {}), (f"_{name}Scalar", [1], {"scalar": "1.5"}), ("_MulScalar", [2], {"scalar": "2"})]
    check(with_version(chain(steps, "param", 1), None), {"x0": (2, 3)})


@pytest.mark.parametrize("name", PAIRS)
def test_old_names_of_two_arrays(name: str) -> None:
    steps = [("abs", [0], {}), ("abs", [1], {}), (name, [2, 3], {}), ("_MulScalar", [4], {"scalar": "2"})]
    check(with_version(chain(steps, "attr", 2), 10000), {"x0": (2, 3), "x1": (2, 3)})


@pytest.mark.parametrize(
    ("op", "attrs"),
    [
        ("Reshape", {"target_shape": "(0, 12)"}),
        ("Reshape", {"shape": "(-1, 4L)"}),
        ("Flatten", {}),
        ("SwapAxis", {"dim1": "0", "dim2": "2"}),
        ("Cast", {"dtype": "float16"}),
        ("sum_axis", {"axis": "1", "keepdims": "True"}),
        ("max_axis", {"axis": "(1,)"}),
        ("crop", {"begin": "(0, 1, 0)", "end": "(2, 3, None)"}),
        ("SoftmaxActivation", {"mode": "channel"}),
        ("broadcast_axes", {"axis": "()", "size": "()"}),
        ("argmax", {"axis": "-1"}),
        ("LeakyReLU", {"act_type": "elu", "slope": "0.3", "lower_bound": "0.125"}),
        ("Dropout", {"p": "0.5"}),
        ("BlockGrad", {}),
    ],
)
@pytest.mark.parametrize("version", [None, 904, 10100])
def test_old_forms(op: str, attrs: dict[str, str], version: int | None) -> None:
    steps = [("tanh", [0], {}), (op, [1], attrs), ("identity", [2], {})]
    check(with_version(chain(steps, "attr", 1), version), {"x0": (2, 3, 4)})


def test_element_wise_sum_and_concat() -> None:
    steps = [
        ("ElementWiseSum", [0, 1, 0], {"num_args": "3"}),
        ("Concat", [2, 0], {"num_args": "2", "dim": "1"}),
        ("SliceChannel", [3], {"num_outputs": "2", "axis": "1"}),
        ("square", [4], {}),
    ]
    check(with_version(chain(steps, "param", 2), None), {"x0": (2, 3), "x1": (2, 3)})


def test_a_graph_without_version_or_row_pointers_goes_through_a_file(tmp_path: Any) -> None:
    """As `load_checkpoint` reads it, arrays without a prefix for auxiliary states and all."""
    text = with_version(convolution_net("attr", True, True), None)
    (tmp_path / "net-symbol.json").write_text(text)
    symbol = mx.sym.load(str(tmp_path / "net-symbol.json"))
    shapes = dict(zip(symbol.list_arguments(), symbol.infer_shape(data=(2, 3, 6, 6))[0]))
    arrays = {f"arg:{n}": mx.nd.ones(s) for n, s in shapes.items() if n not in ("data", "softmax_label")}
    arrays |= {f"aux:{n}": mx.nd.ones((4,)) for n in symbol.list_auxiliary_states()}
    mx.nd.save(str(tmp_path / "net-0003.params"), arrays)
    symbol, args, aux = mx.model.load_checkpoint(str(tmp_path / "net"), 3)
    data = mx.nd.ones((2, 3, 6, 6))
    made, args, aux = gluon_neuron.compile(symbol, {"data": data}, args=args, aux=aux)
    mx.model.save_checkpoint(str(tmp_path / "compiled"), 3, made, args, aux)
    again = gluon_neuron.load(tmp_path / "compiled", 3)
    label = mx.nd.zeros((2,))
    held = {n: arrays[f"arg:{n}"] for n in shapes if f"arg:{n}" in arrays}
    states = {n: arrays[f"aux:{n}"] for n in symbol.list_auxiliary_states()}
    whole = symbol.bind(mx.cpu(), {**held, "data": data, "softmax_label": label}, aux_states=states, grad_req="null")
    want = whole.forward(is_train=False)[0].asnumpy()
    agree(again(data, label), want, rtol=1e-5)
