"""README's first block runs as it stands, without a network."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import mxnet as mx
import pytest

import gluon_neuron

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.mark.models
def test_first_block(tmp_path, monkeypatch, capsys):
    def refuse(*_):
        raise AssertionError("the block asks for a network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("MXNET_HOME", str(tmp_path / "none"))  # where downloads would be kept
    monkeypatch.chdir(tmp_path)
    block = re.search(r"^```python\n(.*?)^```$", README, re.M | re.S).group(1)
    assert "gluon_neuron.compile(" in block and ".export(" in block
    made = {}
    exec(compile(block, "README.md", "exec"), made)
    assert "1 compiled region" in capsys.readouterr().out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["resnet50-0000.params", "resnet50-symbol.json"]
    x = mx.nd.random.uniform(shape=(1, 3, 224, 224))
    assert (gluon_neuron.load("resnet50")(x).asnumpy() == made["net"](x).asnumpy()).all()
