"""Installs the package, editable, into the environment of the Python that runs it, with MXNet; `make` calls it.

`python build_backend/install.py [EXTRA...]`. An MXNet that is there stays. Otherwise the package's extra brings it
where pip can resolve that, and elsewhere MXNet comes without its dependencies. NUMPY in the environment names a
release of NumPy (1.26, 2.5).
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import subprocess
import sys

from headers import mxnet_resolves

MXNET = "mxnet>=1.9.0,<1.10"
# With NumPy 1.23 MXNet imports as it is; it has wheels for these Pythons.
OLD_NUMPY = "1.23" if sys.version_info < (3, 12) else ""


def main(extras: list[str]) -> None:
    """Install the package with these extras, then MXNet if it is missing."""
    numpy = os.environ.get("NUMPY") or OLD_NUMPY
    wanted = [f"numpy=={numpy}.*"] if numpy else []
    missing = importlib.util.find_spec("mxnet") is None
    resolves = mxnet_resolves() and not numpy.startswith("2")
    if missing:
        extras = ["mxnet", *extras] if resolves else extras
    pip("--editable", f".[{','.join(extras)}]" if extras else ".", *wanted)
    if missing and not resolves:
        pip("--no-deps", MXNET)
        needed = importlib.metadata.requires("mxnet") or []
        pip(*(r for r in needed if not r.startswith("numpy")))


def pip(*arguments: str) -> None:
    """Run `pip install`, and end with its status if it fails."""
    command = ["-m", "pip", "install", "--disable-pip-version-check", *arguments]
    print("python", *command, flush=True)
    status = subprocess.run([sys.executable, *command], check=False).returncode
    if status:
        raise SystemExit(status)


if __name__ == "__main__":
    main(sys.argv[1:])
