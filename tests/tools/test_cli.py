"""The command as a whole: help, versions, statuses, what is imported for them."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time

import pytest

import gluon_neuron
from gluon_neuron.tools import ending
from gluon_neuron.tools.cli import app, main
from tests.tools.line import document, said, say

COMMANDS = sorted(c.name for c in app.registered_commands)


def test_the_commands():
    assert set(COMMANDS) == {
        *("compile", "analyze", "run", "verify", "benchmark", "profile", "report", "inspect"),
        *("devices", "doctor", "cache", "check-hardware", "gather-info"),
        *("check-model", "check-hlo", "compile-kept", "archive"),
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples_and_json(capsys, name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    text = said(capsys, name, "--help")
    assert "Examples:" in text and f"gluon-neuron {name}" in text and "--json" in text


def test_help_lists_the_commands_and_the_statuses(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    text = said(capsys, "--help")
    assert all(re.search(rf"^\W+{name} ", text, re.M) for name in COMMANDS)
    assert all(meaning in text for meaning in ending.STATUSES.values())


def test_version(capsys):
    assert said(capsys, "--version") == f"{gluon_neuron.__version__}\n"


@pytest.mark.parametrize(
    "words", [[], ["no-such-command"], ["inspect"], ["run", "net", "--no-such-option"], ["cache", "eat"]]
)
def test_wrong_usage(capsys, words):
    status, out, err = say(capsys, *words)
    assert (status, out) == (2, "") and err


def test_nothing_is_left_of_a_call(capsys):
    before = sys.stdout, sys.excepthook
    assert main(["--version"]) == 0
    assert (sys.stdout, sys.excepthook) == before


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["compile", "--help"], ["run"]])
def test_what_needs_no_model_imports_nothing_heavy(words):
    code = (
        "import sys; from gluon_neuron.tools.cli import main\n"
        f"main({words!r})\n"
        "heavy = {'mxnet', 'numpy', 'openvino', 'jax', 'tabulate', 'PIL'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", ["gluon_neuron", "gluon_neuron.tools"])
def test_as_a_module(module):
    done = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{gluon_neuron.__version__}\n", "")


def test_standard_output_that_is_closed():
    done = subprocess.run(
        ["sh", "-c", '"$0" -m gluon_neuron devices >&-', sys.executable], stderr=subprocess.PIPE, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_devices(capsys):
    found = document(capsys, "devices")
    assert {"chip", "instance", "total", "notes"} <= found.keys()


def test_completion_completes_commands_and_choices():
    def completed(words, number):
        env = {"_GLUON_NEURON_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(number)}
        done = subprocess.run([sys.executable, "-m", "gluon_neuron"], capture_output=True, text=True, env=env)
        return done.stdout.split()

    assert completed("gluon-neuron check-", 1) == ["check-hardware", "check-model", "check-hlo"]
    assert completed("gluon-neuron compile net --target inf", 4) == ["inf1", "inf2"]


def test_stopped_by_ctrl_c():
    code = (
        "import sys, time\n"
        "from gluon_neuron.tools import cache, cli\n"
        "def waits(*given):\n"
        "    print('waiting', file=sys.stderr, flush=True)\n"
        "    time.sleep(60)\n"
        "cache.run = waits\n"
        "sys.exit(cli.main(['cache', 'list']))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr.readline() == "waiting\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "")
