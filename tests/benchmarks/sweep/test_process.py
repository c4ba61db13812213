"""The walk's worker: a process that ended counts only when it had walked no other model."""

from __future__ import annotations

import pytest

from benchmarks.sweep.process import Worker

# Answers for any model but "heavy", which ends the process unless it is the first that it hears of.
PROCESS = """
import json, os, sys
for number, line in enumerate(sys.stdin):
    name = line.split()[1]
    if name == "never" or (name == "heavy" and number):
        os.abort()
    print(json.dumps({"name": name, "stage": "done"}), flush=True)
"""


@pytest.fixture
def worker(monkeypatch, tmp_path):
    package = tmp_path / "benchmarks" / "sweep"
    package.mkdir(parents=True)
    (package / "worker.py").write_text(PROCESS)
    monkeypatch.setattr("benchmarks.sweep.process.ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    with Worker(timeout=20, memory=4000) as made:
        yield made


def test_a_process_that_was_used_gets_another_try(worker):
    assert worker.walk("zoo", "light")["stage"] == "done"
    assert worker.walk("zoo", "heavy")["stage"] == "done"
    found = worker.walk("zoo", "never")
    assert found["stage"] == "crashed" and found["error"] == "the process ended: SIGABRT"
    assert worker.walk("zoo", "light")["stage"] == "done"
