"""Fixtures of the runtime's tests: the native library, loaded, its counters, and a region to run."""

import gc

import mxnet as mx
import pytest

from gluon_neuron.engine import native_library
from gluon_neuron.runtime import registration
from tests.runtime import chip as chips
from tests.runtime import tiny


@pytest.fixture(autouse=True)
def native():
    """The library, without models left over from other tests; a missing one fails with what to do."""
    registration.register()
    native_library.release()
    yield
    mx.nd.waitall()
    native_library.release()


@pytest.fixture(scope="module")
def region():
    """A region of one dense layer."""
    return tiny.dense()


@pytest.fixture(scope="module")
def artifact(region):
    """What the region compiles to, for the CPU and for a chip."""
    return chips.artifact(region, chips.payload(region, chips.dense))


@pytest.fixture
def counters():
    """A function that gives what the counters rose by since the test began, and how many models more there are."""
    gc.collect()  # nodes of other tests, which hold models
    native_library.release()
    before = native_library.stats()

    def risen():
        now = native_library.stats()
        return {n: v - before[n] for n, v in now.items()}

    return risen
