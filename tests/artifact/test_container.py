"""The container: round trip, and every damage is an error of ours."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon_neuron.artifact.container import Artifact, Payload, pack, unpack
from gluon_neuron.errors import ArtifactCorruptError, ArtifactError, ArtifactVersionError


def artifact():
    signature = {"inputs": [{"name": "x", "shape": [1, 3], "dtype": "float32", "role": "data"}], "outputs": []}
    first = Payload("cpu", "openvino", "2026.4", signature, {"xml": [0, 3]}, b"xml" * 50)
    second = Payload("inf2", "libnrt", "2", signature, {}, b"")
    return Artifact("ab" * 32, {"auto_cast": "none"}, (first, second), "0.1.0")


DATA = pack(artifact())


def test_round_trip():
    assert unpack(DATA) == artifact()
    assert len(DATA) % 64 == 0


@given(st.integers(0, len(DATA) - 1))
def test_truncated(length):
    with pytest.raises(ArtifactCorruptError):
        unpack(DATA[:length])


@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_flipped_bytes_are_found_or_harmless(position, flip):
    damaged = bytearray(DATA)
    damaged[position] ^= flip
    try:
        found = unpack(bytes(damaged))
    except ArtifactError:
        return
    # Only text that no checksum covers may differ, never a program.
    assert [p.data for p in found.payloads] == [p.data for p in artifact().payloads]


@given(st.integers(24, 24 + 500), st.integers(1, 255))
def test_no_damage_of_the_header_goes_unseen(position, flip):
    damaged = bytearray(DATA)
    damaged[position] ^= flip
    with pytest.raises(ArtifactCorruptError, match="checksum"):
        unpack(bytes(damaged))


def test_newer_version():
    newer = bytearray(DATA)
    struct.pack_into("<I", newer, 8, 2)
    with pytest.raises(ArtifactVersionError, match="format version 2.*reads up to 1"):
        unpack(bytes(newer), "The artifact of node 'n'")


def test_not_an_artifact():
    with pytest.raises(ArtifactCorruptError, match="not an artifact of gluon_neuron"):
        unpack(b"\x7fELF" + bytes(100))
    with pytest.raises(ArtifactCorruptError, match="truncated"):
        unpack(b"")


@pytest.mark.parametrize(
    "edit",
    [
        lambda h: h.pop("payloads"),
        lambda h: h["payloads"][0].update(offset=10**9),
        lambda h: h["payloads"][0].update(size=-1),
        lambda h: h["payloads"][0].update(offset="0"),
        lambda h: h.update(payloads=3),
        lambda h: h["payloads"][0].pop("sha256"),
        lambda h: h["payloads"][0].update(sha256="0" * 64),
    ],
)
def test_misused_headers(edit):
    length = struct.unpack_from("<Q", DATA, 16)[0]
    header = json.loads(DATA[24 : 24 + length])
    data = DATA[24 + length + -(24 + length) % 64 :]
    edit(header)
    text = json.dumps(header).encode()
    damaged = DATA[:16] + struct.pack("<Q", len(text)) + text + bytes(-(24 + len(text)) % 64) + data
    with pytest.raises(ArtifactCorruptError):
        unpack(damaged)


def test_duplicate_keys():
    text = b'{"format":1,"format":1}'
    with pytest.raises(ArtifactCorruptError, match="twice"):
        unpack(DATA[:12] + bytes(4) + struct.pack("<Q", len(text)) + text + bytes(100))
