"""A command whose reader stops reading: no traceback, and no error."""

import os
import subprocess
import sys

import pytest

import gluon_neuron
from tests.nets import conv_net, images


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    found = tmp_path_factory.mktemp("model") / "net"
    gluon_neuron.compile(conv_net(), images()).export(found)
    return str(found)


def closed(*command):
    """Run a command whose standard output nobody reads; its status and what it complained of."""
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", *command], stdout=write, stderr=subprocess.PIPE, text=True, timeout=120
        )
    finally:
        os.close(write)
    return done.returncode, done.stderr


def test_nobody_reads(prefix):
    assert closed("-m", "gluon_neuron.tools", "check-model", prefix, "--show-names") == (0, "")
    assert closed("-m", "gluon_neuron.tools", "--help") == (0, "")


def test_other_errors_are_said(tmp_path):
    status, said = closed("-m", "gluon_neuron.tools", "check-model", str(tmp_path / "absent"))
    assert status == 3 and "There is no symbol file" in said and "Traceback" not in said


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("words", ["--help", "devices"])
def test_a_full_disk_is_an_error(words):
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "gluon_neuron", words]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode == 3 and "No space left" in done.stderr and done.stderr.count("\n") == 1


def test_both_streams_closed(prefix):
    command = f"'{sys.executable}' -W ignore -m gluon_neuron inspect '{prefix}' >&- 2>&-"
    assert subprocess.run(["sh", "-c", command], timeout=120).returncode == 0
    assert subprocess.run(["sh", "-c", command.replace("inspect", "inspect none")], timeout=120).returncode in (2, 3)
