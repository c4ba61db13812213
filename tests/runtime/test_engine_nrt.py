"""NEFFs on NeuronCores, by the double of libnrt: results, what is written when, faults, and the end."""

import numpy as np
import pytest

from tests.runtime import chip as chips
from tests.runtime import tiny


@pytest.fixture(scope="module")
def region():
    return tiny.dense()


@pytest.fixture(scope="module")
def artifact(region):
    return chips.artifact(region, chips.payload(region, chips.dense))


def bind(region, artifact, values=None, **attrs):
    values = values or tiny.arrays(region, artifact)
    return tiny.bind(tiny.node(region, artifact, **attrs), values), values


def check(region, executor, values):
    np.testing.assert_allclose(executor.forward()[0].asnumpy(), tiny.reference(region)(values)[0], 1e-4, 1e-5)


def test_results_are_mxnets_and_only_data_moves(chip, region, artifact):
    executor, values = bind(region, artifact)
    check(region, executor, values)
    weights = sum(w.nbytes for w in region.weights.values())
    assert chip.count("written") == weights + values["data"].size * 4
    chip.reset()
    for _ in range(3):
        values["data"] += 1
        check(region, executor, values)
    assert chip.count("written") == 3 * values["data"].size * 4
    assert chip.count("read") == 3 * 2 * 3 * 4
    made = ("nrt_load", "nrt_tensor_allocate", "nrt_allocate_tensor_set", "nrt_add_tensor_to_tensor_set")
    assert [chip.count(f) for f in made] == [0, 0, 0, 0]
