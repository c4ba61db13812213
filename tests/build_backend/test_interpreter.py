"""Which Python `make` takes, and what it says of an environment of another one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.policy.sources import ROOT

SCRIPT = ROOT / "build_backend" / "interpreter.sh"


def python(path: Path, version: str, usable: bool = True) -> Path:
    """Something that answers as a Python of this version does; `-m venv FOLDER` puts a copy of itself there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"""#!/bin/sh
case "$1 $2" in
    "-m venv") mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
    *ensurepip*) exit {0 if usable else 1} ;;
    *) echo {version} ;;
esac
"""
    )
    path.chmod(0o755)
    return path


@pytest.fixture
def run(tmp_path):
    """Runs the script with nothing but `bin` and the system's tools on the PATH."""
    (tmp_path / "bin").mkdir()

    def ran(*words: str) -> tuple[int, str]:
        path = f"{tmp_path / 'bin'}:{tmp_path / 'tools'}"
        (tmp_path / "tools").mkdir(exist_ok=True)
        for tool in ("sh", "sed", "cp", "mkdir", "cat"):
            link = tmp_path / "tools" / tool
            if not link.exists():
                link.symlink_to(subprocess.check_output(["sh", "-c", f"command -v {tool}"], text=True).strip())
        done = subprocess.run(
            ["sh", str(SCRIPT), *words], cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True
        )
        return done.returncode, done.stdout + done.stderr

    return ran


@pytest.mark.parametrize(
    ("there", "taken"), [(("3.13", "3.11"), "3.11"), (("3.12", "3.13"), "3.13"), (("3.10",), "3.10")]
)
def test_a_new_environment(run, tmp_path, there, taken):
    for version in there:
        python(tmp_path / "bin" / f"python{version}", f"{version}.1")
    status, said = run(".venv")
    assert status == 0 and said.splitlines()[-1] == f"Python {taken}.1 in .venv", said
    assert (tmp_path / ".venv/bin/python").exists()


def test_python3_alone(run, tmp_path):
    python(tmp_path / "bin" / "python3.11", "3.11.1", usable=False)
    python(tmp_path / "bin" / "python3", "3.12.1")
    assert run(".venv")[1].splitlines()[-1] == "Python 3.12.1 in .venv"


def test_none_that_works(run, tmp_path):
    python(tmp_path / "bin" / "python3", "3.14.0", usable=False)
    status, said = run(".venv")
    assert status == 1 and len(said.splitlines()) == 1 and "needs Python 3.10 to 3.13" in said and "PYTHON=" in said


def test_what_is_there_is_used_and_named(run, tmp_path):
    python(tmp_path / ".venv/bin/python", "3.12.4")
    assert run(".venv") == (0, "Python 3.12.4 in .venv\n")
    python(tmp_path / "bin" / "python3.12", "3.12.1")
    assert run(".venv", "python3.12") == (0, "Python 3.12.4 in .venv\n")


def test_what_is_there_is_of_another_python(run, tmp_path):
    python(tmp_path / ".venv/bin/python", "3.11.4")
    python(tmp_path / "bin" / "python3.13", "3.13.1")
    status, said = run(".venv", "python3.13")
    assert status == 1 and len(said.splitlines()) == 1
    assert all(words in said for words in ("3.11.4", "3.13.1", "rm -r .venv", "VENV=.venv-3.13")), said


def test_what_is_there_is_of_a_python_that_is_gone(run, tmp_path):
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to(tmp_path / "gone")
    status, said = run(".venv")
    assert status == 1 and len(said.splitlines()) == 1 and "rm -r .venv" in said


def test_only_the_version(run, tmp_path):
    python(tmp_path / "bin" / "python3.12", "3.12.9")
    assert run("--version", "python3.12") == (0, "3.12\n")
    assert run("--version", "python3.9")[0] == 1
