"""gluon-neuron doctor: what works, what is missing, what is broken and how; it outlives all of it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gluon_neuron.tools import doctor as doctor_module
from gluon_neuron.tools.doctor import PARTS, Part, doctor
from gluon_neuron.tools.probes import PROBES
from tests.tools.line import say


def test_every_probe_is_a_part():
    assert [p.probe for p in PARTS] == [p.__name__ for p in PROBES]


def test_this_machine(capsys):
    # What an environment may lack is told of, and is no problem.
    status, out, _ = say(capsys, "doctor")
    assert status == 0, out
    assert "works    MXNet: 1.9" in out and "operators compiled, results agree" in out and "Nothing is wrong." in out


BROKEN = {
    "raises": ("raise ImportError('half\\n installed')", "ImportError: half"),
    "crashes": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "it crashed: SIGSEGV"),
    "ends": ("import os; os._exit(7)", "it said nothing"),
    "absent": ("raise ModuleNotFoundError('No module named numpy', name='numpy')", "No module named numpy"),
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("library", ["numpy", "mxnet"])
def test_a_broken_library(tmp_path, kind, library):
    source, told = BROKEN[kind]
    (tmp_path / library).mkdir()
    (tmp_path / library / "__init__.py").write_text(source)
    part = next(p for p in PARTS if p.probe == library)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from gluon_neuron.tools import doctor\n"
        f"answer = doctor.doctor([p for p in doctor.PARTS if p.probe == {library!r}])\n"
        "print(answer); print(answer.json, file=sys.stderr); sys.exit(answer.status)"
    )
    env = {**os.environ, "GLUON_NEURON_NO_HOOK": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert done.returncode == 1, done.stderr
    assert f"wrong    {part.title}: " in done.stdout and f"To do: {part.remedy}" in done.stdout
    assert '"problems": 1' in done.stderr
    assert told in done.stdout or kind == "raises" and "installed" in done.stdout


def test_what_is_not_needed_may_be_missing(tmp_path, monkeypatch):
    (tmp_path / "jax").mkdir()
    (tmp_path / "jax" / "__init__.py").write_text("raise ModuleNotFoundError('No module named jaxlib')")
    monkeypatch.syspath_prepend(tmp_path)
    answer = doctor([next(p for p in PARTS if p.probe == "jax")])
    assert answer.status == 0 and "missing  jax" in answer.text and "pip install" in answer.text


def test_one_that_hangs(monkeypatch):
    monkeypatch.setattr(doctor_module, "_SECONDS", 0.05)
    answer = doctor([Part("compiling", "compiling", True, "wait")])
    assert answer.status == 1 and "has not answered within 0.05 seconds" in answer.text


def test_a_cache_that_cannot_be_used(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NEURON_COMPILE_CACHE_URL", "s3://bucket/place")
    answer = doctor([next(p for p in PARTS if p.probe == "cache")])
    assert answer.status == 1 and "s3://bucket/place" in answer.text


def test_what_needs_another_waits_for_it(tmp_path, monkeypatch):
    (tmp_path / "mxnet").mkdir()
    (tmp_path / "mxnet" / "__init__.py").write_text("raise ImportError('broken')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("GLUON_NEURON_NO_HOOK", "1")
    answer = doctor([p for p in PARTS if p.probe in ("numpy", "mxnet", "operator", "compiling")])
    states = {p["probe"]: p["state"] for p in answer.data["parts"]}
    assert states == {"numpy": "works", "mxnet": "wrong", "operator": "waits", "compiling": "waits"}
    assert answer.data["problems"] == 1 and "native operator: it needs MXNet\n" in answer.text
