"""Options are checked when they are given."""

import pytest

from gluon_neuron.errors import OptionError
from gluon_neuron.options import CompileOptions


@pytest.mark.parametrize("option", ["exclude_nodes", "exclude_operators", "include_nodes"])
def test_a_single_name_is_a_list_of_it(option):
    assert CompileOptions.make({option: "conv0"}) == CompileOptions.make({option: ["conv0"]})


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


def test_normalised():
    options = CompileOptions.make({"batch_sizes": [1, 8], "exclude_nodes": ["a"]})
    assert options.batch_sizes == (1, 8) and options.exclude_nodes == ("a",)
    assert CompileOptions(batch_sizes=4).batch_sizes == (4,)


def test_identity_leaves_out_what_changes_no_program():
    assert CompileOptions().identity() == CompileOptions(strict=True, exclude_nodes=("a",)).identity()
    assert CompileOptions().identity() != CompileOptions(auto_cast="all").identity()
