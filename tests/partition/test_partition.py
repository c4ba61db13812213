"""Each operator is in one region or outside for a reason, and what a user names has its way."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon_neuron.errors import OptionError
from gluon_neuron.graph.graph import Entry, Graph
from gluon_neuron.graph.spec import Spec
from gluon_neuron.lowering.cost import WORTH_FLOPS, worth_a_region
from gluon_neuron.options import CompileOptions
from gluon_neuron.partition.partition import partition
from gluon_neuron.refusal import Category, Refusal
from gluon_neuron.report import REASONS, Outside

NO = Refusal(Category.NO_RULE, "there is no rule for it")
SLOWER = Refusal(Category.SLOWER, "MXNet is faster")
SMALL = ("small", "too little work to be worth a call of its own")


def graph_of(*nodes, heads=None, size=8):
    """A graph of rows "name op input ...", every entry `size` numbers long; names without a row are variables."""
    rows = [row.split() for row in nodes]
    made = [name for name, *_ in rows]
    leaves = [n for n in dict.fromkeys(i for _, _, *inputs in rows for i in inputs) if n not in made]
    place = {name: k for k, name in enumerate([*leaves, *made])}
    raw = [{"op": "null", "name": n, "inputs": []} for n in leaves]
    raw += [{"op": op, "name": n, "inputs": [[place[i], 0, 0] for i in inputs]} for n, op, *inputs in rows]
    ends = [[place[h], 0, 0] for h in heads or made[-1:]]
    graph = Graph.from_json(json.dumps({"nodes": raw, "arg_nodes": [], "heads": ends}))
    return graph.with_specs({Entry(i, 0): Spec((size, 1), "float32") for i in range(len(raw))})


def split(graph, refused=None, inputs=("x",), banned=None, **options):
    """The names in each region, and why each other operator is outside."""
    refused = refused or {}
    made = partition(graph, inputs, lambda n: refused.get(n.op), worth_a_region, CompileOptions(**options), banned)
    regions = [[graph.nodes[i].name for i in r.nodes] for r in made.regions]
    return regions, {o.node: (o.category, o.sentence) for o in made.outside}


CHAIN = ("a FullyConnected x w", "b odd a", "c FullyConnected b v", "d relu c")


def test_everything_can_be_one_region():
    assert split(graph_of(*CHAIN)) == ([["a", "b", "c", "d"]], {})


def test_what_is_refused_stays_with_its_reason():
    assert split(graph_of(*CHAIN), {"odd": NO}) == ([["a"], ["c", "d"]], {"b": NO})


def test_nothing_can_be_compiled():
    regions, outside = split(graph_of(*CHAIN), {"odd": NO, "FullyConnected": NO, "relu": NO})
    assert regions == [] and list(outside) == ["a", "b", "c", "d"]


def test_outside_is_in_the_graphs_order_and_names_operators():
    graph = graph_of(*CHAIN)
    made = partition(graph, ["x"], lambda n: NO if n.op != "odd" else None, worth_a_region, CompileOptions())
    assert [(o.node, o.op, o.category) for o in made.outside] == [
        ("a", "FullyConnected", "no rule"),
        ("b", "odd", "small"),
        ("c", "FullyConnected", "no rule"),
        ("d", "relu", "no rule"),
    ]


def test_variables_are_never_asked_about():
    asked = []
    graph = graph_of(*CHAIN)
    partition(graph, ["x"], lambda n: asked.append(n.name), worth_a_region, CompileOptions())
    assert asked == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("size", "kept"), [(WORTH_FLOPS - 1, False), (WORTH_FLOPS, True)], ids=["below", "from there on"]
)
def test_a_region_without_products_needs_work(size, kept):
    regions, outside = split(graph_of("a relu x", size=size))
    assert (regions, outside) == (([["a"]], {}) if kept else ([], {"a": SMALL}))


def test_work_is_added_up():
    half = WORTH_FLOPS // 2
    assert split(graph_of("a relu x", "b tanh a", size=half))[0] == [["a", "b"]]
    assert split(graph_of("a relu x", "b tanh a", size=half - 1))[0] == []
    # What only moves data is no work.
    assert split(graph_of("a relu x", "b Reshape a", size=half))[0] == []


def test_small_regions_leave_and_others_stay():
    graph = graph_of("a relu x", "b odd a", "c FullyConnected b w")
    assert split(graph, {"odd": NO}) == ([["c"]], {"a": SMALL, "b": NO})


def test_a_region_of_parameters_alone_is_not_worth_it():
    graph = graph_of("a FullyConnected w v", "b odd a", "c FullyConnected x b")
    assert split(graph, {"odd": NO}) == ([["c"]], {"a": SMALL, "b": NO})
    assert split(graph, {"odd": NO}, inputs=("x", "w"))[0] == [["a"], ["c"]]
    # It is the region that counts: with data in it, parameters may be worked on.
    assert split(graph)[0] == [["a", "b", "c"]]


def test_include_nodes_keeps_what_is_small():
    graph = graph_of("a relu x", "b odd a", "c relu b")
    assert split(graph, {"odd": NO}, include_nodes=("a",)) == ([["a"]], {"b": NO, "c": SMALL})


def test_include_nodes_overrules_slower_alone():
    graph = graph_of(*CHAIN)
    assert split(graph, {"odd": SLOWER})[1] == {"b": SLOWER}
    assert split(graph, {"odd": SLOWER}, include_nodes=("b",)) == ([["a", "b", "c", "d"]], {})
    assert split(graph, {"odd": NO}, include_nodes=("b",))[1] == {"b": NO}
    # Of that name alone.
    assert split(graph, {"odd": SLOWER}, include_nodes=("a",))[1] == {"b": SLOWER}


@pytest.mark.parametrize("options", [{"exclude_nodes": ("b",)}, {"exclude_operators": ("odd",)}])
def test_what_is_excluded_stays(options):
    regions, outside = split(graph_of(*CHAIN), **options)
    (option,) = options
    assert regions == [["a"], ["c", "d"]]
    assert outside == {"b": ("excluded", f"excluded by the option {option}")}


def test_excluding_wins_over_including_and_over_refusals():
    graph = graph_of(*CHAIN)
    assert split(graph, {"odd": NO}, exclude_nodes=("b",), include_nodes=("b",))[1]["b"][0] == "excluded"


def test_banned_nodes_keep_the_reason_that_was_found_later():
    graph = graph_of(*CHAIN)
    (b,) = (n.id for n in graph.nodes if n.name == "b")
    failed = {b: Outside("b", "odd", "compile failed", "the compiler said no")}
    assert split(graph, banned=failed) == (
        [["a"], ["c", "d"]],
        {"b": ("compile failed", "the compiler said no")},
    )
    assert split(graph_of(*CHAIN), {"odd": NO}, banned=failed, include_nodes=("b",))[1]["b"][0] == "compile failed"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"exclude_nodes": ("aa",)}, "Option exclude_nodes names 'aa', which the model does not have.*'a'"),
        ({"include_nodes": ("x",)}, "Option include_nodes names 'x'"),
        ({"exclude_operators": ("rellu",)}, "Option exclude_operators names 'rellu'.*'relu'"),
        ({"exclude_operators": ("null",)}, "Option exclude_operators names 'null'"),
        ({"exclude_operators": ("a",)}, "Option exclude_operators names 'a'"),
    ],
)
def test_a_name_that_is_not_there(options, message):
    with pytest.raises(OptionError, match=message):
        split(graph_of(*CHAIN), **options)


@st.composite
def cases(draw):
    count = draw(st.integers(1, 12))
    ops = draw(st.lists(st.sampled_from(["FullyConnected", "relu", "odd", "slow"]), min_size=count, max_size=count))
    rows = []
    for i, op in enumerate(ops):
        sources = draw(st.lists(st.sampled_from(["x", "w", *(f"n{k}" for k in range(i))]), min_size=1, max_size=3))
        rows.append(f"n{i} {op} {' '.join(sources)}")
    heads = draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=3, unique=True))
    return graph_of(*rows, heads=[f"n{h}" for h in heads])


@given(cases())
def test_each_operator_once(graph):
    refused = {"odd": NO, "slow": SLOWER}
    made = partition(graph, ["x"], lambda n: refused.get(n.op), worth_a_region, CompileOptions())
    inside = [graph.nodes[i].name for r in made.regions for i in r.nodes]
    outside = [o.node for o in made.outside]
    assert sorted(inside + outside) == sorted(n.name for n in graph.operators)
    assert outside == [n.name for n in graph.operators if n.name in set(outside)]
    assert {o.category for o in made.outside} <= set(REASONS)
    assert {o.node for o in made.outside if o.category != "small"} == {
        n.name for n in graph.operators if n.op in refused
    }
    for region in made.regions:
        assert region.outputs and any(graph.nodes[i].op == "FullyConnected" for i in region.nodes)
