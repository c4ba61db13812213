"""Whole models for the chips: everything is compiled, by the doubles, and the checker finds nothing to leave out."""

import mxnet as mx
import pytest
from mxnet.gluon.model_zoo import vision

import gluon_neuron
from tests.doubles.install import compilers as compilers
from tests.models.test_gluonnlp import SMALL, bert
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


def test_a_thousand_nodes_are_asked_about_quickly():
    """Nodes that become the same instructions are lowered once."""
    import time

    x = dense()
    for i in range(1000):
        x = mx.sym.relu(x, name=f"r{i}")
    args = {"fc_weight": mx.nd.ones((3, 4)), "fc_bias": mx.nd.ones(3)}
    start = time.process_time()
    report = gluon_neuron.analyze(x, {"data": mx.nd.ones((2, 4))}, args=args, aux={}, target="inf2")
    assert report.operator_share == 1 and time.process_time() - start < 5
