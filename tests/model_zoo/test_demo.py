"""The demo compiles, compares and times a model, and its exit status tells whether the numbers agree."""

from __future__ import annotations

import re
import subprocess
import sys

import gluon_neuron
from gluon_neuron import demo


def test_demo_in_a_process_of_its_own():
    command = [sys.executable, "-m", "gluon_neuron.demo", "mobilenet0.25", "--calls", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "operators (100.0%)" in done.stdout
    assert "The compiled model agrees with the reference" in done.stdout
    assert len(re.findall(r"times ours", done.stdout)) == 2


def test_status_when_numbers_disagree(monkeypatch, capsys):
    verify = gluon_neuron.api.verify
    monkeypatch.setattr("gluon_neuron.api.verify", lambda *a: verify(*a, rtol=0.0, atol=0.0))
    assert demo.main(["mobilenet0.25", "--calls", "1"]) == 1
    assert "DISAGREES" in capsys.readouterr().out


def test_unknown_model(capsys):
    assert demo.main(["resnet51_v1"]) == 1
    assert "Did you mean 'resnet50_v1'" in capsys.readouterr().err
