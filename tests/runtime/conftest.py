"""Fixtures of the runtime's tests: the native library, loaded, and its counters."""

import gc

import mxnet as mx
import pytest

from gluon_neuron.runtime import library


@pytest.fixture(autouse=True)
def native():
    """The library, without models left over from other tests; a missing one fails with what to do."""
    library.load()
    library.release()
    yield
    mx.nd.waitall()
    library.release()


@pytest.fixture
def counters():
    """A function that gives what the counters rose by since the test began, and the present numbers of models."""
    gc.collect()  # nodes of other tests, which hold models
    library.release()
    before = library.stats()

    def risen():
        now = library.stats()
        return {n: v if n in ("models_alive", "orphans") else v - before[n] for n, v in now.items()}

    return risen
