"""Which way a new shape's calls go: by what was measured, and by how often the shape came."""

from gluon_neuron.runtime import first_calls
from gluon_neuron.runtime.first_calls import FirstCalls


def measured(ratios, whole=True):
    found = FirstCalls()
    found.any_shape = True
    for i, ratio in enumerate([50, *ratios]):  # the first one is not looked at
        found.took(i, 2.0)
        found.program_took(i, 2.0 * ratio, whole)
    return found


def test_every_shape_is_worth_a_look_until_enough_are_measured():
    for count in range(3):
        found = measured([1] * count)
        assert found.measuring and not found.program_is_quick
        assert found.call("new")
    assert not measured([1] * 3).measuring


def test_what_is_quicker():
    assert measured([1, 1, 9]).program_is_quick
    assert not measured([1, 9, 9]).program_is_quick
    assert not measured([1, 1, 1], whole=False).program_is_quick  # the rest takes its time too
    assert measured([0.1, 0.1, 0.1], whole=False).program_is_quick


def test_the_last_ones_count():
    found = measured([9] * 4)
    for i in range(5):
        found.took(i, 1.0)
        found.program_took(i, 0.5, True)
    assert found.program_is_quick


def test_a_shape_that_mxnet_was_not_measured_for_says_nothing():
    found = measured([])
    for i in range(9):
        found.program_took(i, 1.0, True)
    assert found.measuring


def test_a_shape_is_worth_a_program_when_it_comes_again():
    found = measured([9] * 3)
    assert [found.call("a"), found.call("b"), found.call("a")] == [False, False, True]


def test_without_a_program_for_any_shape_there_is_nothing_to_measure():
    found = FirstCalls()
    assert found.call("first")  # that is not known yet
    found.any_shape = False
    assert not found.measuring and not found.program_is_quick
    assert [found.call("a"), found.call("a")] == [False, True]


def test_what_had_to_make_room_takes_twice_as_many_calls():
    found = measured([9] * 3)
    for needed in (2, 4, 8):
        assert [found.call("a") for _ in range(needed)] == [False] * (needed - 1) + [True]
        found.evict("a")


def test_what_cannot_be_made_is_not_asked_for_again():
    for found in (measured([9] * 3), FirstCalls()):
        found.never("a")
        assert not any(found.call("a") for _ in range(100))


def test_it_remembers_so_many_shapes(monkeypatch):
    monkeypatch.setattr(first_calls, "MOST_SHAPES", 3)
    found = measured([9] * 3)
    for key in "abcd":
        found.call(key)
        found.took(key, 1.0)
        found.evict(key)
    assert max(len(found._calls), len(found._wanted), len(found._theirs)) <= 3


def test_what_was_slower_is_looked_at_again():
    found = measured([9] * 3)
    looked = []
    for i in range(1, 400):
        worth = found.call(f"shape {i}")
        assert found.measuring == worth
        if worth:
            looked.append(i)
        assert found.call(f"shape {i}") and not found.measuring  # it came again
    assert looked == [8, 16, 24, 32, 40, 48, 56, 64, 128, 192, 256, 320, 384]
    for i in range(3):
        found.took(i, 1.0)
        found.program_took(i, 0.5, True)
    assert found.program_is_quick and not found.call("another") and not found.measuring
