"""A compiler is found beside Python or on PATH, and tells its version; a missing one says what to install."""

import sys
from pathlib import Path

import pytest

from gluon_neuron.errors import CompilerMissingError
from gluon_neuron.targets.neuron.toolchain.find import find, version
from tests.doubles import neuron_cc, neuronx_cc


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_beside_python_comes_first(tmp_path, monkeypatch):
    beside = script(tmp_path / "a" / "neuronx-cc", "true")
    other = script(tmp_path / "b" / "neuronx-cc", "true")
    monkeypatch.setenv("PATH", str(other.parent))
    assert find("neuronx-cc") == other
    monkeypatch.setattr(sys, "executable", str(tmp_path / "a" / "python"))
    assert find("neuronx-cc") == beside


@pytest.mark.parametrize("name", ["neuronx-cc", "neuron-cc"])
def test_missing(name, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(CompilerMissingError, match=f"pip install {name} "):
        find(name)


def test_versions_of_the_doubles(compilers):
    assert version(find("neuronx-cc")) == neuronx_cc.VERSION
    assert version(find("neuron-cc")) == neuron_cc.VERSION


@pytest.mark.parametrize("text", ["exit 3", "echo hello", "echo version 1 of nothing"])
def test_one_that_does_not_tell(text, tmp_path):
    with pytest.raises(CompilerMissingError, match="Install it again"):
        version(script(tmp_path / "neuronx-cc", text))
