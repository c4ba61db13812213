"""check-hardware on the doubles: every check passes on a chip that works, and one that does not is in the report."""

import json
import os
import subprocess

import pytest

from gluon_neuron.errors import ExportError, OptionError
from gluon_neuron.tools.check_hardware import check_hardware
from gluon_neuron.tools.hardware_checks import MODELS
from tests.doubles.install import compilers as compilers
from tests.tools.line import document

QUICK = ("compiles", "runs", "runs_on_cpu")


@pytest.fixture
def on_chip(nrt_environment, compilers, monkeypatch):
    """An Inf2 instance whose compiler and chip are the doubles; a directory."""
    for name, value in {**nrt_environment, "GLUON_NEURON_INSTANCE": "inf2.xlarge"}.items():
        monkeypatch.setenv(name, value)
    return compilers


def test_a_chip_that_works(on_chip):
    place = on_chip / "report"
    text, passed = check_hardware(place, "inf2", ["small"], QUICK)
    assert passed, text
    record = json.loads((place / "report.json").read_text())
    assert [o["check"] for o in record["outcomes"]] == list(QUICK)
    assert record["target"] == "inf2" and "neuronx-cc on PATH" in record["versions"]
    facts = {o["check"]: o["facts"] for o in record["outcomes"]}
    assert 0 < facts["compiles"]["difference"] < 1e-5 and facts["compiles"]["operators"] == "6 of 6"
    # The CPU program was what ran where there was no runtime, and it said so.
    assert "runs on the CPU" in (place / "runs_on_cpu-small.log").read_text()
    assert "runs on the CPU" not in (place / "runs-small.log").read_text()
    assert "3 of 3 checks passed" in (place / "report.md").read_text() and "neuronx-cc compile" in text


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_every_check_of_every_model(on_chip, model):
    text, passed = check_hardware(on_chip / "report", "inf2", [model])
    assert passed, text


def test_a_chip_that_fails(on_chip, monkeypatch, capsys):
    monkeypatch.setenv("DOUBLE_COMPILER_DOES", "fail")
    words = ("check-hardware", "-o", on_chip / "report", "--target", "inf2", "--model", "small", "--check", "compiles")
    found = document(capsys, *words, status=1)
    (outcome,) = found["outcomes"]
    assert found["target"] == "inf2" and not outcome["passed"]
    text = (on_chip / "report" / "report.md").read_text()
    assert "0 of 1 checks passed" in text and "FAILED" in text


def test_wrong_calls(on_chip, tmp_path, monkeypatch):
    with pytest.raises(OptionError, match="'run'.*Did you mean 'runs'"):
        check_hardware(tmp_path / "a", "inf2", checks=["run"])
    with pytest.raises(ExportError, match="exists already"):
        check_hardware(tmp_path, "inf2")
    monkeypatch.delenv("GLUON_NEURON_INSTANCE")
    with pytest.raises(OptionError, match="no Neuron chip"):
        check_hardware(tmp_path / "b")
    assert not (tmp_path / "a").exists() and not (tmp_path / "b").exists()


def test_the_script_needs_the_compiler(tmp_path):
    script = os.path.join(os.path.dirname(__file__), *[os.pardir] * 2, "examples", "on_inf2.sh")
    env = {**os.environ, "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["bash", script, str(tmp_path / "out")], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 1 and "neuronx-cc is not on PATH" in done.stderr
