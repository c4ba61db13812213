"""Where the headers of MXNet and OpenVINO are taken from, and what is said when they are not there."""

from __future__ import annotations

import importlib.machinery
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .conftest import write_wheel


@pytest.fixture
def headers(load, monkeypatch):
    """The module, in an environment where nothing is installed."""
    module = load("headers")
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    return module


def unpacked(wheel: Path) -> Path:
    """The folder of a package whose wheel was unpacked beside it."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(wheel.parent / "site")
    return wheel.parent / "site" / "mxnet"


@pytest.mark.parametrize("inside", ["", "include", "libmxnet.so"])
def test_a_named_folder(headers, monkeypatch, tmp_path, mxnet_wheel, inside):
    folder = unpacked(mxnet_wheel)
    monkeypatch.setenv("GLUON_NEURON_MXNET", str(folder / inside))
    assert headers.package_folder(headers.MXNET, tmp_path / "kept") == folder


def test_a_named_wheel(headers, monkeypatch, tmp_path, mxnet_wheel):
    monkeypatch.setenv("GLUON_NEURON_MXNET", str(mxnet_wheel))
    folder = headers.package_folder(headers.MXNET, tmp_path / "kept")
    assert sorted(p.name for p in folder.rglob("*") if p.is_file()) == ["lib_api.cc", "lib_api.h"]


@pytest.mark.parametrize("name", ["nothing", "nothing.whl", "text.whl", "mxnet-1.5.whl", "other"])
def test_what_is_named_wrongly_is_refused_in_one_line(headers, monkeypatch, tmp_path, name):
    (tmp_path / "text.whl").write_text("no archive")
    write_wheel(tmp_path / "mxnet-1.5.whl", 1)
    (tmp_path / "other" / "include").mkdir(parents=True)
    monkeypatch.setenv("GLUON_NEURON_MXNET", str(tmp_path / name))
    with pytest.raises(headers.HeadersError, match=rf"\A.*{name}.*\Z"):
        headers.package_folder(headers.MXNET, tmp_path / "kept")


def test_an_installed_mxnet_is_taken_whatever_its_distribution_is_called(load, monkeypatch, tmp_path, mxnet_wheel):
    folder = unpacked(mxnet_wheel)
    (folder / "__init__.py").write_text("raise ImportError('it is not to be imported')")
    headers = load("headers")
    monkeypatch.setattr(sys, "path", [str(folder.parent), *sys.path])
    monkeypatch.delitem(sys.modules, "mxnet", raising=False)
    monkeypatch.setattr(sys, "meta_path", [importlib.machinery.PathFinder])
    assert headers.package_folder(headers.MXNET, tmp_path / "kept") == folder


def test_mxnet_is_fetched_once(headers, monkeypatch, tmp_path, mxnet_wheel):
    commands = []

    def pip(command, **options):
        commands.append(command)
        (Path(command[command.index("--dest") + 1]) / mxnet_wheel.name).write_bytes(mxnet_wheel.read_bytes())
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(headers.subprocess, "run", pip)
    first = headers.package_folder(headers.MXNET, tmp_path / "kept")
    assert first == headers.package_folder(headers.MXNET, tmp_path / "kept")
    (command,) = commands
    assert command[:4] == [sys.executable, "-m", "pip", "download"] and "--no-deps" in command


def test_without_a_network_one_line_says_what_to_do(headers, monkeypatch, tmp_path):
    monkeypatch.setattr(headers.subprocess, "run", lambda *a, **k: subprocess.CompletedProcess(a, 1))
    with pytest.raises(headers.HeadersError, match=r"\Apip could not fetch mxnet==1.9.1.* set GLUON_NEURON_MXNET .*\Z"):
        headers.package_folder(headers.MXNET, tmp_path / "kept")


def test_openvino_is_not_fetched(headers, tmp_path):
    with pytest.raises(headers.HeadersError, match=r"\AOpenVINO is needed.*pip install.*GLUON_NEURON_OPENVINO.*\Z"):
        headers.package_folder(headers.OPENVINO, tmp_path / "kept")


def test_the_installed_openvino_has_its_headers(load, tmp_path):
    headers = load("headers")
    assert headers.package_folder(headers.OPENVINO, tmp_path).name == "openvino"
