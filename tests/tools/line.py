"""Runs the command in this process, and small models in files for it."""

from __future__ import annotations

import json

import mxnet as mx
from mxnet.gluon import nn

from gluon_neuron.tools.cli import main
from tests.nets import conv_net, images


def say(capsys, *words):
    """The exit status, standard output and standard error of a command line."""
    capsys.readouterr()
    status = main([str(w) for w in words])
    said = capsys.readouterr()
    return status, said.out, said.err


def said(capsys, *words):
    """The standard output of a command line that ends well."""
    status, out, err = say(capsys, *words)
    assert status == 0, err
    return out


def fails(capsys, *words, status=3):
    """What a command line that ends with an error says: one line."""
    found, out, err = say(capsys, *words)
    assert (found, out) == (status, ""), err
    assert err.startswith(f"gluon-neuron {words[0]}: ") and err.count("\n") == 1, err
    return err


def document(capsys, *words, status=0):
    """The JSON document that a command line prints."""
    found, out, err = say(capsys, *words, "--json")
    assert found == status, err

    def never(text):
        raise AssertionError(f"{text} is not JSON")

    return json.loads(out, parse_constant=never)


def image_files(folder):
    """The files of a net for images of 16 by 16 pixels and 5 classes; their prefix."""
    net = conv_net()
    net.hybridize()
    net(images())
    net.export(str(folder / "net"))
    return folder / "net"


class TwoInputs(mx.gluon.HybridBlock):
    """Indices and lengths in, two results out."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.embed = nn.Embedding(10, 4)
            self.dense = nn.Dense(3, flatten=False)

    def hybrid_forward(self, F, tokens, lengths):
        x = self.dense(self.embed(tokens))
        return F.SequenceMask(x, lengths, use_sequence_length=True, axis=1), x.sum(axis=1)


def token_files(folder):
    """The files of a net of two inputs, data0 and data1; their prefix."""
    net = TwoInputs()
    net.initialize(mx.init.Normal(1))
    net.hybridize()
    net(mx.nd.zeros((2, 6)), mx.nd.ones(2))
    net.export(str(folder / "two"))
    return folder / "two"
