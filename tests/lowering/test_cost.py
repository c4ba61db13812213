"""Work is counted exactly for products and convolutions, by elements for the rest, and not at all where data moves."""

import json
from math import prod

import mxnet as mx
import numpy as np
import pytest

from gluon_neuron.errors import RegistrationError
from gluon_neuron.frontend.infer import annotate
from gluon_neuron.graph.attrs import Attrs
from gluon_neuron.graph.graph import Entry, Graph, Node
from gluon_neuron.graph.spec import Spec
from gluon_neuron.lowering.cost import WORTH_FLOPS, flops, heavy, worth_a_region
from gluon_neuron.lowering.registry import rule, rules
from tests.lowering.harness import node_of

CONVOLUTION = {"kernel": (3, 2), "num_filter": 8, "no_bias": True}


def node(op, *shapes, **attrs):
    return node_of(op, [Spec(s, "float32") for s in shapes], attrs)


def unknown(op, ins, outs, **attrs):
    """A node for which MXNet inferred only the specs that are not None."""
    leaves = [{"op": "null", "name": f"x{i}", "inputs": []} for i in range(len(ins))]
    texts = {k: str(v) for k, v in attrs.items()}
    last = {"op": op, "name": "n", "attrs": texts, "inputs": [[i, 0, 0] for i in range(len(ins))]}
    text = json.dumps({"nodes": [*leaves, last], "arg_nodes": [], "heads": [[len(ins), 0, 0]]})
    shapes = {Entry(i, 0): None if s is None else Spec(s, "float32") for i, s in enumerate((*ins, outs))}
    return Graph.from_json(text).with_specs(shapes).nodes[-1]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        # Two for each multiply-add: outputs times what each is a sum over.
        (node("Convolution", (2, 4, 9, 7), (8, 4, 3, 2), **CONVOLUTION), 2 * (2 * 8 * 7 * 6) * (4 * 3 * 2)),
        (
            node("Convolution", (2, 4, 9, 7), (8, 2, 3, 2), **CONVOLUTION, num_group=2),
            2 * (2 * 8 * 7 * 6) * (2 * 3 * 2),
        ),
        (
            node("Convolution", (2, 4, 9, 7), (8, 4, 3, 2), **CONVOLUTION, stride=(2, 3)),
            2 * (2 * 8 * 4 * 2) * (4 * 3 * 2),
        ),
        # Padding saves nothing, and a bias is not counted.
        (
            node("Convolution", (2, 4, 9, 7), (8, 4, 3, 2), (8,), kernel=(3, 2), num_filter=8, pad=(1, 1)),
            2 * (2 * 8 * 9 * 8) * (4 * 3 * 2),
        ),
        (node("Convolution", (1, 3, 10), (5, 3, 4), kernel=(4,), num_filter=5, no_bias=True), 2 * (5 * 7) * (3 * 4)),
        # Each input element meets the whole kernel of its group.
        (
            node("Deconvolution", (2, 4, 5, 6), (4, 3, 2, 3), kernel=(2, 3), num_filter=3, no_bias=True),
            2 * (2 * 4 * 5 * 6) * (3 * 2 * 3),
        ),
        (node("FullyConnected", (5, 2, 3), (7, 6), num_hidden=7, no_bias=True), 2 * (5 * 7) * 6),
        (
            node("FullyConnected", (5, 2, 3), (7, 3), (7,), num_hidden=7, flatten=False),
            2 * (5 * 2 * 7) * 3,
        ),
        (node("dot", (4, 6), (6, 5)), 2 * 4 * 5 * 6),
        (node("dot", (6, 4), (6, 5), transpose_a=True), 2 * 4 * 5 * 6),
        (node("dot", (4, 6), (5, 6), transpose_b=True), 2 * 4 * 5 * 6),
        (node("dot", (6,), (6,)), 2 * 6),
        (node("batch_dot", (3, 4, 6), (3, 6, 5)), 2 * 3 * 4 * 5 * 6),
        (node("batch_dot", (3, 6, 4), (3, 6, 5), transpose_a=True), 2 * 3 * 4 * 5 * 6),
        (node("_linalg_gemm2", (3, 4, 6), (3, 6, 5)), 2 * 3 * 4 * 5 * 6),
        (node("_linalg_gemm", (3, 6, 4), (3, 6, 5), (3, 4, 5), transpose_a=True), 2 * 3 * 4 * 5 * 6),
        (node("_npi_matmul", (3, 4, 6), (6, 5)), 2 * 3 * 4 * 5 * 6),
        (node("_np_dot", (4, 6), (6, 5)), 2 * 4 * 5 * 6),
        (
            node(
                *("_contrib_DeformableConvolution", (1, 4, 6, 6), (1, 18, 4, 4), (2, 4, 3, 3)),
                kernel=(3, 3),
                num_filter=2,
                no_bias=True,
            ),
            2 * (2 * 4 * 4) * (4 * 3 * 3),
        ),
        (
            node(
                *("_contrib_ModulatedDeformableConvolution", (1, 4, 6, 6), (1, 18, 4, 4), (1, 9, 4, 4), (2, 4, 3, 3)),
                kernel=(3, 3),
                num_filter=2,
                no_bias=True,
            ),
            2 * (2 * 4 * 4) * (4 * 3 * 3),
        ),
        # Others: one for each element of the largest input or output.
        (node("relu", (2, 3, 4)), 24),
        (node("sum", (2, 3, 4), axis=1), 24),
        (node("broadcast_add", (2, 3, 4), (1, 3, 1)), 24),
        (node("one_hot", (5,), depth=9), 45),
        (node("Pooling", (1, 2, 6, 6), kernel=(2, 2), stride=(2, 2)), 72),
        (node("_npi_add", (2, 3), (3,)), 6),
        # What only moves data is free.
        (node("Reshape", (2, 3, 4), shape=(6, 4)), 0),
        (node("transpose", (2, 3, 4)), 0),
        (node("Concat", (2, 3), (2, 3), dim=1, num_args=2), 0),
        (node("slice_axis", (2, 3), axis=1, begin=0, end=2), 0),
        (node("Dropout", (2, 3)), 0),
        (node("Cast", (2, 3), dtype="float16"), 0),
    ],
    ids=lambda v: v.op if hasattr(v, "op") else "",
)
def test_flops(found, expected):
    assert flops(found) == expected > 0 or (flops(found) == expected == 0)


