"""Gives the tests of the build backend its modules, which are no package, and wheels to read."""

from __future__ import annotations

import importlib.util
import sys
import types
import zipfile
from pathlib import Path

import pytest

from tests.policy.sources import ROOT


@pytest.fixture
def load(monkeypatch):
    """Loads a module of build_backend, anew each time, with a setuptools that only notes what it is asked."""
    monkeypatch.syspath_prepend(str(ROOT / "build_backend"))

    def loaded(name: str) -> types.ModuleType:
        spec = importlib.util.spec_from_file_location(f"build_backend_{name}", ROOT / "build_backend" / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    build_meta = types.SimpleNamespace(
        build_wheel=lambda *a: None,
        build_editable=lambda *a: None,
        build_sdist=lambda *a: None,
        get_requires_for_build_sdist=list,
        prepare_metadata_for_build_wheel=str,
        prepare_metadata_for_build_editable=str,
    )
    fake = types.ModuleType("setuptools")
    fake.build_meta = build_meta
    monkeypatch.setitem(sys.modules, "setuptools", fake)
    monkeypatch.delitem(sys.modules, "headers", raising=False)
    for variable in ("GLUON_NEURON_MXNET", "GLUON_NEURON_OPENVINO", "NUMPY"):
        monkeypatch.delenv(variable, raising=False)
    yield loaded
    sys.modules.pop("headers", None)


@pytest.fixture
def mxnet_wheel(tmp_path) -> Path:
    """A wheel with as much of MXNet 1.9 as is looked for."""
    return write_wheel(tmp_path / "mxnet-1.9.1-py3-none-any.whl", 11)


def write_wheel(path: Path, version: int) -> Path:
    """A wheel of an MXNet whose operators have this version of their interface."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mxnet/include/mxnet/lib_api.h", f"#define MX_LIBRARY_VERSION {version}\n")
        archive.writestr("mxnet/src/lib_api.cc", "\n")
        archive.writestr("mxnet/libmxnet.so", "large")
        archive.writestr("mxnet-1.9.1.dist-info/RECORD", "mxnet/libmxnet.so,,\n")
    return path
