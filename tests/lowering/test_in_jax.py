"""Every case of every rule, also those that the quick suite does not run in jax."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lowering.harness import EVERY_CASE_IN_JAX, _left_out_of_jax


@pytest.mark.slow
def test_every_case_agrees():
    folder = Path(__file__).parent
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "-p", "no:cacheprovider", str(folder)]
    environment = {**os.environ, EVERY_CASE_IN_JAX: "1"}
    done = subprocess.run(command, cwd=folder.parents[1], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:]


def test_the_first_case_of_a_rule_runs(monkeypatch):
    monkeypatch.delenv(EVERY_CASE_IN_JAX, raising=False)
    rule = object()
    assert [_left_out_of_jax(rule) for _ in range(3)] == [False, True, True]
    monkeypatch.setenv(EVERY_CASE_IN_JAX, "1")
    assert not _left_out_of_jax(rule)
