"""What is drawn: each node once, in boxes of readable sizes, and nothing flows in a circle between boxes."""

import time
from collections import Counter

import pytest

from gluon_neuron.pages.drawing import BESIDE, Drawing
from gluon_neuron.pages.stages import MOST, in_order
from tests.pages.reports import row


def drawn(report, seconds=None):
    made = Drawing(report, report.graph, seconds or {}).to_json()
    return made["nodes"], made["groups"]


def around(nodes, groups):
    """Of each box, the boxes around it from itself on, and -1."""
    parents = [b["g"] for b in nodes + groups]
    found = []
    for i in range(len(parents)):
        path = [i]
        while path[-1] >= 0:
            path.append(parents[path[-1]])
        found.append(path)
    return found


@pytest.mark.parametrize(
    "report",
    [
        row(12),
        row(100, 50),
        row(1000),
        row(1000, 95),
        row(1000, 0),
        row(1000, 60, dense=True),
        row(3000, 0, dense=True),
    ],
)
def test_boxes_are_of_readable_sizes_and_read_each_other_in_no_circle(report):
    nodes, groups = drawn(report)
    assert [n["n"] for n in nodes[:-1]] == [n.name for n in report.graph.nodes]
    paths = around(nodes, groups)
    children = Counter(b["g"] for b in nodes + groups)
    assert children.pop(-1) <= BESIDE
    # A region with few operators has them in itself.
    assert max(children.values(), default=0) <= MOST and min(children.values(), default=1) >= 1
    within = {box: [] for box in (-1, *range(len(nodes), len(nodes) + len(groups)))}
    for reader, node in enumerate(nodes):
        for source, _ in node.get("i", ()):
            shared = next(box for box in paths[source] if box in paths[reader])
            a, b = (p[p.index(shared) - 1] for p in (paths[source], paths[reader]))
            within[shared].append((a, b))
    for box, edges in within.items():
        inside = [i for i, b in enumerate(nodes + groups) if b["g"] == box]
        assert len(in_order(inside, edges)) == len(inside)


def test_each_operator_is_in_its_region():
    report = row(300, 80)
    nodes, groups = drawn(report)
    for number, path in enumerate(around(nodes, groups)[: len(nodes)]):
        kept = report.graph.nodes[number].region if number < len(report.graph.nodes) else None
        named = [groups[box - len(nodes)]["n"] for box in path[1:-1]]
        assert ([n for n in named if n.startswith("region")] or [None])[0] == (
            kept if kept is None else f"region{kept}"
        )


def test_what_is_known_of_a_node():
    nodes, groups = drawn(row(100, 50), {"net0_convolution60_fwd": 0.002, "region0": 0.5})
    found = next(n for n in nodes if n["n"] == "net0_convolution60_fwd")
    assert found == {
        "n": "net0_convolution60_fwd",
        "o": "Convolution",
        "g": found["g"],
        "i": ((60, 0),),
        "s": ["f32 8×64×56×56"],
        "p": [["net0_weight60", "f32 64×64×3×3"]],
        "a": {"kernel": "(3, 3)"},
        "t": 0.002,
        "c": "excluded",
        "w": "excluded by the option exclude_operators",
    }
    region = next(g for g in groups if g["n"] == "region0")
    assert region["t"] == 0.5 and region["k"] == "50 operators" and region["u"].startswith("1 GFLOP · 9 Convolution")
    assert nodes[-1] == {"n": "output 0", "o": "output", "g": nodes[-1]["g"], "i": [[100, 0]]}


def test_stages_that_hold_regions_say_so():
    _, groups = drawn(row(12000, 95))
    assert any(g.get("both") for g in groups)
    assert not any(g.get("both") for g in drawn(row(1000, 0))[1])


def test_ten_thousand_operators_take_no_time():
    report = row(10_000, 50)
    start = time.process_time()
    nodes, groups = drawn(report)
    assert time.process_time() - start < 3
    assert len(nodes) == 10_002 and Counter(b["g"] for b in nodes + groups)[-1] <= BESIDE
