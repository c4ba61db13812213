"""Checks the two files of a release: the source distribution is whole, and the wheel installs and runs elsewhere.

`python -m tests.release.check_dist DIRECTORY`, or `--contents WHEEL` for one of another machine, which cannot run here;
ends with status 1 and the reason if something is wrong.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("small_net.py")
# What belongs to the repository and not to a release.
LEFT_OUT = (".gitattributes",)
# What a wheel has beside the package: what Python reads at its start, and what that imports.
AT_ROOT = ("_gluon_neuron_hook", "gluon_neuron_mxnet.pth")


def main(directory: str) -> None:
    """Check the only source distribution in a directory, and the only wheel for this machine."""
    (wheel,) = Path(directory).resolve().glob(f"*_{platform.machine()}.whl")
    (source,) = Path(directory).resolve().glob("*.tar.gz")
    check_source(source)
    check_contents(wheel)
    check_wheel(wheel)
    print(f"{source.name} and {wheel.name} are whole, and the wheel runs.")


def check_source(source: Path) -> None:
    """Every file that git tracks is in the source distribution."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        print("Not a git checkout: what is in the source distribution is not compared with it.")
        return
    with tarfile.open(source) as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}
    tracked = {name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()}
    missing = sorted(tracked - found - set(LEFT_OUT))
    if missing:
        raise SystemExit(f"{source.name} lacks {', '.join(missing)}: name them in MANIFEST.in.")


def check_contents(wheel: Path) -> None:
    """The wheel has the package, one library and no other."""
    names = zipfile.ZipFile(wheel).namelist()
    libraries = [name for name in names if ".so" in name]
    if len(libraries) != 1 or not libraries[0].endswith("/libgluon_neuron.so"):
        raise SystemExit(f"{wheel.name} should have one library, libgluon_neuron.so, and has {libraries}.")
    strangers = sorted({n.partition("/")[0] for n in names if not n.startswith(("gluon_neuron/", "gluon_neuron-"))})
    if strangers != sorted(AT_ROOT) or "gluon_neuron/py.typed" not in names:
        raise SystemExit(
            f"{wheel.name} lacks gluon_neuron/py.typed, or beside the package it does not have {AT_ROOT}: {strangers}."
        )


def check_wheel(wheel: Path) -> None:
    """In an environment of its own, away from this source tree, the wheel installs and a small net runs."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        venv.create(place / "env", with_pip=True)
        python = str(place / "env/bin/python")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV", "COVERAGE"))}
        environment = {**kept, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2")}
        shutil.copy(PROGRAM, place / "program.py")
        pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        # Where pip cannot resolve MXNet, the extra brings all but MXNet itself.
        alone = [[*pip, "install", "--no-compile", "--no-deps", "mxnet==1.9.1"]] if sys.version_info >= (3, 13) else []
        for command in (
            [*pip, "install", "--no-compile", f"{wheel}[mxnet]"],
            *alone,
            [python, "-I", "program.py", str(place / "env")],
            [str(place / "env/bin/gluon-neuron"), "gather-info", "-o", "info", "--model", "net"],
            [*pip, "uninstall", "--yes", "gluon_neuron"],
        ):
            done = subprocess.run(command, cwd=place, env=environment, check=False)
            if done.returncode:
                raise SystemExit(f"{wheel.name}: {' '.join(command)} ended with status {done.returncode}.")
        left = [str(p) for p in (place / "env").rglob("*gluon_neuron*") if "__pycache__" not in p.parts]
        if left:
            raise SystemExit(f"{wheel.name}: uninstalling leaves {left}.")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--contents"]:
        check_contents(Path(sys.argv[2]))
    else:
        main(*sys.argv[1:])
