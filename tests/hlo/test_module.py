"""The view of a module: shapes, operands, and the MXNet node that each instruction came from."""

from __future__ import annotations

import pytest

from gluon_neuron.errors import HloError
from gluon_neuron.hlo.fields import InWindow
from gluon_neuron.hlo.module import read
from gluon_neuron.hlo.names import legal, node_of

from .modules import lowered, net, net_arrays, parsed


@pytest.fixture(scope="module")
def module():
    return read(lowered(net, *net_arrays()))


def test_instructions(module):
    found = {i.opcode: i for i in module.entry.instructions}
    convolution = found["convolution"]
    assert str(convolution.shape) == "f32[2,4,8,8]"
    assert [str(o.shape) for o in convolution.operands] == ["f32[2,3,8,8]", "f32[4,3,3,3]"]
    assert convolution.window(InWindow.SIZE) == (3, 3)
    assert convolution.window(InWindow.PADDING_LOW) == (1, 1)
    assert (convolution.shape.size, convolution.shape.nbytes) == (512, 2048)
    assert str(module.entry.root.shape) == "(f32[2,5], f32[2,4,4,4])"
    assert module.entry.root.shape.nbytes == 4 * (10 + 128)
    assert [p.parameter for p in module.entry.parameters] == list(range(7))
    assert [c.root.opcode for c in found["reduce-window"].called] == ["maximum"]


def test_nodes(module):
    nodes = {(i.opcode, i.node) for c in module.computations for i in c.instructions}
    for opcode, node in (
        ("convolution", "net0_conv0"),
        ("rsqrt", "net0/bn 0"),
        ("reduce-window", "pool0"),
        ("maximum", "pool0"),
        ("while", "loop0"),
        ("multiply", "loop0"),
        ("dot", "dense0"),
    ):
        assert (opcode, node) in nodes
    # Constants and broadcasts of numbers have no metadata and take their users' node; nothing is left without one.
    assert all(i.node for i in module.instructions)


def test_an_input_is_not_its_users_node():
    entry = """a = f32[2] parameter(0), metadata={op_name="data/0"}
    ROOT b = f32[2] negate(a), metadata={op_name="jit(f)/jit(main)/neg0/neg"}"""
    assert [i.node for i in read(parsed(entry)).instructions] == ["data/0", "neg0"]


@pytest.mark.parametrize(
    ("op_name", "node"),
    [
        ("jit(f)/jit(main)/conv0/conv_general_dilated[window_strides=(1, 1) rhs=a/b]", "conv0"),
        ("jit(f)/conv0/conv_general_dilated", "conv0"),
        ("conv0/conv_general_dilated", "conv0"),
        ("jit(f)/jit(main)/a/b/add", "a/b"),
        ("jit(f)/jit(main)/rnn0/while/body/closed_call/dot_general", "rnn0"),
        ("jit(f)/jit(main)/where0/jit(_where)/select_n", "where0"),
        ("jit(<lambda>)/jit(main)/branch0/cond/branch_1_fun/add", "branch0"),
        ("jit(f)/jit(main)/while/body/add", ""),
        ("jit(f)/jit(main)/add", ""),
        ("", ""),
    ],
)
def test_node_of(op_name, node):
    assert node_of(op_name) == node


@pytest.mark.parametrize(("name", "made"), [("a/b c:d", "a_b_c_d"), ("0a", "_0a"), ("_a.B-1", "_a.B-1"), ("", "_")])
def test_legal(name, made):
    assert legal(name) == made


def test_dynamic_dimensions_and_types():
    entry = """a = f32[<=8,2] parameter(0)
    b = (pred[3], (bf16[2,2], token[])) parameter(1)
    ROOT c = f32[<=8,2] negate(a)"""
    a, b = read(parsed(entry)).entry.parameters
    assert str(a.shape) == "f32[<=8,2]"
    assert str(b.shape) == "(pred[3], (bf16[2,2], token[]))"
    assert b.shape.nbytes == 3 + 8


def test_tensors_of_a_module_that_was_not_rewritten(module):
    with pytest.raises(HloError, match="rewrite it first"):
        module.tensors()
