"""Options in the metadata: as JSON and back, without what is of one machine alone."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gluon_neuron.errors import OptionError
from gluon_neuron.options import CompileOptions
from gluon_neuron.stitch.kept_options import from_json, to_json


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"target": "inf2", "auto_cast": "matmult", "strict": True, "compiler_timeout": 3.5, "cores": [0, 1]},
        {"shapes": [(8, 3), ((2, 3), ()), {"data": (4, 3)}], "batch_sizes": [1, 8]},
        {"dynamic": {"data": {0: (1, 64), -1: None}, 1: {2: None}}},
        {"dynamic": "batch", "exclude_nodes": "conv0", "compiler_flags": ["-O1"]},
        {"dynamic": False, "buckets": {"data": {1: [64, 128]}, 1: {0: 4}}, "padding": {"data": {1: 0.5}, 1: [0]}},
    ],
)
def test_there_and_back(given):
    options = CompileOptions(**given)
    raw = json.loads(json.dumps(to_json(options)))
    assert from_json(raw) == options
    assert set(raw) <= set(given)


def test_a_machines_folder_is_not_kept():
    options = CompileOptions(work_dir="secret", num_threads=2)
    assert to_json(options) == {"num_threads": 2}
    assert from_json(to_json(options)) == replace(options, work_dir=None)


def test_a_later_releases_options():
    assert from_json({"num_threads": 2, "of_later": [1]}) == CompileOptions(num_threads=2)
    with pytest.raises(OptionError, match="num_threads"):
        from_json({"num_threads": -2})
