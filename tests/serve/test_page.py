"""docs/serving.md is right: its steps, run as they are, serve a compiled net."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serve.pictures import jpegs
from tests.serve.server import free_ports, java_home

PAGE = Path(__file__).parents[2] / "docs" / "serving.md"


@pytest.mark.slow
def test_steps(tmp_path):
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    (make,) = (text for language, text in blocks if language == "python")
    (serve,) = (text for _, text in blocks if "multi-model-server --start" in text)
    for port, free in zip(("8080", "8081"), free_ports(2), strict=True):
        serve = serve.replace(f":{port}", f":{free}")
    (tmp_path / "image.jpg").write_bytes(jpegs()[0])
    (tmp_path / "synset.txt").write_text("".join(f"class {i}\n" for i in range(1000)))
    environment = {
        **os.environ,
        **{name: str(tmp_path) for name in ("TMPDIR", "TEMP")},
        "JAVA_HOME": java_home(),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    subprocess.run([sys.executable, "-c", make], cwd=tmp_path, env=environment, check=True, timeout=300)
    done = subprocess.run(
        ["bash", "-e", "-c", serve], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r'"class": "class \d+", "probability": [\d.e-]+', done.stdout)) == 5
    assert done.stdout.count('"status": "READY"') == 2
    assert re.search(r'mobilenet\\?" unregistered', done.stdout)
    assert "Model server stopped" in done.stdout
