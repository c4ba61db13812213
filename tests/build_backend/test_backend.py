"""The build backend: who is refused, what a build needs on which Python, and the file that it adds to a wheel."""

from __future__ import annotations

import base64
import configparser
import csv
import hashlib
import importlib.metadata
import re
import sys
import sysconfig
import zipfile

import pytest

from tests.policy.sources import ROOT

HOOKS = ("get_requires_for_build_wheel", "get_requires_for_build_editable", "build_wheel", "build_editable")


@pytest.mark.parametrize("version", [(3, 9, 18), (3, 14, 0)])
@pytest.mark.parametrize("hook", HOOKS)
def test_other_pythons_are_refused_in_one_line(load, monkeypatch, tmp_path, hook, version):
    backend = load("backend")
    monkeypatch.setattr(sys, "version_info", (*version, "final", 0))
    with pytest.raises(SystemExit) as error:
        getattr(backend, hook)(str(tmp_path))
    assert re.fullmatch(r"gluon_neuron needs Python 3.10 to 3.13, and \S+ is Python [\d.]+\.", str(error.value))
    assert f"Python {'.'.join(map(str, version))}." in str(error.value)


@pytest.mark.parametrize("minor", [10, 11, 12, 13])
def test_what_a_build_needs(load, monkeypatch, minor):
    backend = load("backend")
    monkeypatch.setattr(sys, "version_info", (3, minor, 0, "final", 0))
    needed = {re.match(r"[\w-]+", line).group() for line in backend.get_requires_for_build_wheel()}
    assert needed == {"cmake", "ninja", "openvino", "pip" if minor == 13 else "mxnet"}
    assert backend.get_requires_for_build_editable() == backend.get_requires_for_build_wheel()


def test_what_is_named_is_not_asked_for(load, monkeypatch):
    monkeypatch.setenv("GLUON_NEURON_MXNET", "mxnet")
    monkeypatch.setenv("GLUON_NEURON_OPENVINO", "openvino")
    assert [line[:5] for line in load("backend").get_requires_for_build_wheel()] == ["cmake", "ninja"]


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_the_pth_file_is_in_the_wheel_and_in_its_record(load, monkeypatch, tmp_path, mxnet_wheel, kind):
    backend = load("backend")
    monkeypatch.setattr(backend.build_meta, f"build_{kind}", lambda *a: mxnet_wheel.name)
    name = getattr(backend, f"build_{kind}")(str(tmp_path))
    with zipfile.ZipFile(tmp_path / name) as archive:
        assert archive.testzip() is None
        data = archive.read("gluon_neuron_mxnet.pth")
        rows = list(csv.reader(archive.read("mxnet-1.9.1.dist-info/RECORD").decode().splitlines()))
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    assert rows == [["mxnet/libmxnet.so", "", ""], ["gluon_neuron_mxnet.pth", f"sha256={digest}", str(len(data))]]


def test_the_pth_file_does_nothing_where_the_module_is_missing(tmp_path, monkeypatch):
    (line,) = (ROOT / "gluon_neuron_mxnet.pth").read_text().splitlines()
    assert line.startswith("import ")  # Python runs such lines, and takes others for folders
    monkeypatch.setitem(sys.modules, "_gluon_neuron_hook", None)
    exec(line)


def test_what_is_installed_here_has_both_files():
    # Where packages are installed: a build leaves metadata beside the sources as well.
    (found,) = importlib.metadata.distributions(name="gluon_neuron", path=[sysconfig.get_path("purelib")])
    assert "gluon_neuron_mxnet.pth" in [str(f) for f in found.files]
    assert importlib.util.find_spec("_gluon_neuron_hook") is not None


def test_bounds_of_python_and_numpy(load):
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    low, high = load("backend").SUPPORTED
    assert config["options"]["python_requires"] == ">={}.{},<{}.{}".format(*low, *high)
    listed = re.findall(r"Python :: 3\.(\d+)", config["metadata"]["classifiers"])
    assert [int(minor) for minor in listed] == list(range(low[1], high[1]))
    everything = [config["options"]["install_requires"], *config["options.extras_require"].values()]
    numpy = [line for text in everything for line in text.splitlines() if line.startswith("numpy")]
    assert numpy and not any("<" in line for line in numpy)
    assert "mxnet" not in config["options"]["install_requires"]
