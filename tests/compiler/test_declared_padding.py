"""What is declared of padding is tried on the sample: results of its own that change are not passed over in silence."""

from __future__ import annotations

import logging

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from gluon_neuron.errors import OptionError
from tests.compiler.test_bucket_axes import Block, Masked, filled, words

AXES = {0: {1: [8, 16]}}

WRONG = {
    "a mean over the steps": lambda F, d, x: F.mean(d(x), axis=1),
    "softmax over the steps": lambda F, d, x: (x * 2, F.softmax(d(x), axis=1)),
    "the largest, of which none is positive": lambda F, d, x: F.max(-1 - x * x, axis=1),
    "reversed": lambda F, d, x: F.reverse(d(x), axis=1),
    "the best step": lambda F, d, x: F.argmax(-F.abs(x), axis=1),
}


def made(net, sample, **options):
    net.initialize(mx.init.Normal(0.5))
    return gluon_neuron.compile(net, sample, dynamic=False, **options)


@pytest.mark.parametrize("name", WRONG)
def test_what_the_sample_shows(name, caplog):
    with caplog.at_level(logging.WARNING):
        made(Block(WRONG[name]), filled(2, 8, 4), buckets=AXES, padding={0: [1]})
    (said,) = [r.getMessage() for r in caplog.records if "Option padding declares" in r.getMessage()]
    assert "padding axis 1 of 'data' from 8 to 16 changes the results of the sample itself: output" in said
    with pytest.raises(OptionError, match="Option padding declares that padding does no harm"):
        made(Block(WRONG[name]), filled(2, 8, 4), buckets=AXES, padding={0: [1]}, strict=True)


def test_of_a_symbol():
    x = mx.sym.var("x")
    symbol = mx.sym.mean(mx.sym.relu(x * 2), axis=1, name="mean")
    options = {"buckets": {"x": {1: [8]}}, "padding": {"x": [1]}, "strict": True}
    with pytest.raises(OptionError, match="padding axis 1 of 'x' from 4 to 8"):
        gluon_neuron.compile(symbol, {"x": mx.nd.ones((2, 4))}, args={}, include_nodes="mean", **options)


def test_what_is_so_is_passed_over(caplog):
    lengths = mx.nd.array([8, 5], dtype="int32")
    axes = {"data0": {0: [2, 4], 1: [8, 16]}, "data1": {0: [2, 4]}}
    with caplog.at_level(logging.WARNING):
        made(Masked(), (words(2, 8), lengths), buckets=axes, padding={0: [1]}, strict=True)
    assert not caplog.records
    # Behind a valid length of 0, attention is spread over all there is.
    with pytest.raises(OptionError, match="a valid length of 0, or beyond the sample's end"):
        made(Masked(), (words(2, 8), lengths * 0), buckets=axes, padding={0: [1]}, strict=True)


def test_there_is_nothing_to_try_it_on(caplog):
    net = Block(WRONG["reversed"])
    with caplog.at_level(logging.WARNING):
        made(net, filled(2, 16, 4), buckets=AXES, padding={0: [1]})
    assert not caplog.records


def test_what_is_not_finite_does_not_count(caplog):
    with caplog.at_level(logging.WARNING):
        compiled = made(Block(lambda F, d, x: F.log(x)), filled(2, 8, 4) * 0, buckets=AXES, padding={0: {1: 3}})
    assert not caplog.records and np.isneginf(compiled(filled(2, 5, 4) * 0).asnumpy()).all()
