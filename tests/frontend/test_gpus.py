"""Models of a GPU: their files load on the host, and a GPU as a place to run is refused."""

import struct

import mxnet as mx
import pytest

import gluon_neuron
from gluon_neuron.errors import InputError
from tests.agreement import agree
from tests.nets import CLOSE, conv_net, images

_SIZES = {0: 4, 1: 8, 2: 2, 3: 1, 4: 4, 5: 1, 6: 8}
"""Bytes of an element, by MXNet's number of the dtype."""


def saved_on_a_gpu(path):
    """Write into a parameters file that each of its arrays was on the GPU 0."""
    raw = bytearray(path.read_bytes())
    magic, _, count = struct.unpack_from("<QQQ", raw)
    assert magic == 0x112 and count
    at = 24
    for _ in range(count):
        version, storage, axes = struct.unpack_from("<IiI", raw, at)
        assert version == 0xF993FAC9 and storage == 0
        shape = struct.unpack_from(f"<{axes}q", raw, at + 12)
        at += 12 + 8 * axes
        assert struct.unpack_from("<ii", raw, at) == (1, 0)
        struct.pack_into("<ii", raw, at, 2, 0)
        size = _SIZES[struct.unpack_from("<i", raw, at + 8)[0]]
        for extent in shape:
            size *= extent
        at += 12 + size
    path.write_bytes(raw)


def test_files_of_a_gpu(tmp_path):
    net, x = conv_net(), images()
    expected = net(x)
    gluon_neuron.compile(net, x).export(tmp_path / "net")
    saved_on_a_gpu(tmp_path / "net-0000.params")
    loaded = gluon_neuron.load(tmp_path / "net")
    agree(loaded(x), expected, **CLOSE)
    plain = [str(tmp_path / "net-symbol.json"), ["data"], str(tmp_path / "net-0000.params")]
    agree(mx.gluon.SymbolBlock.imports(*plain)(x), expected, **CLOSE)
    net.save_parameters(str(tmp_path / "weights"))
    saved_on_a_gpu(tmp_path / "weights")
    net.load_parameters(str(tmp_path / "weights"))
    agree(gluon_neuron.compile(net, x)(x), expected, **CLOSE)


def test_a_gpu_is_no_place_to_run(tmp_path, monkeypatch):
    net, x = conv_net(), images()
    gluon_neuron.compile(net, x).export(tmp_path / "net")
    for ctx in (mx.gpu(1), [mx.cpu(), mx.gpu(1)]):
        with pytest.raises(InputError, match=r"gpu\(1\).*ctx=mx.cpu\(\)"):
            gluon_neuron.load(tmp_path / "net", ctx=ctx)
    with mx.gpu(0), pytest.raises(InputError, match=r"gpu\(0\)"):
        gluon_neuron.load(tmp_path / "net")
    # MXNet without GPUs makes no such parameter.
    monkeypatch.setattr(net[0].weight, "_ctx_list", [mx.gpu(0)])
    with pytest.raises(InputError, match=r"parameters are on gpu\(0\).*reset_ctx.*mx.cpu\(\)"):
        gluon_neuron.compile(net, x)
