"""Compilers run together, as many as allowed, and none outlives an interrupt."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gluon_neuron.errors import CompileError
from gluon_neuron.targets.neuron.toolchain.pool import jobs_of, run_all
from tests.doubles.install import ROOT
from tests.targets.neuron.toolchain.test_process import alive


def test_results_are_in_the_tasks_order():
    def task(i):
        def run(running):
            time.sleep(0.02 * (3 - i))
            if i == 1:
                raise CompileError("one")
            return i

        return run

    found = run_all([task(i) for i in range(3)], 3)
    assert (found[0], str(found[1]), found[2]) == (0, "one", 2)
    assert run_all([], 2) == []


@pytest.mark.parametrize("jobs", [1, 3])
def test_no_more_at_a_time_than_jobs(jobs):
    lock, now, most = threading.Lock(), 0, 0

    def task(running):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.05)
        with lock:
            now -= 1

    run_all([task] * 6, jobs)
    assert most == jobs


def test_jobs_are_bounded():
    assert jobs_of(5) == 5
    assert 1 <= jobs_of(0) <= 8


def test_the_first_failure_stops_the_others(tmp_path):
    def slow(running):
        running.run(["sh", "-c", "echo $$ > pid; sleep 100"], tmp_path, None)

    def fails(running):
        while not (tmp_path / "pid").exists():
            time.sleep(0.01)
        raise CompileError("no")

    start = time.monotonic()
    found = run_all([slow, fails, slow], 2, stop_at_first=True)
    assert time.monotonic() - start < 20
    assert str(found[1]) == "no" and found[0] is None and found[2] is None


def test_other_errors_are_raised_and_leave_nothing(tmp_path):
    def slow(running):
        running.run(["sh", "-c", "echo $$ > pid; sleep 100"], tmp_path, None)

    def breaks(running):
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            time.sleep(0.01)
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        run_all([slow, breaks], 2)
    assert not alive(int((tmp_path / "pid").read_text()))


PROGRAM = """
import signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a process in the background inherits that it is ignored
from tests.doubles.command_line import leave_mxnet_out
leave_mxnet_out()
from gluon_neuron.targets.neuron.toolchain.pool import run_all

def task(i):
    def run(running):
        place = Path(sys.argv[1], str(i))
        place.mkdir()
        running.run(["sh", "-c", "sleep 100 & echo $! > child; echo $$ > parent; wait"], place, None)
    return run

run_all([task(i) for i in range(4)], 2)
"""


def test_ctrl_c_leaves_no_child(tmp_path):
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], env=env, stderr=subprocess.PIPE, text=True
    )
    pids = wait_for_pids(tmp_path)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0 and "KeyboardInterrupt" in said
    assert len(pids) == 4 and not any(map(alive, pids))


def wait_for_pids(folder: Path) -> list[int]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = [
            f.read_text() for i in (0, 1) for name in ("child", "parent") if (f := folder / str(i) / name).exists()
        ]
        if len(found) == 4 and all(found):
            return [int(pid) for pid in found]
        time.sleep(0.05)
    return []
