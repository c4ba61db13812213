"""Rewritten modules: ids, names, tensors; XLA accepts them and computes the same."""

from __future__ import annotations

import pytest

from gluon_neuron.errors import HloError
from gluon_neuron.hlo.check import check
from gluon_neuron.hlo.fields import InInstruction, InModule, InProgramShape
from gluon_neuron.hlo.module import read
from gluon_neuron.hlo.rewrite import rewrite
from gluon_neuron.hlo.wire import Message, Pieces, edited
from tests.agreement import agree

from .modules import NET_INPUTS, lowered, net, net_arrays, parsed, run, verified, with_large_ids

OUTPUTS = ("dense0_output", "loop0_output")


@pytest.fixture(scope="module")
def arrays():
    return net_arrays()


@pytest.fixture(scope="module")
def module(arrays):
    return lowered(net, *arrays)


def test_xla_accepts_it_and_computes_the_same(module, arrays):
    before, after = run(module, *arrays), run(rewrite(module, NET_INPUTS, OUTPUTS), *arrays)
    assert [a.shape for a in after] == [(2, 5), (2, 4, 4, 4)]
    for a, b in zip(before, after):
        agree(a, b)


def test_ids_are_unique_and_small(module):
    after = read(rewrite(with_large_ids(module), NET_INPUTS, OUTPUTS))
    ids = [i.id for i in after.instructions] + [c.id for c in after.computations]
    assert sorted(ids) == list(range(1, len(ids) + 1))
    assert {v.code for v in check(with_large_ids(module), "inf2")} == {"GN-ID"}
    assert check(after, "inf2") == ()


def test_ids_of_newer_xla_make_the_same_module(module, arrays):
    made = rewrite(with_large_ids(module), NET_INPUTS, OUTPUTS)
    assert made == rewrite(module, NET_INPUTS, OUTPUTS)
    assert made == rewrite(made, NET_INPUTS, OUTPUTS)
    verified(made)


def test_names(module):
    after = rewrite(module, NET_INPUTS, OUTPUTS, "net")
    view = read(after)
    assert view.name == "net"
    assert view.entry.name == "main"
    assert Message(after).text(InModule.ENTRY_NAME) == "main"
    assert Message(after).integer(InModule.ENTRY_ID) == view.entry.id
    names = [i.name for i in view.instructions]
    assert len(set(names)) == len(names)
    by_opcode = {i.opcode: i.name for i in view.instructions}
    assert by_opcode["convolution"].startswith("net0_conv0.convolution.")
    assert by_opcode["rsqrt"].startswith("net0_bn_0.rsqrt.")
    assert [p.name for p in view.entry.parameters] == ["data", "net0_conv0_weight", *NET_INPUTS[2:]]
    # XLA has them too: it keeps legal names as they are.
    text = verified(after).to_string()
    assert f"%{by_opcode['convolution']} = " in text
    assert "ENTRY %main (data: f32[2,3,8,8], net0_conv0_weight: f32[4,3,3,3]," in text


def test_nodes_and_inputs_stay_readable(module):
    before, after = read(module), read(rewrite(module, NET_INPUTS, OUTPUTS))
    inner = [(a, b) for a, b in zip(before.instructions, after.instructions) if a not in before.entry.parameters]
    assert [a.node for a, _ in inner] == [b.node for _, b in inner]
    assert [p.node for p in after.entry.parameters] == list(NET_INPUTS)


def test_program_shapes(module):
    after = rewrite(module, NET_INPUTS, OUTPUTS)
    shape = Message(after).message(InModule.PROGRAM_SHAPE)
    assert shape is not None
    assert shape.texts(InProgramShape.NAMES) == list(NET_INPUTS)
    for c in read(after).computations:
        inner = c.message.message(4)
        names = [p.name for p in c.parameters] if c.name != "main" else list(NET_INPUTS)
        assert inner is not None
        assert inner.texts(InProgramShape.NAMES) == names


def test_tensors(module):
    view = read(rewrite(module, NET_INPUTS, OUTPUTS))
    assert view.tensors() == ([f"input{i}" for i in range(7)], ["output0", "output1"])
    assert view.entry.root.frontend == {"neff_output_names": "output0,output1"}


def test_a_result_that_is_an_input():
    view = read(rewrite(parsed("ROOT a = f32[2] parameter(0)"), ["x"], ["y"]))
    assert view.entry.root.frontend == {"neff_input_names": "input0", "neff_output_names": "output0"}


def test_layouts_are_complete(module):
    """Every array states its order of axes, as the compiler needs it."""

    def check_shape(shape):
        for part in shape.messages(4):
            check_shape(part)
        dims = shape.integers(3)
        if dims:
            layout = shape.message(5)
            assert layout is not None
            assert sorted(layout.integers(1)) == list(range(len(dims)))

    for i in read(rewrite(module, NET_INPUTS, OUTPUTS)).instructions:
        shape = i.message.message(InInstruction.SHAPE)
        assert shape is not None
        check_shape(shape)


def test_nothing_of_the_machine_is_left(module):
    assert b"modules.py" in module
    assert b"modules.py" not in rewrite(module, NET_INPUTS, OUTPUTS)


def test_names_that_collide():
    entry = """a = f32[2] parameter(0)
    b = f32[2] parameter(1)
    ROOT c = f32[2] add(a, b), metadata={op_name="jit(f)/jit(main)/n/add"}"""
    names = [i.name for i in read(rewrite(parsed(entry), ["w/1", "w:1"], ["o"])).entry.parameters]
    assert names[0] == "w_1"
    assert names[1] != "w_1"
    assert names[1].startswith("w_1")
    taken = rewrite(parsed(entry), ["n.add.4", "x"], ["o"])
    assert len({i.name for i in read(taken).instructions}) == 3
    verified(taken)


def test_frontend_attributes_and_unknown_fields_are_kept():
    entry = 'ROOT a = f32[2] parameter(0), frontend_attributes={mine="1"}'
    data = edited(Message(parsed(entry)), {900: Pieces().text(900, "of the future")}).join()
    after = rewrite(data, ["x"], ["y"])
    assert Message(after).text(900) == "of the future"
    assert read(after).entry.root.frontend["mine"] == "1"


def test_schedule_and_control_dependencies():
    entry = """a = f32[2] parameter(0)
    b = f32[2] negate(a)
    c = f32[2] abs(a), control-predecessors={b}
    ROOT d = f32[2] add(b, c)"""
    after = rewrite(parsed(entry, head="HloModule m, is_scheduled=true"), ["x"], ["y"])
    text = verified(after).to_string()
    assert "is_scheduled=true" in text
    b, c = read(after).entry.instructions[1:3]
    assert c.message.integers(InInstruction.PREDECESSORS) == (b.id,)
    assert f"control-predecessors={{%{b.name}}}" in text


@pytest.mark.parametrize(("inputs", "outputs"), [(NET_INPUTS[1:], OUTPUTS), (NET_INPUTS, OUTPUTS[1:])])
def test_another_number_of_names(module, inputs, outputs):
    with pytest.raises(HloError, match="names were given"):
        rewrite(module, inputs, outputs)
