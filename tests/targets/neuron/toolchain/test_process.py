"""A compiler runs in a group of its own, its words go to a log, and nothing of it is left."""

import os
import time

import pytest

from gluon_neuron.errors import CompileError
from gluon_neuron.targets.neuron.toolchain.process import Running, environment, last_error


def run(folder, script, timeout=None):
    Running().run(["sh", "-c", script], folder, timeout)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_what_it_says_is_in_the_log(tmp_path):
    run(tmp_path, "echo out; echo err >&2; pwd")
    assert (tmp_path / "compiler.log").read_text().splitlines() == [
        "$ sh -c 'echo out; echo err >&2; pwd'",
        *("out", "err", str(tmp_path)),
    ]


def test_a_failure_names_the_log_and_the_last_error(tmp_path):
    script = "echo 'ERROR 1 [x]: [NCC_EVRF001] fft' >&2; echo bye; exit 70"
    with pytest.raises(CompileError, match=r"status 70: ERROR 1 \[x\]: \[NCC_EVRF001\] fft.*compiler.log"):
        run(tmp_path, script)
    with pytest.raises(CompileError, match="signal SIGABRT"):
        run(tmp_path, "kill -ABRT $$")
    with pytest.raises(CompileError, match="it said nothing"):
        run(tmp_path, "exit 1")


def test_the_last_line_where_none_speaks_of_an_error(tmp_path):
    log = tmp_path / "log"
    log.write_text("$ error\nfirst\nlast\n*****\n\n")
    assert last_error(log) == "last"


def test_a_command_that_does_not_start(tmp_path):
    with pytest.raises(CompileError, match="cannot be started"):
        Running().run(["/nonexistent/compiler"], tmp_path, None)


@pytest.mark.parametrize("ignores", ["", "trap '' TERM; "])
def test_a_timeout_ends_the_whole_group(ignores, tmp_path, monkeypatch):
    monkeypatch.setattr("gluon_neuron.targets.neuron.toolchain.process._GRACE", 0.3)
    script = f"{ignores}(sleep 100 & echo $! > child; wait) & echo $$ > parent; wait"
    with pytest.raises(CompileError, match="stopped after 0.5 s.*compiler_timeout"):
        run(tmp_path, script, 0.5)
    time.sleep(0.1)
    assert not any(alive(int((tmp_path / name).read_text())) for name in ("child", "parent"))


def test_what_a_finished_compiler_leaves_is_ended_too(tmp_path):
    run(tmp_path, "sleep 100 & echo $! > child")
    time.sleep(0.1)
    assert not alive(int((tmp_path / "child").read_text()))


def test_nothing_starts_once_it_was_stopped(tmp_path):
    running = Running()
    running.stop()
    with pytest.raises(CompileError, match="not started"):
        running.run(["true"], tmp_path, None)


def test_environment(monkeypatch):
    monkeypatch.setenv("NEURON_CC_FLAGS", "--optlevel 1")
    monkeypatch.setenv("LD_PRELOAD", "/usr/lib/libtcmalloc.so.4:/usr/lib/other.so")
    found = environment()
    assert "NEURON_CC_FLAGS" not in found and found["LD_PRELOAD"] == "/usr/lib/other.so"
    assert found["PATH"] == os.environ["PATH"]
    monkeypatch.setenv("LD_PRELOAD", "libtcmalloc.so")
    assert "LD_PRELOAD" not in environment()
