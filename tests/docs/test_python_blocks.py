"""The Python blocks of every page run, from a process and a folder of their own, with doubles for AWS's compilers."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.docs.fences import PAGES, ROOT, every_fence, fences
from tests.docs.set_up import BEFORE
from tests.doubles.install import install

# The README's block has a test of its own.
WITH_PYTHON = [p for p in PAGES if p != "README.md" and any(f.language == "python" and not f.words for f in fences(p))]


@pytest.mark.parametrize("page", WITH_PYTHON)
def test_blocks_run(page, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    environment = {
        **os.environ,
        "PATH": f"{install(tmp_path / 'bin')}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "NEURON_COMPILE_CACHE_URL": str(tmp_path / "cache"),
        # Whatever would download fails at once.
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9"),
        "MXNET_HOME": str(tmp_path / "mxnet"),
    }
    command = [sys.executable, "-m", "tests.docs.run_page", page]
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]


def test_what_stands_before_stands_before_something():
    blocks = {p: sum(f.language == "python" and not f.words for f in every_fence() if f.page == p) for p in PAGES}
    assert [key for key in BEFORE if key[1] >= blocks.get(key[0], 0)] == []
