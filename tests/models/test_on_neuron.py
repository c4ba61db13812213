"""Whole models for the chips: everything is compiled, by the doubles, and the checker finds nothing to leave out."""

import mxnet as mx
import pytest
from gluonnlp.model.bert import BERTEncoder, RoBERTaModel
from gluonnlp.model.transformer import get_transformer_encoder_decoder
from mxnet.gluon.model_zoo import vision

import gluon_neuron
from gluon_neuron.targets.neuron import hlo_program, neuronx
from tests.doubles.install import compilers as compilers
from tests.models.test_gluonnlp import SMALL, WORDS, bert, words
from tests.targets.tiny import dense

pytestmark = [pytest.mark.models, pytest.mark.slow]

MODELS = ("resnet50_v1", "resnet18_v2", "mobilenet0.25", "mobilenetv2_0.25", "densenet121", "squeezenet1.1")


def compiled(net, sample, target):
    """The report; a region whose compile fails raises."""
    cast = {"auto_cast": "matmult"} if target == "inf1" else {}
    report = gluon_neuron.compile(net, sample, target=target, **cast).report
    assert not [o for o in report.outside if o.category == "compile failed"], str(report)
    return report


@pytest.mark.parametrize("target", ["inf2", "trn2", "inf1"])
@pytest.mark.parametrize("name", MODELS)
def test_vision(name, target, compilers):
    net = vision.get_model(name)
    net.initialize()
    report = compiled(net, mx.nd.zeros((1, 3, 224, 224)), target)
    assert report.operator_share == 1 and len(report.regions) == 1
    if target != "inf1":
        (program,) = report.regions[0].programs
        assert program.quality["flops"] > 1e7


@pytest.mark.parametrize("target", ["trn1", "inf1"])
def test_bert(target, compilers):
    net = bert(SMALL, use_pooler=True, use_decoder=False, use_classifier=False)
    net.initialize()
    words, segments = mx.nd.ones((2, 16)), mx.nd.zeros((2, 16))
    report = compiled(net, (words, segments, mx.nd.array([16, 9])), target)
    assert report.flops_share > 0.95
    if target == "inf1":
        assert {"Embedding"} <= {o.op for o in report.outside if "123 operators" in o.sentence}


@pytest.mark.parametrize("target", ["inf2", "trn2"])
def test_roberta(target, compilers):
    encoder = BERTEncoder(**SMALL, activation="gelu", layer_norm_eps=1e-5)
    net = RoBERTaModel(encoder=encoder, vocab_size=WORDS, units=32, embed_size=32, use_decoder=False)
    net.initialize()
    assert nothing_refused(compiled(net, (words(3, 20), mx.nd.array([20, 13, 1])), target))


@pytest.mark.parametrize("target", ["inf2", "trn2"])
def test_transformer(target, compilers):
    sizes = {k: v for k, v in SMALL.items() if k != "max_length"}
    encoder, decoder, _ = get_transformer_encoder_decoder(**sizes, max_src_length=40, max_tgt_length=40, dropout=0.0)
    encoder.initialize()
    decoder.initialize()
    source, lengths = mx.nd.random.normal(shape=(2, 12, 32)), mx.nd.array([12, 5])
    assert nothing_refused(compiled(encoder, (source, None, lengths), target))
    states = decoder.init_state_from_encoder(encoder(source, None, lengths)[0], lengths)
    step = mx.nd.random.normal(shape=(2, 9, 32)), states, mx.nd.array([9, 4])
    assert nothing_refused(compiled(decoder, step, target))


def nothing_refused(report):
    """Whether the chip takes every operator and something was compiled."""
    assert not [o for o in report.outside if o.category == "target"], str(report)
    return report.flops_share > 0.95


def test_nodes_that_become_the_same_are_lowered_once(monkeypatch):
    lowered = []
    monkeypatch.setattr(neuronx, "build", lambda work: lowered.append(work) or hlo_program.build(work))
    x = dense()
    for i in range(1000):
        x = mx.sym.relu(x, name=f"r{i}")
    args = {"fc_weight": mx.nd.ones((3, 4)), "fc_bias": mx.nd.ones(3)}
    report = gluon_neuron.analyze(x, {"data": mx.nd.ones((2, 4))}, args=args, aux={}, target="inf2")
    assert report.operator_share == 1 and len(lowered) == 2
