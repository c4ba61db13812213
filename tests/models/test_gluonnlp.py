"""gluonnlp's transformers and language models compile whole and agree with MXNet."""

from __future__ import annotations

import gluonnlp
import mxnet as mx
import numpy as np
import pytest
from gluonnlp.model.bert import BERTEncoder, BERTModel, RoBERTaModel
from gluonnlp.model.transformer import get_transformer_encoder_decoder

from tests.agreement import agree
from tests.models.whole import compiles

pytestmark = pytest.mark.models

SMALL = {"units": 32, "hidden_size": 64, "max_length": 40, "num_layers": 2, "num_heads": 4}
BASE = {"units": 768, "hidden_size": 3072, "max_length": 512, "num_layers": 12, "num_heads": 12}
WORDS = 100


def words(batch, steps, seed=0):
    return mx.nd.array(np.random.default_rng(seed).integers(0, WORDS, (batch, steps)))


def compiles_whole(net, *samples, scale=0.1):
    """Give the net random weights, compile for the first sample, and compare on all."""
    net.initialize(mx.init.Uniform(scale))
    return compiles(net, *samples)


def bert(sizes, vocabulary=WORDS, **options):
    units = sizes["units"]
    encoder = BERTEncoder(**sizes)
    return BERTModel(
        encoder=encoder, vocab_size=vocabulary, token_type_vocab_size=2, units=units, embed_size=units, **options
    )


def sentences(batch, steps, seed=0):
    """Words, the sentence that each belongs to, and how many of them count."""
    rng = np.random.default_rng(seed)
    second = np.arange(steps) >= rng.integers(1, steps, (batch, 1))
    return words(batch, steps, seed), mx.nd.array(second), mx.nd.array(rng.integers(1, steps + 1, batch))


def test_bert():
    net = bert(SMALL, use_pooler=True, use_decoder=False, use_classifier=True)
    compiles_whole(net, sentences(3, 20), sentences(3, 20, seed=1))


def test_bert_that_predicts_masked_words():
    net = bert(SMALL, use_pooler=True, use_decoder=True, use_classifier=True)
    masked = mx.nd.array([[1, 2], [0, 19], [7, 3]])
    compiles_whole(net, (*sentences(3, 20), masked), (*sentences(3, 20, seed=1), masked))


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 8])
def test_bert_base(batch):
    net = bert(BASE, 30522, use_pooler=True, use_decoder=False, use_classifier=False)
    compiles_whole(net, sentences(batch, 128), sentences(batch, 128, seed=1), scale=0.04)


def test_roberta():
    encoder = BERTEncoder(**SMALL, activation="gelu", layer_norm_eps=1e-5)
    net = RoBERTaModel(encoder=encoder, vocab_size=WORDS, units=32, embed_size=32, use_decoder=False)
    lengths = mx.nd.array([20, 13, 1])
    compiles_whole(net, (words(3, 20), lengths), (words(3, 20, seed=1), lengths[::-1]))


def test_transformer():
    encoder, decoder, _ = get_transformer_encoder_decoder(
        **{k: v for k, v in SMALL.items() if k != "max_length"}, max_src_length=40, max_tgt_length=40, dropout=0.0
    )
    source, lengths = mx.nd.random.normal(shape=(2, 12, 32)), mx.nd.array([12, 5])
    compiles_whole(encoder, (source, None, lengths))
    encoded = encoder(source, None, lengths)[0]
    states = decoder.init_state_from_encoder(encoded, lengths)
    target = mx.nd.random.normal(shape=(2, 9, 32))
    decoder.initialize(mx.init.Uniform(0.1))
    compiles_whole(decoder, (target, states, mx.nd.array([9, 4])))


@pytest.mark.parametrize("mode", ["lstm", "gru", "rnn_relu"])
@pytest.mark.parametrize("tied", [False, True])
def test_standard_language_model(mode, tied):
    net = gluonnlp.model.StandardRNN(mode, WORDS, 24, 24, 2, 0.0, tie_weights=tied)
    carried(net)


def test_awd_language_model():
    net = gluonnlp.model.AWDRNN("lstm", WORDS, 24, 32, 3, True, 0.2, 0.3, 0.2, 0.2, 0.1)
    carried(net)


def carried(net):
    """The compiled model's states go into its next call, as a user generates text."""
    text = [words(6, 3, seed=k) for k in range(3)]
    start = net.begin_state(func=mx.nd.zeros, batch_size=3)
    compiled = compiles_whole(net, (text[0], start), scale=0.5)
    ours = theirs = start
    for piece in text:
        found, ours = compiled(piece, ours)
        expected, theirs = net(piece, theirs)
        agree(found, expected, 1e-3, 1e-4)
