"""The tables say which limits hold, and the bare contender computes what the compiled region does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from benchmarks.bare import bare_region
from benchmarks.tables import limits, tables
from gluon_neuron.targets.cpu import batch_parts
from tests.agreement import agree

ROOT = Path(__file__).parents[2]


def measured(ratio=1.5, overhead=0.2e-3, peak=110.0, parameters=300):
    spread = {"median": ratio, "low": ratio - 0.1, "high": ratio + 0.1}
    times = {"p50": 0.01, "p90": 0.011, "p99": 0.012, "throughput": 100}
    above = {"median": overhead, "low": 0.0, "high": 1e-3, "bare OpenVINO": times}
    memory = {kind: {"peak": 100.0, "seconds": 0.5} for kind in ("hybrid", "onednn")}
    memory |= {kind: {"peak": peak, "seconds": 0.5} for kind in ("compiled", "loaded")}
    case = {
        "model": "resnet50_v1",
        "batch": 1,
        "parameters": parameters,
        "compile": 0.7,
        "difference": 1e-6,
        "ratio": {"MXNet": {**spread, "median": ratio + 1}, "MXNet oneDNN": spread},
        "latency": {"gluon_neuron": times},
        "overhead": above,
        "memory": memory,
    }
    machine = {"processor": "P", "cores": 2, "threads": 2, "mxnet": "1.9.1", "openvino": "2026", "gluon_neuron": "0"}
    return {"machine": machine, "cases": [case], "overheads": []}


def verdicts(results):
    return {text: holds for text, _, holds in limits(results)}


def test_all_limits_hold():
    assert all(verdicts(measured()).values())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ratio": 1.1}, "geometric mean"),
        ({"ratio": 0.9}, "slower than neither"),
        ({"overhead": 0.4e-3}, "above bare OpenVINO"),
        ({"peak": 121.0}, "peak memory"),
    ],
)
def test_a_limit_that_does_not_hold_is_named(change, words):
    found = verdicts(measured(**change))
    assert any(words in text and not holds for text, holds in found.items())
    assert "DOES NOT HOLD" in tables(measured(**change))


def test_table_names_machine_and_model():
    text = tables(measured())
    assert "P, 2 of 2 cores" in text
    assert "| resnet50_v1" in text
    assert "1.50 (1.40-1.60)" in text


@pytest.mark.parametrize("least_of_a_part", [batch_parts.LEAST, 1])
@pytest.mark.parametrize("inline", [False, True])
def test_bare_region_computes_the_same(inline, least_of_a_part, monkeypatch):
    monkeypatch.setattr(batch_parts, "LEAST", least_of_a_part)
    net = mx.gluon.nn.HybridSequential()
    net.add(mx.gluon.nn.Conv2D(4, 3), mx.gluon.nn.BatchNorm(), mx.gluon.nn.Dense(3))
    net.initialize(mx.init.Normal(0.3))
    x = mx.nd.random.normal(shape=(2, 3, 8, 8))
    expected = net(x).asnumpy()
    run = bare_region(gluon_neuron.compile(net, x, inline_weights=inline), x.asnumpy())
    assert run is not None
    parts = run()
    assert len(parts) == (2 if least_of_a_part == 1 else 1)
    agree(np.concatenate(parts), expected, 1e-4, 1e-5)


@pytest.mark.slow
def test_quick_run(tmp_path):
    command = [sys.executable, "-m", "benchmarks", "--quick", "--json", str(tmp_path / "r.json")]
    path = os.pathsep.join([str(ROOT), *sys.path])
    done = subprocess.run(
        [*command, "--markdown", str(tmp_path / "r.md")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "r.json").read_text())
    case = results["cases"][0]
    assert case["difference"] < 1e-4
    assert set(case["memory"]) == {"hybrid", "onednn", "compiled", "loaded"}
    assert all(m["peak"] > 50 for m in case["memory"].values())
    assert len(results["overheads"]) == 2
    assert "squeezenet1.1" in (tmp_path / "r.md").read_text()
