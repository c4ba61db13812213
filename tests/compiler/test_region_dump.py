"""SUBGRAPH_INFO=1 keeps what another machine needs to compile a region again; without it nothing is left behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import mxnet as mx
import pytest

import gluon_neuron
from gluon_neuron.artifact.container import unpack
from gluon_neuron.errors import CompileError, ExportError
from gluon_neuron.targets.cpu.target import CpuTarget
from gluon_neuron.tools.cli import main
from tests.agreement import agree
from tests.compat.nets import checkpoint, image, run

NODE = "._neuron_subgraph_op0"


def compiled(**compile_args):
    return mx.contrib.neuron.compile(*checkpoint(), {"data": image()}, **compile_args)


def programs(made):
    first = next(n for n in made[1] if n.startswith("_neuron_subgraph_op0"))
    artifact = unpack(memoryview(made[1][first].asnumpy()))
    return [bytes(p.data) for p in artifact.payloads]


def kept_programs(folder, number=0):
    """That for the shape of this number, and that for any shape."""
    return [(folder / f"{NODE}-cpu-{which}.program").read_bytes() for which in (number, "any")]


def names(folder):
    return sorted(p.name for p in Path(folder).iterdir())


def test_nothing_without_it(tmp_path, monkeypatch):
    monkeypatch.delenv("SUBGRAPH_INFO", raising=False)
    monkeypatch.chdir(tmp_path)
    compiled(work_dir=str(tmp_path / "work"))
    assert names(tmp_path) == []


@pytest.mark.parametrize("value", ["", "0"])
def test_switched_off(tmp_path, monkeypatch, value):
    monkeypatch.setenv("SUBGRAPH_INFO", value)
    monkeypatch.chdir(tmp_path)
    compiled()
    assert names(tmp_path) == []


def test_files_in_the_run_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("SUBGRAPH_INFO", "1")
    monkeypatch.chdir(tmp_path)
    compiled()
    endings = [
        "-0000.params",
        "-command.txt",
        "-compile.log",
        "-cpu-0.program",
        "-cpu-any.program",
        "-signature.json",
        "-symbol.json",
    ]
    assert names(tmp_path) == [NODE + e for e in endings]


def test_work_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("SUBGRAPH_INFO", "1")
    monkeypatch.chdir(tmp_path)
    made = compiled(work_dir="deep/work", excl_node_names=["pool0"])
    assert names(tmp_path) == ["deep"]
    kept = tmp_path / "deep" / "work"
    assert len(names(kept)) == 14
    assert kept_programs(kept) == programs(made)
    signature = json.loads((kept / f"{NODE}-signature.json").read_text())
    assert signature["reads"] == ["data"]
    assert [[s["shape"] for s in inputs.values()] for inputs in signature["inputs"]] == [[[2, 3, 8, 8]]]
    assert signature["options"]["target"] == "cpu"


def test_kept_region_runs_in_mxnet(tmp_path, monkeypatch):
    monkeypatch.setenv("SUBGRAPH_INFO", "1")
    compiled(work_dir=tmp_path)
    sym, args, aux = mx.model.load_checkpoint(str(tmp_path / NODE), 0)
    x = image(1)
    agree(run(sym, args, aux, x)[0], run(*checkpoint(), x)[0], 1e-5, 1e-6)


def test_kept_command_compiles_in_another_process(tmp_path, monkeypatch):
    monkeypatch.setenv("SUBGRAPH_INFO", "1")
    first = compiled(work_dir=tmp_path / "here", flags=["--fp32-cast", "matmult"])
    monkeypatch.delenv("SUBGRAPH_INFO")
    shutil.move(tmp_path / "here", tmp_path / "there")
    words = (tmp_path / "there" / f"{NODE}-command.txt").read_text().split()
    assert words[0] == "gluon-neuron"
    command = [sys.executable, "-m", "gluon_neuron.tools", *words[1:], "-o", "again"]
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        command,
        cwd=tmp_path / "there",
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "9 of 9 operators" in done.stdout
    made = mx.model.load_checkpoint(str(tmp_path / "there" / "again"), 0)
    assert programs(made) == programs(first) == kept_programs(tmp_path / "there")
    agree(run(*made, image(1))[0], run(*first, image(1))[0])


def test_every_batch_size_is_compiled_again(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SUBGRAPH_INFO", "1")
    compiled(work_dir=tmp_path, batch_sizes=[5])
    monkeypatch.delenv("SUBGRAPH_INFO")
    assert main(["compile-kept", str(tmp_path / NODE), "-o", str(tmp_path / "again"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [sum(r["operators"] for r in report["regions"]) for report in found["reports"]] == [9, 9]
    assert [Path(p).name for p in found["written"]] == [
        *("again-symbol.json", "again-0000.params", "again-1-symbol.json", "again-1-0000.params")
    ]
    for number, prefix, batch in ((0, "again", 2), (1, "again-1", 5)):
        made = mx.model.load_checkpoint(str(tmp_path / prefix), 0)
        assert programs(made)[0] == kept_programs(tmp_path, number)[0]
        x = image(1, batch)
        agree(run(*made, x)[0], run(*checkpoint(), x)[0], 1e-4, 1e-5)


def test_failure_is_kept_with_its_reason(tmp_path, monkeypatch):
    def fails(self, job):
        raise CompileError("the compiler is on strike")

    monkeypatch.setattr(CpuTarget, "compile", fails)
    monkeypatch.setenv("SUBGRAPH_INFO", "1")
    made = compiled(work_dir=tmp_path)
    assert gluon_neuron.get_report(made[0]).compiled_operators == 0
    assert "failed: the compiler is on strike" in (tmp_path / f"{NODE}-compile.log").read_text()
    assert f"{NODE}-symbol.json" in names(tmp_path)


def test_work_dir_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SUBGRAPH_INFO", "1")
    with pytest.raises(ExportError, match="SUBGRAPH_INFO"):
        compiled(work_dir=tmp_path / "file")


def test_compile_kept_without_files(tmp_path, capsys):
    assert main(["compile-kept", str(tmp_path / "nothing")]) == 3
    assert "is not what SUBGRAPH_INFO=1 keeps" in capsys.readouterr().err
