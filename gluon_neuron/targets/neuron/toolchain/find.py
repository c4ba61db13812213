"""Finds a Neuron compiler and asks for its version."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from ....errors import CompilerMissingError
from .process import environment


def find(name: str) -> Path:
    """The compiler's place: beside this Python, else on PATH; raises CompilerMissingError, with what to install."""
    beside = Path(sys.executable).parent / name
    if beside.is_file() and os.access(beside, os.X_OK):
        return beside
    found = shutil.which(name)
    if found is None:
        raise CompilerMissingError(
            f"{name} is neither in {beside.parent} nor on PATH. Install it (pip install {name} from the "
            "package index that AWS's Neuron documentation names), or compile with target='cpu'; gluon_neuron.analyze "
            "needs no compiler."
        )
    return Path(found)


def version(path: Path) -> str:
    """The compiler's version; raises CompilerMissingError when it does not tell."""
    stat = path.stat()
    return _version(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=16)
def _version(path: Path, changed: int, size: int) -> str:
    try:
        done = subprocess.run(
            [str(path), "--version"], capture_output=True, text=True, timeout=120, env=environment(), check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CompilerMissingError(f"{path} does not start: {error}. Install it again.") from error
    said = done.stdout + done.stderr
    match = re.search(r"[Cc]ompiler version:?\s+(\S+)", said)
    if done.returncode or match is None:
        lines = said.strip().splitlines() or ["nothing"]
        raise CompilerMissingError(
            f"{path} --version ended with status {done.returncode} and said: {lines[-1]}. Install it again."
        )
    return match.group(1)
