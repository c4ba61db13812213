"""The build backend (PEP 517, PEP 660): setuptools, what it needs on this Python, and a .pth file beside the package.

It is read by every Python that somebody tries, so it keeps to the syntax of old ones.
"""

from __future__ import annotations

import base64
import hashlib
import os
import sys
import zipfile
from pathlib import Path

from headers import MXNET, OPENVINO, mxnet_resolves
from setuptools import build_meta

ROOT = Path(__file__).resolve().parents[1]
SUPPORTED = ((3, 10), (3, 14))
# At the root of what is installed: Python reads it at start.
PTH = ROOT / "gluon_neuron_mxnet.pth"

get_requires_for_build_sdist = build_meta.get_requires_for_build_sdist
prepare_metadata_for_build_wheel = build_meta.prepare_metadata_for_build_wheel
prepare_metadata_for_build_editable = build_meta.prepare_metadata_for_build_editable
build_sdist = build_meta.build_sdist


def get_requires_for_build_wheel(config_settings=None):
    """The build tools, and the two packages that have headers; pip itself where it has to fetch MXNet's."""
    # Before anything is downloaded; pip itself would look at python_requires much later.
    refuse_others()
    needed = ["cmake>=3.24", "ninja>=1.11"]
    if not os.environ.get(OPENVINO.variable):
        needed.append(OPENVINO.requirement)
    if not os.environ.get(MXNET.variable):
        needed.append(MXNET.requirement if mxnet_resolves() else "pip")
    return needed


get_requires_for_build_editable = get_requires_for_build_wheel


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """A wheel."""
    refuse_others()
    name = build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)
    add_to_root(Path(wheel_directory, name), PTH)
    return name


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    """A wheel that refers to this source tree, with the native operator built in place."""
    refuse_others()
    name = build_meta.build_editable(wheel_directory, config_settings, metadata_directory)
    add_to_root(Path(wheel_directory, name), PTH)
    return name


def refuse_others() -> None:
    """End with one line on a Python that the package does not work on."""
    if not SUPPORTED[0] <= sys.version_info[:2] < SUPPORTED[1]:
        found = ".".join(map(str, sys.version_info[:3]))
        raise SystemExit(f"gluon_neuron needs Python 3.10 to 3.13, and {sys.executable} is Python {found}.")


def add_to_root(wheel: Path, file: Path) -> None:
    """Put a file at the root of a wheel, and into its record, so that it is installed and uninstalled with the rest."""
    data = file.read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    new = wheel.with_suffix(".new")
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as out:
        (record,) = (i for i in old.infolist() if i.filename.endswith(".dist-info/RECORD"))
        for item in old.infolist():
            if item is not record:
                out.writestr(item, old.read(item))
        added = zipfile.ZipInfo(file.name, record.date_time)
        added.external_attr = record.external_attr
        added.compress_type = zipfile.ZIP_DEFLATED
        out.writestr(added, data)
        out.writestr(record, old.read(record) + f"{file.name},sha256={digest},{len(data)}\n".encode())
    new.replace(wheel)