def test_flops_of_a_variable():
    text = json.dumps({"nodes": [{"op": "null", "name": "x", "inputs": []}], "arg_nodes": [0], "heads": [[0, 0, 0]]})
    graph = Graph.from_json(text).with_specs({Entry(0, 0): Spec((2, 3), "float32")})
    assert flops(graph.nodes[0]) == 0


@pytest.mark.parametrize(
    ("op", "ins", "out"),
    [
        ("Convolution", [(1, 3, 5, 5), None], (1, 2, 3, 3)),
        ("Convolution", [(1, 3, 5, 5), (2, 3, 3, 3)], None),
        ("relu", [None], None),
        ("relu", [(2, 3)], None),
    ],
)
def test_unknown_shapes_count_nothing(op, ins, out):
    assert flops(unknown(op, ins, out)) == 0


@pytest.mark.parametrize(
    ("op", "ins", "out"),
    [
        ("Deconvolution", [(1, 3, 5, 5), None], (1, 2, 7, 7)),
        ("Deconvolution", [None, (3, 2, 3, 3)], (1, 2, 7, 7)),
        ("FullyConnected", [(2, 49), None], (2, 49)),
        ("dot", [None, (7, 2)], (49, 2)),
        ("dot", [(), (98,)], (98,)),
        ("relu", [None], (98,)),
    ],
)
def test_with_a_shape_missing_elements_are_counted(op, ins, out):
    known = [s for s in (*ins, out) if s is not None]
    assert flops(unknown(op, ins, out)) == max(map(prod, known)) == 98


