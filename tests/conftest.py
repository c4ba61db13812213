"""Makes runs repeatable: threads, seeds, Hypothesis; and keeps MXNet's late errors with the test that caused them."""

from __future__ import annotations

import gc
import os
import random
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

# Read when mxnet is imported; it may use a single thread where it is not set.
os.environ.setdefault("OMP_NUM_THREADS", str(min(len(os.sched_getaffinity(0)), 4)))

import hypothesis
import numpy as np
import pytest
from hypothesis.internal.conjecture import providers

from gluon_neuron.dialect.in_openvino.importing import import_openvino

# Before any test imports it by itself: the plain import reports itself over the network.
import_openvino()

hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
# Hypothesis also draws constants that it finds in the modules which happen to be loaded: other cases in every run.
if hasattr(providers.HypothesisProvider, "_local_constants"):
    providers.HypothesisProvider._local_constants = providers.Constants()
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")

_passed = pytest.StashKey[int]()


@pytest.fixture(autouse=True)
def repeatable() -> Iterator[None]:
    """Seed every generator, and number names anew; afterwards nothing of the test goes on.

    So MXNet is waited for: an operator's late error fails this test alone. What the background was to make ready is
    forgotten: it would count as the next test's. Nor may the engine be left in a bulk.
    """
    random.seed(0)
    np.random.seed(0)
    mxnet = sys.modules.get("mxnet")
    if mxnet is not None:
        mxnet.random.seed(0)
    with mxnet.name.NameManager() if mxnet is not None else nullcontext():
        yield
    background = sys.modules.get("gluon_neuron.runtime.background")
    if background is not None:
        with background._state.changed:
            background._state.waiting.clear()
        assert background.wait()
    if "mxnet" in sys.modules:
        sys.modules["mxnet"].nd.waitall()
        assert sys.modules["mxnet"].engine.set_bulk_size(0) == 0


@pytest.fixture(scope="session")
def nrt_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What lets a process find the double of libnrt, with four NeuronCores, and its worker, which all tests share."""
    from tests.doubles.libnrt import double

    folder = tmp_path_factory.mktemp("nrt")
    library = double.build(folder)
    with double.worker(folder) as socket:
        yield {"GLUON_NEURON_NRT": str(library), "NRT_DOUBLE_WORKER": socket, "NRT_DOUBLE_CORES": "4"}


@pytest.fixture
def chip(nrt_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """This process on a machine with NeuronCores, until the test ends; gives the double, which then holds nothing."""
    from gluon_neuron.engine import native_library
    from tests.doubles.libnrt import double

    for name, value in nrt_environment.items():
        monkeypatch.setenv(name, value)
    loaded = double.Double(Path(nrt_environment["GLUON_NEURON_NRT"]))
    loaded.reset()
    yield loaded
    gc.collect()
    sys.modules["mxnet"].nd.waitall()
    native_library.release()
    assert loaded.violation == ""
    alive = {kind: loaded.count(f"alive {kind}") for kind in ("model", "tensor", "set", "info")}
    assert alive == {"model": 0, "tensor": 0, "set": 0, "info": 0}


def pytest_configure(config: pytest.Config) -> None:
    """Begin to count the tests that pass."""
    config.stash[_passed] = 0
    config.pluginmanager.register(_Counter(config))


class _Counter:
    """Counts the tests that pass, in whatever process they ran."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.config.stash[_passed] += 1


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A run in which every test was skipped proves nothing: it ends like one that found no test."""
    if exitstatus == pytest.ExitCode.OK and not session.config.option.collectonly and not session.config.stash[_passed]:
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
