"""Takes artifacts apart and puts them together again, right or wrong, and runs what comes out."""

import inspect
import json
import struct
import zlib

import mxnet as mx

from tests.agreement import agree
from tests.runtime import tiny

PREFIX = 24


def header_end(artifact):
    """Where the header's text ends."""
    return PREFIX + struct.unpack_from("<Q", artifact, 16)[0]


def split(artifact):
    """The header as Python values, and the data area."""
    end = header_end(artifact)
    return json.loads(artifact[PREFIX:end]), artifact[end + -end % 64 :]


def join(header, data, length=None):
    """The container of a header, given as values or as text; `length` is a lie about the text's length."""
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    prefix = b"GLUONNRN" + struct.pack("<IIQ", 1, 0, len(text) if length is None else length)
    return prefix + text + bytes(-(PREFIX + len(text)) % 64) + data


def edited(artifact, change):
    """The artifact with a header that `change` was let at; it works on the values in place."""
    header, data = split(artifact)
    change(header)
    return join(header, data)


def unsealed(artifact):
    """The artifact without a checksum of its header, which the reader then believes."""
    return artifact[:12] + bytes(4) + artifact[16:]


def sealed(artifact):
    """The artifact with its header's CRC-32 where the format has room for it."""
    return artifact[:12] + struct.pack("<I", zlib.crc32(artifact[PREFIX : header_end(artifact)])) + artifact[16:]


class Runner:
    """A small region to run artifacts with, and the right result."""

    def __init__(self):
        self.region = tiny.dense()
        self.artifact = self.region.artifact()
        self.values = tiny.arrays(self.region, self.artifact)
        self.expected = tiny.reference(self.region)(self.values)[0]

    def __call__(self, artifact):
        """The result with these bytes as the artifact. MXNet raises its error here, not later."""
        values = {**self.values, "region0_neuronbin": tiny.blob(artifact)}
        symbol = tiny.node(self.region, artifact)
        args = {n: values[n] for n in symbol.list_arguments()}
        aux = {n: values[n] for n in symbol.list_auxiliary_states()}
        # MXNet's own, without the check that Python makes beforehand: the operator is to find the damage itself.
        bind = inspect.unwrap(mx.sym.Symbol.bind)
        return bind(symbol, mx.cpu(), args, grad_req="null", aux_states=aux).forward()[0].asnumpy()

    def refusal(self, artifact):
        """The operator's message, without MXNet's stack traces; empty when the result is right.

        Fails when the result is wrong, or the message is not one of the library's.
        """
        found = self.outcome(artifact)
        if isinstance(found, str):
            return found
        agree(found, self.expected, 1e-4, 1e-5)
        return ""

    def outcome(self, artifact):
        """The operator's message, or the result, right or wrong."""
        try:
            return self(artifact)
        except mx.MXNetError as error:
            lines = [line.strip() for line in str(error).splitlines() if "gluon_neuron: " in line]
            assert len(lines) == 1, str(error)
            return lines[0][lines[0].index("gluon_neuron: ") :]
