"""Puts the doubles of the compilers on PATH, as executables of their own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = {"neuronx-cc": "tests.doubles.neuronx_cc", "neuron-cc": "tests.doubles.neuron_cc"}


def install(folder: Path, *names: str) -> Path:
    """Write executables called as the compilers (all without `names`) into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or MODULES:
        script = folder / name
        script.write_text(
            f"#!/bin/sh\nPYTHONPATH='{ROOT}' exec '{sys.executable}' -m {MODULES[name]} \"$@\"\n", encoding="utf-8"
        )
        script.chmod(0o755)
    return folder


@pytest.fixture
def compilers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Both doubles on PATH, and a compile cache of the test's own; the directory that holds them."""
    monkeypatch.setenv("PATH", f"{install(tmp_path / 'bin')}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("NEURON_COMPILE_CACHE_URL", str(tmp_path / "cache"))
    monkeypatch.setenv("DOUBLE_COMPILER_RECORD", str(tmp_path / "record"))
    monkeypatch.delenv("NEURON_CC_FLAGS", raising=False)
    monkeypatch.delenv("DOUBLE_COMPILER_DOES", raising=False)
    return tmp_path


def compiled(folder: Path) -> int:
    """How many compiles the doubles of `compilers` began."""
    record = folder / "record"
    return len(record.read_text(encoding="utf-8").splitlines()) if record.exists() else 0
