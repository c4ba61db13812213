"""Whole models as modules: nothing is refused, the module computes what MXNet does, and every node is named."""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon.model_zoo import vision

from gluon_neuron.hlo.check import check
from gluon_neuron.hlo.module import Module, read
from gluon_neuron.hlo.quality import quality
from gluon_neuron.hlo.rewrite import rewrite
from gluon_neuron.model_zoo.catalog import VISION, image_size_of
from gluon_neuron.targets.base import RegionJob
from gluon_neuron.targets.neuron.hlo_program import build
from tests.agreement import agree
from tests.nets import conv_net, images, initialized
from tests.targets.hlo import run_module, whole

from .modules import verified

TARGETS = ("inf2", "trn1", "trn2")


def rewritten(net, sample, inline=False) -> tuple[bytes, RegionJob, dict[str, np.ndarray]]:
    """A net's module as a compiler gets it, checked before and after."""
    job, values = whole(net, sample, inline)
    program = build(job)
    module = rewrite(program.module, program.inputs, program.outputs, "region0")
    verified(module)
    for target in TARGETS:
        # Newer jax writes ids that the compiler refuses, which are written anew.
        assert {v.code for v in check(program.module, target)} <= {"GN-ID"}
        assert [str(v) for v in check(module, target)] == []
    return module, job, values


def names_its_nodes(module: Module, job: RegionJob) -> None:
    """Every instruction has the name of a node of the graph, and what costs that of the right one."""
    nodes = {n.name: n.op for n in job.graph.nodes}
    assert {i.node for i in module.instructions} <= nodes.keys()
    operators = {"convolution": {"Convolution", "Deconvolution"}, "reduce-window": {"Pooling"}}
    for i in module.entry.instructions:
        assert nodes[i.node] in operators.get(i.opcode, {nodes[i.node]})


@pytest.mark.parametrize("inline", [False, True])
def test_a_net(inline):
    net = conv_net()
    module, job, values = rewritten(net, images(), inline)
    view = read(module)
    names_its_nodes(view, job)
    assert [p.node for p in view.entry.parameters] == list(job.inputs)
    (found,) = run_module(module, [values[n] for n in job.inputs])
    wanted = net(mx.nd.array(values["data"])).asnumpy()
    agree(found, wanted, 0, 2e-5 * np.abs(wanted).max())
    q = quality(view)
    assert (q.unfused_batch_norms, q.transposes, q.narrowed) == (2, 0, 0)
    weights = sum(v.nbytes for n, v in values.items() if n != "data")
    assert q.bytes >= weights
    assert q.parameters == (values["data"].nbytes if inline else values["data"].nbytes + weights)
    # 16 x 16 positions and then 8 x 8; those on padding cost nothing.
    convolutions = 2 * 8 * 3 * (16 * 3 - 2) ** 2 + 2 * 16 * 8 * (8 * 3 - 2) ** 2
    assert convolutions < q.flops < 1.1 * convolutions


def test_a_loop():
    """An LSTM too long to be unrolled: its trip count is read off, and its products count as often."""
    net = initialized(mx.gluon.rnn.LSTM(8, input_size=4), mx.nd.zeros((40, 2, 4)))
    module, job, _ = rewritten(net, mx.nd.random.normal(shape=(40, 2, 4)))
    view = read(module)
    names_its_nodes(view, job)
    assert "while" in quality(view).opcodes
    products = 2 * 40 * 2 * 4 * 8 * (4 + 8)
    assert products < quality(view).flops < 1.5 * products


@pytest.mark.slow
@pytest.mark.models
@pytest.mark.parametrize("name", VISION)
def test_the_vision_zoo(name):
    net = vision.get_model(name)
    sample = mx.nd.zeros((1, 3, *image_size_of(name)))
    net.initialize()
    net(sample)
    module, job, _ = rewritten(net, sample)
    view = read(module)
    names_its_nodes(view, job)
    norms = sum(n.op == "BatchNorm" for n in job.graph.operators)
    assert (quality(view).transposes, quality(view).unfused_batch_norms) == (0, norms)


@pytest.mark.slow
@pytest.mark.models
def test_bert():
    from gluonnlp.model.bert import BERTEncoder, BERTModel

    encoder = BERTEncoder(units=768, hidden_size=3072, max_length=64, num_layers=12, num_heads=12, dropout=0.0)
    net = BERTModel(
        encoder, 30522, 2, 768, embed_size=768, use_pooler=True, use_decoder=False, use_classifier=False, prefix="b_"
    )
    net.initialize()
    sample = (mx.nd.ones((1, 64)), mx.nd.zeros((1, 64)), mx.nd.array([50]))
    net(*sample)
    module, job, _ = rewritten(net, sample)
    names_its_nodes(read(module), job)
    assert quality(module).opcodes["dot"] > 12 * 6
