"""gluon-neuron check-hlo: the table of what is refused, the quality, and the exit status."""

from __future__ import annotations

import numpy as np
import pytest

from gluon_neuron.tools.cli import main
from tests.hlo.modules import lowered
from tests.tools.line import document


@pytest.fixture
def write(tmp_path):
    def write(function, *arrays):
        (tmp_path / "hlo.pb").write_bytes(lowered(function, *arrays))
        return str(tmp_path / "hlo.pb")

    return write


def integers(x):
    import jax

    with jax.named_scope("dot0"):
        return x @ x @ x


def test_violations(write, capsys):
    path = write(integers, np.ones((4, 4), "int32"))
    assert main(["check-hlo", path, "--target", "trn2"]) == 1
    page = capsys.readouterr().out
    (row,) = [line.split() for line in page.splitlines() if line.startswith("EVRF035")]
    assert row[:3] == ["EVRF035", "dot0", "dot"]
    assert row[4] == "2"
    assert "* 2 violations" in page
    found = document(capsys, "check-hlo", path, "--target", "trn2", status=1)
    assert [v["code"] for v in found["violations"]] == ["EVRF035"] * 2 and found["quality"]["opcodes"]["dot"] == 2


def test_none(write, capsys):
    path = write(integers, np.ones((4, 4), "float32"))
    assert main(["check-hlo", path]) == 0
    page = capsys.readouterr().out
    assert "checked for inf2" in page
    assert "* No violations." in page
    assert [line.split()[1] for line in page.splitlines() if line.startswith("FLOPs")] == ["256"]


def test_no_module(tmp_path, capsys):
    (tmp_path / "a").write_bytes(b"nothing")
    assert main(["check-hlo", str(tmp_path / "a")]) == 3
    assert "is not a serialised HloModuleProto" in capsys.readouterr().err
    assert main(["check-hlo", str(tmp_path / "b")]) == 3
    assert "No such file" in capsys.readouterr().err


def test_another_target(tmp_path, capsys):
    assert main(["check-hlo", "a", "--target", "inf1"]) == 2
    assert "inf1" in capsys.readouterr().err
