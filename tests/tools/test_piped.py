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
