"""Fixtures of the runtime's tests: the native library, loaded, and its counters."""

import gc

import mxnet as mx
import pytest

from gluon_neuron.runtime import library
from tests.doubles.libnrt import double


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
    """A function that gives what the counters rose by since the test began, and how many models more there are."""
    gc.collect()  # nodes of other tests, which hold models
    library.release()
    before = library.stats()

    def risen():
        now = library.stats()
        return {n: v - before[n] for n, v in now.items()}

    return risen


@pytest.fixture(scope="session")
def nrt_environment(tmp_path_factory):
    """What lets a process find the double of libnrt, with four NeuronCores, and its worker, which all tests share."""
    folder = tmp_path_factory.mktemp("nrt")
    library = double.build(folder)
    with double.worker(folder) as socket:
        yield {"GLUON_NEURON_NRT": str(library), "NRT_DOUBLE_WORKER": socket, "NRT_DOUBLE_CORES": "4"}


@pytest.fixture
def chip(nrt_environment, monkeypatch):
    """This process on a machine with NeuronCores, until the test ends; gives the double, which then holds nothing."""
    for name, value in nrt_environment.items():
        monkeypatch.setenv(name, value)
    loaded = double.Double(nrt_environment["GLUON_NEURON_NRT"])
    loaded.reset()
    yield loaded
    gc.collect()
    mx.nd.waitall()
    library.release()
    assert loaded.violation == ""
    alive = {kind: loaded.count(f"alive {kind}") for kind in ("model", "tensor", "set", "info")}
    assert alive == {"model": 0, "tensor": 0, "set": 0, "info": 0}
