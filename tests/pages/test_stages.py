"""Stages: where a long row is cut, and that no stages read each other in a circle."""

import random

import pytest

from gluon_neuron.pages.stages import LEAST, MOST, in_order, most_used, prefix, stages, title


def test_a_short_row_is_one_stage():
    assert stages(range(MOST), []) == [range(MOST)]
    assert stages([], []) == [range(0)]


@pytest.mark.parametrize("count", [MOST + 1, 2 * MOST + 1, 100, 997])
def test_stages_are_of_readable_sizes(count):
    found = stages(range(count), [(i, i + 1) for i in range(count - 1)])
    assert [i for part in found for i in part] == [*range(count)]
    assert all(LEAST <= len(part) <= MOST for part in found)


def test_cut_where_least_flows():
    # Units of 13 nodes, each with an edge around it.
    edges = [(i, i + 1) for i in range(129)] + [(k, k + 12) for k in range(0, 130, 13)]
    cuts = [part.start for part in stages(range(130), edges)]
    assert len(cuts) > 3 and all(cut % 13 in (0, 12) for cut in cuts[1:])


def test_the_order_is_topological_and_branches_stay_together():
    edges = [(9, 1), (9, 2), (1, 3), (2, 4), (3, 5), (4, 5), (5, 5)]
    assert in_order([1, 2, 3, 4, 5, 9], edges) == [9, 1, 3, 2, 4, 5]


@pytest.mark.parametrize("seed", range(5))
def test_any_order_and_stages_have_no_circle(seed):
    draw = random.Random(seed)
    names = draw.sample(range(1000), 300)
    edges = [(names[a], names[b]) for a, b in (sorted(draw.sample(range(300), 2)) for _ in range(700))]
    order = in_order(sorted(names), edges)
    place = {n: k for k, n in enumerate(order)}
    assert sorted(order) == sorted(names) and all(place[a] < place[b] for a, b in edges)
    stage = {order[at]: k for k, part in enumerate(stages(order, edges)) for at in part}
    assert all(stage[a] <= stage[b] for a, b in edges)


def test_titles():
    names = ["net0_stage1_conv0_fwd", "net0_stage1_relu0_fwd", "net0_stage2_conv0_fwd"]
    common = prefix(names)
    assert common == "net0_"
    assert title(names, common) == "stage1_conv0 – stage2_conv0"
    assert title(names[:2], common) == "stage1_conv0 – relu0"
    assert title(names[:1], common) == "stage1_conv0"
    assert prefix(names[:1]) == "" and title(["net0_"], "net0_") == "net0_"
    assert most_used({"a": 1, "b": 3, "c": 2, "d": 1}) == "3 b, 2 c, 1 a, …"