@pytest.mark.parametrize(
    "op",
    [
        *("Convolution", "Convolution_v1", "Deconvolution", "FullyConnected", "dot", "batch_dot", "RNN", "Correlation"),
        *("_linalg_gemm", "_linalg_gemm2", "_npi_matmul", "_np_dot"),
        *("_contrib_DeformableConvolution", "_contrib_ModulatedDeformableConvolution"),
    ],
)
def test_products_and_convolutions_are_heavy(op):
    # Whatever is known of their shapes: how much work they are is another question.
    assert heavy(unknown(op, [None, None], None))


@pytest.mark.parametrize("op", ["relu", "softmax", "BatchNorm", "Pooling", "Reshape", "sum", "broadcast_add", "null"])
def test_others_are_not(op):
    assert not heavy(unknown(op, [(2, 3)], (2, 3)))


def loop(step, steps=7, width=4):
    """The node of a loop over `steps` rows, whose body is `step`; specs as MXNet infers them."""
    outs, _ = mx.sym.contrib.foreach(step, mx.sym.var("data"), [mx.sym.var("state")])
    shapes = {"data": (steps, 2, width), "state": (2, width), "w": (width, width)}
    specs = {n: Spec(shapes[n], "float32") for n in outs.list_inputs()}
    (found,) = [n for n in annotate(outs.tojson(), specs, False).operators if n.op == "_foreach"]
    return found


def test_a_loop_is_its_body_times_its_steps():
    w = mx.sym.var("w")

    def step(x, states):
        y = mx.sym.FullyConnected(x, w, num_hidden=4, no_bias=True) + states[0]
        return y, [mx.sym.relu(y)]

    found = loop(step)
    one = 2 * (2 * 4) * 4 + 8 + 8
    assert heavy(found) and flops(found) == 7 * one
    assert flops(loop(step, steps=3)) == 3 * one


def test_a_loop_without_products_is_not_heavy():
    found = loop(lambda x, states: (x + states[0], [x * states[0]]))
    assert not heavy(found) and flops(found) == 7 * (8 + 8)


def test_dtypes_make_no_difference():
    specs = [Spec((4, 6), "float16"), Spec((6, 5), "float16")]
    assert flops(node_of("dot", specs, {})) == flops(node("dot", (4, 6), (6, 5))) == 240
    assert isinstance(flops(node("dot", (4, 6), (6, 5))), int) and not isinstance(flops(node("relu", (2,))), np.generic)


OWN = "Custom:cost_test"


def test_a_region_is_worth_its_work():
    small, large = node("exp", (WORTH_FLOPS // 2 - 1,)), node("exp", (WORTH_FLOPS // 2,))
    assert not worth_a_region([small, large]) and worth_a_region([large, large])
    assert worth_a_region([node("dot", (1, 1), (1, 1))])


@pytest.fixture
def own():
    out = Spec((2, 6, 4), "float32")
    ins = (Spec((2, 3, 4), "float32"), Spec((6, 3, 1), "float32"))
    yield Node(2, "Custom", "n", Attrs({"op_type": "cost_test"}), (), ins, {0: out}, {}, ())
    rules().pop(OWN, None)


def test_users_rules_give_facts(own):
    assert flops(own) == 48 and not heavy(own)
    rule(OWN, heavy=True, kernel=1)(lambda xp, n, x, w: x)
    assert flops(own) == 2 * 48 * 3 and heavy(own)


def test_users_rules_may_only_move(own):
    rule(OWN, moves=True)(lambda xp, n, x, w: x)
    assert flops(own) == 0 and not heavy(own)


@pytest.mark.parametrize(
    "facts",
    [{"moves": "yes"}, {"heavy": 1}, {"source": None}, {"exact_int32": "no"}, {"kernel": "k"}, {"kernel": -1}]
    + [{"kernel": True}, {"slower": "10"}, {"slower": -5}, {"slower": 1.5}],
)
def test_facts_of_the_wrong_kind_are_refused(facts):
    (name,) = facts
    with pytest.raises(RegistrationError, match=f"'{OWN}': {name} must be"):
        rule(OWN, **facts)(lambda xp, n, x: x)
    assert OWN not in rules()


def test_a_kernel_that_is_not_there(own):
    rule(OWN, kernel=7)(lambda xp, n, x, w: x)
    with pytest.raises(RegistrationError, match="input 7 is the kernel, but it has 2 inputs"):
        flops(own)
