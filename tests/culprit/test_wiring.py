"""Graphs are paired from their outputs down, and the first place where they differ is said."""

from __future__ import annotations

import json

import mxnet as mx
import pytest

from gluon_neuron.culprit.wiring import pair


def graph(symbol):
    return json.loads(symbol.tojson())


def dense(name, x, w="w"):
    return mx.sym.FullyConnected(x, weight=mx.sym.var(w), num_hidden=3, no_bias=True, name=name)


A, B = mx.sym.var("a"), mx.sym.var("b")


def pairing(ours, theirs, inputs=("a", "b"), their_inputs=None):
    return pair(graph(ours), graph(theirs), inputs, their_inputs or inputs)


def test_a_graph_is_itself():
    made = pairing(dense("one", A) + B, dense("one", A) + B)
    assert made.mismatch is None and made.variables == {"a": "a", "b": "b", "w": "w"}


def test_names_that_the_reference_does_not_have_are_labels():
    ours, theirs = dense("one", A, "w"), dense("other", mx.sym.var("data"), "v")
    made = pairing(ours, theirs, ("a",), ("data",))
    assert made.mismatch is None and made.variables == {"a": "data", "w": "v"}


@pytest.mark.parametrize(
    ("ours", "theirs", "node", "sentence"),
    [
        (A - B, B - A, "_minus", "is 'a', and the reference's is 'b'"),
        (dense("one", A), dense("one", B), "one", "input 0 of 'one' (FullyConnected) is 'a'"),
        (mx.sym.exp(A, name="e"), mx.sym.log(A, name="l"), "e", "'e' (exp) stands where the reference has 'l' (log)"),
        (mx.sym.sum(A, axis=0, name="s"), mx.sym.sum(A, axis=1, name="s"), "s", "with other attributes or inputs"),
        (
            mx.sym.Group(list(mx.sym.split(A, num_outputs=2, name="s"))),
            mx.sym.Group(list(mx.sym.split(A, num_outputs=2, name="s"))[::-1]),
            "s",
            "output 0 of the model is 's' (SliceChannel), and the reference's is 's' (SliceChannel), output 1",
        ),
        (mx.sym.Group([A * 2, B * 2]), A * 2, "_mulscalar", "2 outputs and the reference's 1"),
    ],
)
def test_the_first_difference_is_said(ours, theirs, node, sentence):
    found = pairing(ours, theirs).mismatch
    assert found is not None and found.node.name.startswith(node) and sentence in found.sentence


def test_of_two_the_one_that_comes_first():
    ours = mx.sym.exp(mx.sym.sum(A, axis=0, name="s"), name="e") + B
    theirs = mx.sym.exp(mx.sym.sum(A, axis=1, name="s"), name="e") * B
    assert pairing(ours, theirs).mismatch.node.name.startswith("_plus")
    theirs = mx.sym.exp(mx.sym.sum(A, axis=1, name="s"), name="e") + mx.sym.var("c")
    found = pairing(ours, theirs, ("a", "b"), ("a", "c"))
    assert found.mismatch.node.name == "s"
