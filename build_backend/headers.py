"""Finds the headers of MXNet and OpenVINO that the native operator is compiled against.

A variable names a package's folder or its wheel; otherwise the installed package is taken; otherwise pip fetches
MXNet's wheel.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple


class Package(NamedTuple):
    """A package with headers."""

    name: str
    title: str
    requirement: str
    # In the environment of a build: the package's folder, or its wheel.
    variable: str
    # The file by which its folder is known, and a line in it that tells the versions apart whose headers differ.
    header: str
    line: str
    # What of a wheel is unpacked.
    parts: tuple[str, ...]


MXNET = Package(
    name="mxnet",
    title="MXNet 1.9",
    requirement="mxnet==1.9.1",
    variable="GLUON_NEURON_MXNET",
    header="include/mxnet/lib_api.h",
    line="#define MX_LIBRARY_VERSION 11\n",
    parts=("mxnet/include/", "mxnet/src/"),
)
OPENVINO = Package(
    name="openvino",
    title="OpenVINO",
    requirement="openvino>=2026.4,<2027",
    variable="GLUON_NEURON_OPENVINO",
    header="include/openvino/c/openvino.h",
    line="",
    parts=("openvino/include/",),
)


class HeadersError(Exception):
    """Headers are missing; the message is one line that says what to do."""


def mxnet_resolves() -> bool:
    """Whether pip can install MXNet here: it asks for NumPy below 2, which has no wheels from Python 3.13 on."""
    return sys.version_info < (3, 13)


def package_folder(package: Package, unpacked: Path) -> Path:
    """The folder of a package that has its headers; what has to be unpacked goes under `unpacked` and stays there."""
    named = os.environ.get(package.variable)
    if named:
        return _named(package, _absolute(Path(named)), unpacked)
    spec = importlib.util.find_spec(package.name)  # not imported, which for mxnet takes seconds
    for folder in (spec and spec.submodule_search_locations) or ():
        if _has_headers(package, Path(folder)):
            return Path(folder)
    kept = unpacked / package.name
    if package is MXNET:
        return kept if _has_headers(package, kept) else _fetch(package, unpacked)
    raise HeadersError(
        f"{package.title} is needed to build gluon_neuron's native operator: pip install '{package.requirement}', "
        f"or set {package.variable} to the folder of its package."
    )


def _absolute(path: Path) -> Path:
    """The path as whoever named it means it: pip builds in the source tree, and PWD is still where it was called."""
    from_shell = Path(os.environ.get("PWD", "")) / path
    return from_shell if from_shell.exists() else path.absolute()


def _named(package: Package, path: Path, unpacked: Path) -> Path:
    """The folder that a variable names: the package's, one inside it, or of its wheel."""
    if path.suffix == ".whl" and path.is_file():
        return _unpack(package, path, unpacked)
    for folder in (path, *path.absolute().parents):
        if _has_headers(package, folder):
            return folder
    raise HeadersError(
        f"{package.variable} is {path}, which is neither the folder of the package {package.name} of {package.title} "
        f"(it has no {package.header} as that has) nor its wheel."
    )


def _fetch(package: Package, unpacked: Path) -> Path:
    """Unpack the headers of a wheel that pip fetches, from wherever it is configured to."""
    with tempfile.TemporaryDirectory() as folder:
        # Not its dependencies: they are what cannot be installed.
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        done = subprocess.run([*command, "--dest", folder, package.requirement], check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            raise HeadersError(
                f"pip could not fetch {package.requirement}, whose headers are needed to build gluon_neuron's native "
                f"operator: without a network, set {package.variable} to the folder of its package or to its wheel."
            )
        return _unpack(package, wheels[0], unpacked)


def _unpack(package: Package, wheel: Path, unpacked: Path) -> Path:
    folder = unpacked / package.name
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(unpacked, [n for n in archive.namelist() if n.startswith(package.parts)])
    except zipfile.BadZipFile as error:
        raise HeadersError(f"{wheel} is no wheel: {error}.") from error
    if not _has_headers(package, folder):
        raise HeadersError(f"{wheel} is not a wheel of {package.title}: it has no {package.header} as that has.")
    return folder


def _has_headers(package: Package, folder: Path) -> bool:
    header = folder / package.header
    return header.is_file() and package.line in header.read_text(encoding="utf-8")
