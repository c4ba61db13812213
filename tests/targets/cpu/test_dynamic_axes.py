"""Free extents: those that a model's shapes let change, alone, together or in steps; and where they are looked at."""

import pytest

from gluon_neuron.targets.cpu.dynamic_axes import (
    FreeExtent,
    at,
    free_extents,
    held_out,
    highest,
    lowest,
    near,
    others,
    seen_step,
    steps,
    with_all_remainders,
)


def found(shapes, fits, chosen=None):
    return {e.places: (e.compiled, e.step) for e in free_extents(shapes, fits, chosen)}


def test_batch_and_length():
    shapes = {"x": (2, 10, 64), "length": (2,)}
    assert found(shapes, lambda s: s["x"][0] == s["length"][0] and s["x"][2] == 64) == {
        (("x", 0), ("length", 0)): (2, 1),
        (("x", 1),): (10, 1),
    }


def test_lengths_that_are_equal_change_together():
    shapes = {"a": (1, 10), "b": (1, 10)}
    assert found(shapes, lambda s: s["a"] == s["b"]) == {
        (("a", 0), ("b", 0)): (1, 1),
        (("a", 1), ("b", 1)): (10, 1),
    }


def test_lengths_that_need_not_be_equal_do_not():
    shapes = {"a": (1, 10), "b": (1, 10)}
    assert len(found(shapes, lambda s: s["a"][0] == s["b"][0])) == 3


def test_pictures_in_steps():
    shapes = {"x": (1, 3, 64, 48)}
    assert found(shapes, lambda s: s["x"][1] == 3 and s["x"][2] % 32 == 0 and s["x"][3] % 2 == 0) == {
        (("x", 0),): (1, 1),
        (("x", 2),): (64, 32),
        (("x", 3),): (48, 2),
    }


def test_nothing_is_free():
    assert found({"x": (2, 3)}, lambda s: s["x"] == (2, 3)) == {}


def test_what_is_chosen():
    shapes = {"x": (2, 10, 20)}
    (extent,) = free_extents(shapes, lambda s: True, {"x": {1: (5, 40)}})
    assert extent == FreeExtent((("x", 1),), 10, 1, 5, 40)
    assert free_extents(shapes, lambda s: True, {"y": {1: (5, 40)}}) == []


def test_what_is_chosen_alone_is_free():
    shapes = {"x": (2, 10), "y": (2, 10)}
    for fits in (lambda s: True, lambda s: s["x"][1] == s["y"][1]):
        found = free_extents(shapes, fits, {"x": {0: None}, "y": {0: (1, 9)}})
        assert {p for e in found for p in e.places} == {("x", 0), ("y", 0)}
    assert len(free_extents(shapes, lambda s: True, {"x": {0: None}, "y": {0: (1, 9)}})) == 2
    assert free_extents(shapes, lambda s: s["x"] == s["y"], {"x": {1: None}}) == []
    (both,) = free_extents(shapes, lambda s: s["x"] == s["y"], {"x": {1: (4, 90)}, "y": {1: (1, 50)}})
    assert both == FreeExtent((("x", 1), ("y", 1)), 10, 1, 4, 50)


@pytest.mark.parametrize(("low", "high"), [(1, 10), (10, 11), (3, 12), (1, None), (9, 400)])
def test_the_sample_may_be_at_the_end_of_what_mxnet_takes(low, high):
    most = high or 10
    chosen = {"x": {0: None, 1: high and (low, high)}}
    found = free_extents({"x": (2, 10)}, lambda s: low <= s["x"][1] <= most, chosen)
    assert [e.places for e in found] == [(("x", 0),), (("x", 1),)]


RANGES = [(e, low, high) for e in (1, 2, 8, 64, 512) for low in (1, e, e - 1) for high in (e, e + 1, e + 3, 4 * e, 999)]


@pytest.mark.parametrize(("compiled", "low", "high"), [r for r in RANGES if 0 < r[1] < r[2]])
def test_extents_of_a_range(compiled, low, high):
    extent = FreeExtent((("x", 0),), compiled, 1, low, high)
    seen = others(extent)
    assert len(set(seen)) == len(seen) >= 4 and compiled not in seen and min(seen) > 0
    for choices in (held_out, highest, lowest, near):
        found = list(choices(extent))
        assert found and all(low <= n <= high for n in found), choices
    if high - low >= 40:
        assert sum(low <= n <= high for n in seen) >= 4


@pytest.mark.parametrize("extent", [FreeExtent((("x", 2),), 224), FreeExtent((("x", 2),), 64, 32), FreeExtent((), 1)])
def test_samples_are_members(extent):
    seen = [*others(extent), *held_out(extent)]
    assert len(seen) > 5
    assert all(extent.low <= n <= extent.high and (n - extent.compiled) % extent.step == 0 for n in seen)


@pytest.mark.parametrize("compiled", [17, 64, 96, 128, 224, 299, 416, 512])
@pytest.mark.parametrize("stride", [2, 4, 8, 16, 32])
def test_samples_tell_strides_apart(compiled, stride):
    seen = list(others(FreeExtent((("x", 2),), compiled)))[:4]
    for add in (0, stride - 1):
        assert seen_step([(n + add) // stride for n in seen]) == 1


def test_shapes_at_extents():
    free = [FreeExtent((("a", 0), ("b", 1)), 2), FreeExtent((("a", 2),), 9)]
    assert at({"a": (2, 5, 9), "b": (7, 2)}, free, (4, 8)) == {"a": (4, 5, 8), "b": (7, 4)}


@pytest.mark.parametrize("compiled", [1, 7, 16, 23, 49, 56, 224, 256, 320, 501])
@pytest.mark.parametrize(("step", "low"), [(1, 1), (1, 24), (2, 1), (32, 1)])
def test_all_remainders_are_looked_at(compiled, step, low):
    extent = FreeExtent((("x", 2),), compiled * step, step, low)
    looked = with_all_remainders(extent)
    assert len(set(looked)) == len(looked) >= 6
    assert all(low <= n <= extent.high and (n - compiled * step) % step == 0 for n in looked)
    numbers = [n // step for n in looked]
    for modulus in (2, 3, 4):
        assert {n % modulus for n in numbers} == set(range(modulus))
    # What a stride, or several, leaves of them, in whatever way it is rounded, is not all even or all odd.
    for stride in (2, 4, 8):
        for add in range(stride):
            assert seen_step([(n + add) // stride for n in numbers]) == 1


def test_of_a_short_range_everything_is_looked_at():
    assert with_all_remainders(FreeExtent((("x", 1),), 4, 1, 3, 8)) == [3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("ends", [[], [2], [512, 1024], [3, 4, 5]])
def test_steps_of_a_value(ends):
    extent = FreeExtent((("x", 2),), 256, 1, 1, 1536)
    assert steps(lambda n: sum(n >= end for end in ends), extent, 4) == ends
    assert steps(lambda n: n // 100, extent, 4) is None
    assert steps(lambda n: -sum(n >= end for end in ends), extent, 4) == ([] if not ends else None)
    assert steps(lambda n: None if 256 < n < 1300 else int(n > 700), extent, 4) is None


def test_steps_are_whole_steps_of_the_extent():
    assert steps(lambda n: int(n > 500), FreeExtent((("x", 2),), 256, 32, 1, 1536), 4) == [512]
