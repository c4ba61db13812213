"""Threads that all use the package for the first time: each gets right results, and none waits for ever."""

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from tests.nets import conv_net, images, run_program


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files of a compiled net, what it is given and what it gives."""
    place = tmp_path_factory.mktemp("files")
    net, x = conv_net(), images(2)
    gluon_neuron.compile(net, x).export(place / "net")
    np.save(place / "x.npy", x.asnumpy())
    np.save(place / "want.npy", net(x).asnumpy())
    mx.nd.waitall()
    return place


@pytest.mark.parametrize("what", ["all", "import"])
def test_threads_at_once(what, folder):
    run_program("tests.runtime.cold_start", what, folder, timeout=100)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["nets", "one", "load", "call", "all", "import"])
def test_many_processes(what, folder):
    for _ in range(50):
        run_program("tests.runtime.cold_start", what, folder, timeout=100)
