"""Nets over sound and text compile whole and agree with MXNet."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest

from tests.agreement import agree
from tests.models import sequences
from tests.models.whole import compiles
from tests.nets import initialized

pytestmark = pytest.mark.models


def normal(*shape):
    return mx.nd.random.normal(shape=shape)


def integers(high, *shape):
    return mx.nd.array(np.random.default_rng(shape[0]).integers(0, high, shape))


def test_wavenet():
    samples = [(integers(16, batch, 24), normal(batch, 3, 6)) for batch in (1, 3)]
    net = initialized(sequences.WaveNet(), *samples[0])
    compiled = compiles(net, *samples)
    # What comes later must not matter.
    later, conditions = samples[1][0].copy(), samples[1][1]
    later[:, 20:] = 0
    first, second = (compiled(s, conditions).asnumpy() for s in (samples[1][0], later))
    agree(first[:, :, :20], second[:, :, :20])
    assert (first[:, :, 20:] != second[:, :, 20:]).any()


def test_vocoder():
    net = initialized(sequences.vocoder(), normal(1, 5, 9))
    compiles(net, (normal(1, 5, 9),), (normal(2, 5, 9),))


def test_text_recogniser():
    net = sequences.Recogniser()
    net.initialize(mx.init.Normal(0.4))
    compiles(net, (normal(1, 1, 32, 44),), (normal(3, 1, 32, 44),), (normal(1, 1, 32, 61),))


def test_speech_synthesiser():
    encoder, decoder = sequences.SpeechEncoder(), sequences.SpeechDecoder()
    texts = [(integers(20, batch, 9), mx.nd.array([9, 4, 1][:batch], dtype="int32")) for batch in (1, 3)]
    compiles(initialized(encoder, *texts[0]), *texts)
    steps = []
    for text, lengths in texts:
        memory = encoder(text, lengths)
        frame, weights, total, read, states = decoder.start(memory)
        steps.append((memory, lengths, normal(*frame.shape), weights, total, read, [normal(*s.shape) for s in states]))
    compiles(initialized(decoder, *steps[0]), *steps)
