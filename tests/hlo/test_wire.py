"""The wire format: values of every kind, fields kept as they are, and errors for damaged bytes."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gluon_neuron.errors import HloError
from gluon_neuron.hlo.check import check
from gluon_neuron.hlo.fields import InComputation, InInstruction, InModule
from gluon_neuron.hlo.module import read
from gluon_neuron.hlo.quality import quality
from gluon_neuron.hlo.rewrite import rewrite
from gluon_neuron.hlo.wire import Message, Pieces, edited, varint

from .modules import NET_INPUTS, lowered, net, net_arrays, with_large_ids


@pytest.fixture(scope="module")
def module():
    return lowered(net, *net_arrays())


def test_values():
    data = Pieces().whole(1, 300).whole(2, -1).text(3, "é").wholes(4, [1, -2, 1 << 40]).data(5, b"\0\1").join()
    # 300 is the example of protobuf's own documentation.
    assert data.startswith(b"\x08\xac\x02")
    m = Message(data)
    assert (m.integer(1), m.integer(2), m.whole(2)) == (300, -1, (1 << 64) - 1)
    assert (m.text(3), m.integers(4), bytes(m.data(5))) == ("é", (1, -2, 1 << 40), b"\0\1")
    assert (m.integer(9), m.text(9), m.integers(9), m.message(9), m.messages(9)) == (0, "", (), None, [])


def test_repeated_integers_unpacked():
    assert Message(b"\x08\x01\x08\x02" + b"\x0a\x02\x03\x04").integers(1) == (1, 2, 3, 4)


def test_the_last_of_several_counts_and_messages_merge():
    assert Message(Pieces().whole(1, 5).whole(1, 6).join()).integer(1) == 6
    both = Pieces().message(1, Pieces().whole(1, 5)).message(1, Pieces().whole(2, 6)).join()
    merged = Message(both).message(1)
    assert merged is not None
    assert (merged.integer(1), merged.integer(2)) == (5, 6)


def test_edited_keeps_everything_else():
    # Fields out of order, of every wire type, a varint longer than it has to be.
    rest = b"\xf8\x01\x81\x00" + b"\x09" + b"12345678" + b"\x15" + b"1234"
    data = Pieces().raw(rest).text(7, "a").text(8, "x").text(7, "b").join()
    assert edited(Message(data), {}).join() == data
    one = edited(Message(data), {7: Pieces().text(7, "new"), 20: Pieces().whole(20, 1), 21: Pieces()}).join()
    assert one == Pieces().raw(rest).text(7, "new").text(8, "x").whole(20, 1).join()
    each = edited(Message(data), {7: [Pieces().text(7, "A"), Pieces()]}).join()
    assert each == Pieces().raw(rest).text(7, "A").text(8, "x").join()


def test_a_module_comes_back_byte_by_byte(module):
    """Also when every level is taken apart and put together again."""
    assert edited(Message(module), {}).join() == module
    m = Message(module)
    computations = [
        Pieces().message(
            InModule.COMPUTATIONS,
            edited(
                c,
                {
                    InComputation.INSTRUCTIONS: [
                        Pieces().message(InComputation.INSTRUCTIONS, edited(i, {}))
                        for i in c.messages(InComputation.INSTRUCTIONS)
                    ]
                },
            ),
        )
        for c in m.messages(InModule.COMPUTATIONS)
    ]
    assert edited(m, {InModule.COMPUTATIONS: computations}).join() == module


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x0a\x05abc", "truncated"),
        (b"\x08", "truncated"),
        (b"\x08\xff", "truncated"),
        (b"\x09" + b"1234", "truncated"),
        (b"\x0a" + b"\xff" * 9 + b"\x01", "truncated"),
        (b"\x08" + b"\xff" * 10 + b"\x01", "ten bytes"),
        (b"\x0b\x0c", "wire type 3"),
        (b"\x00\x01", "number 0"),
        (varint(1 << 32 << 3) + b"\x01", "number 4294967296"),
    ],
)
def test_damaged(data, message):
    with pytest.raises(HloError, match=message):
        Message(data)


def test_other_types():
    text = Message(Pieces().text(1, "a").join())
    number = Message(Pieces().whole(1, 1).join())
    with pytest.raises(HloError, match="Field 1 is written as bytes, not as a varint"):
        text.integer(1)
    for ask in (number.text, number.texts, number.message, number.messages, number.data):
        with pytest.raises(HloError, match="Field 1 is written as a varint, not as bytes"):
            ask(1)
    with pytest.raises(HloError, match="not text"):
        Message(b"\x0a\x01\xff").text(1)


def test_no_module(module):
    for data in (b"", b"not a module", module[:-1], module[: len(module) // 2]):
        with pytest.raises(HloError):
            read(data)


def use(data):
    """All that is done to a module; whatever it is, there is a result or one of our errors."""
    try:
        check(data, "trn2")
        quality(data)
        rewrite(data, NET_INPUTS, ("a", "b"))
    except HloError:
        return False
    return True


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_bytes_that_were_changed(module, data):
    bad = bytearray(module)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(bad) - 1))
        bad[at] = data.draw(st.integers(0, 255))
    use(bytes(bad))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_fields_that_were_changed(module, data):
    """Deeper than bytes: the framing stays right, a number in an instruction becomes any other."""
    m = Message(module)
    c = data.draw(st.sampled_from(m.messages(InModule.COMPUTATIONS)))
    i = data.draw(st.sampled_from(c.messages(InComputation.INSTRUCTIONS)))
    number = data.draw(st.sampled_from([n for n in vars(InInstruction).values() if isinstance(n, int)]))
    value = data.draw(
        st.one_of(
            st.integers(-(1 << 63), (1 << 63) - 1).map(lambda v: Pieces().whole(number, v)),
            st.integers(0, 60).map(lambda v: Pieces().whole(number, v)),
            st.binary(max_size=12).map(lambda v: Pieces().data(number, v)),
            st.lists(st.integers(0, 60), max_size=4).map(lambda v: Pieces().wholes(number, v)),
        )
    )

    def swap(message, number, old, new):
        parts = [
            Pieces().message(number, new if o.buffer == old.buffer else edited(o, {})) for o in message.messages(number)
        ]
        return edited(message, {number: parts})

    made = swap(m, InModule.COMPUTATIONS, c, swap(c, InComputation.INSTRUCTIONS, i, edited(i, {number: value})))
    use(made.join())


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(data):
    use(data)


def test_what_is_not_damaged_is_used(module):
    assert use(module)
    assert use(with_large_ids(module))


def test_shapes_nested_too_deep():
    shape = Pieces()
    for _ in range(500):
        shape = Pieces().whole(2, 13).message(4, shape)
    i = Pieces().text(1, "a").text(2, "parameter").message(3, shape).whole(35, 1)
    c = Pieces().text(1, "main").message(2, i).whole(5, 1).whole(6, 1)
    with pytest.raises(HloError, match="deep"):
        read(Pieces().message(3, c).whole(6, 1).join())


def test_weights_of_many_megabytes_are_not_copied_about():
    size = 48 << 20
    array = Pieces().whole(2, 11).wholes(3, [size // 4])
    literal = Pieces().message(1, array).data(8, bytes(size))
    i = Pieces().text(1, "c").text(2, "constant").message(3, array).message(8, literal).whole(35, 1)
    c = Pieces().text(1, "main").message(2, i).message(4, Pieces().message(2, array)).whole(5, 1).whole(6, 1)
    data = Pieces().text(1, "m").message(3, c).message(4, Pieces().message(2, array)).whole(6, 1).join()
    tracemalloc.start()
    try:
        assert quality(data).largest_constant == size
        assert check(data, "inf2") == ()
        assert tracemalloc.get_traced_memory()[1] < size // 100
        made = rewrite(data, (), ("out",))
        assert len(made) > size
        assert tracemalloc.get_traced_memory()[1] < size * 1.01
    finally:
        tracemalloc.stop()
