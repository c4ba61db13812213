"""Options are checked when they are given."""

import json

import numpy as np
import pytest

from gluon_neuron.errors import OptionError
from gluon_neuron.options import CompileOptions


@pytest.mark.parametrize("option", ["exclude_nodes", "exclude_operators", "include_nodes"])
def test_a_single_name_is_a_list_of_it(option):
    assert CompileOptions.make({option: "conv0"}) == CompileOptions.make({option: ["conv0"]})


@pytest.mark.parametrize(("given", "meant"), [("clases", "classes"), ("preprocesing", "preprocessing")])
def test_unknown_names_the_nearest_keyword_beside_the_options(given, meant):
    with pytest.raises(OptionError, match=f"'{given}'. Did you mean '{meant}'"):
        CompileOptions.make({given: 1})


def test_unknown_names_the_nearest():
    with pytest.raises(OptionError, match="'inline_weight'.*'inline_weights'"):
        CompileOptions.make({"inline_weight": True})


@pytest.mark.parametrize(
    "given",
    [
        {"target": "gpu"},
        {"auto_cast": "matmul"},
        {"auto_cast_type": "int8"},
        {"inline_weights": 1},
        {"batch_sizes": [0]},
        {"batch_sizes": "4"},
        {"shapes": 4},
        {"shapes": "data"},
        {"shapes": [8, None]},
        {"shapes": [(8, -1)]},
        {"shapes": [(8, True)]},
        {"shapes": [(8, 2.0)]},
        {"shapes": [{"data": 8}]},
        {"shapes": [{0: (8, 2)}]},
        {"shapes": [((8, 2), "x")]},
        {"buckets": [64]},
        {"buckets": {"data": [64]}},
        {"buckets": {"data": {}}},
        {"buckets": {"data": {0: []}}},
        {"buckets": {"data": {0: [0, 8]}}},
        {"buckets": {"data": {0: [8.0]}}},
        {"buckets": {"data": {0: True}}},
        {"buckets": {"data": {"batch": [8]}}},
        {"buckets": {-1: {0: [8]}}},
        {"padding": 0},
        {"padding": {"data": {0: "0"}}},
        {"padding": {"data": {0: True}}},
        {"padding": {"data": {0: float("nan")}}},
        {"padding": {"data": {"batch": 0}}},
        {"padding": {None: [0]}},
        {"dynamic": "yes"},
        {"dynamic": [0]},
        {"dynamic": {"data": 1}},
        {"dynamic": {"data": (1, 64)}},
        {"dynamic": {"data": {"batch": (1, 64)}}},
        {"dynamic": {"data": {0: (9, 6)}}},
        {"dynamic": {"data": {0: (0, 6)}}},
        {"dynamic": {"data": {0: 6}}},
        {"dynamic": {"data": {0: False}}},
        {"dynamic": {0: (1, 64)}},
        {"dynamic": {0: [1, 64]}},
        {"dynamic": {-1: {0: None}}},
        {"dynamic": {None: {0: None}}},
        {"num_threads": -1},
        {"num_threads": True},
        {"exclude_nodes": 1},
        {"compiler_flags": "-O1"},
        {"include_nodes": [1]},
    ],
)
def test_bad_values(given):
    with pytest.raises(OptionError, match=next(iter(given))):
        CompileOptions.make(given)


def test_numpy_integers_are_integers():
    given = CompileOptions(num_threads=np.int64(2), cores=[np.int32(1)], batch_sizes=[np.int64(3)])
    assert json.dumps(given.identity()) and json.dumps([given.cores, given.batch_sizes]) == "[[1], [3]]"


def test_normalised():
    options = CompileOptions.make({"batch_sizes": [1, 8], "exclude_nodes": ["a"]})
    assert options.batch_sizes == (1, 8) and options.exclude_nodes == ("a",)
    assert CompileOptions(batch_sizes=4).batch_sizes == (4,)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ((), ()),
        ([(8, 3)], ((8, 3),)),
        ((8, 3), ((8, 3),)),
        ([[np.int64(8), 3], (2, 3)], ((8, 3), (2, 3))),
        ([((8, 3), ()), [(2, 3), ()]], (((8, 3), ()), ((2, 3), ()))),
        ([((8, 3), [(1,), None, (2,)])], (((8, 3), (1,), (2,)),)),
        ({"x": (8, 3)}, ({"x": (8, 3)},)),
        ([{"x": [8, 3], "y": ()}], ({"x": (8, 3), "y": ()},)),
    ],
)
def test_forms_of_shapes(given, kept):
    assert CompileOptions(shapes=given).shapes == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (True, True),
        ("batch", "batch"),
        ({}, {}),
        ({"x": {0: (1, 64), -1: None}, 1: {2: True}}, {"x": {0: (1, 64), -1: None}, 1: {2: None}}),
        ({"x": {np.int64(0): [np.int32(1), 64]}}, {"x": {0: (1, 64)}}),
        ({"x": [0, -1]}, {"x": {0: None, -1: None}}),
    ],
)
def test_forms_of_dynamic(given, kept):
    assert CompileOptions(dynamic=given).dynamic == kept


def test_forms_of_buckets_and_padding():
    given = {"x": {0: [np.int64(8), 1, 8], -1: 4}, np.int64(1): {2: range(2, 7, 2)}}
    assert CompileOptions(buckets=given).buckets == {"x": {0: (1, 8), -1: (4,)}, 1: {2: (2, 4, 6)}}
    for form in ({"x": [0, -1]}, {"x": (0, -1)}, {"x": {0: 0, -1: np.int32(0)}}):
        assert CompileOptions(padding=form).padding == {"x": {0: 0, -1: 0}}
    assert CompileOptions(padding={1: 0, "x": {1: 0.5}}).padding == {1: {0: 0}, "x": {1: 0.5}}
    assert CompileOptions(buckets={}, padding={}) == CompileOptions()


def test_identity_leaves_out_what_changes_no_program():
    assert CompileOptions().identity() == CompileOptions(strict=True, exclude_nodes=("a",)).identity()
    named = CompileOptions(shapes=[(1, 2)], batch_sizes=4, dynamic={"x": {0: None}})
    assert CompileOptions().identity() == named.identity()
    named = CompileOptions(buckets={"x": {0: [4]}}, padding={"x": [0]})
    assert CompileOptions().identity() == named.identity()
    assert CompileOptions().identity() != CompileOptions(auto_cast="all").identity()
