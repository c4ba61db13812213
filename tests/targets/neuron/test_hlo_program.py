"""A region as an HLO module: its order of parameters, its names, its values on XLA's CPU, and what it must not hold."""

from __future__ import annotations

import subprocess
import sys

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon.model_zoo import vision

from gluon_neuron.hlo.check import check
from gluon_neuron.hlo.module import read
from gluon_neuron.hlo.rewrite import rewrite
from gluon_neuron.targets.neuron.hlo_program import build
from tests.nets import conv_net, initialized

from ..hlo import agrees, whole


@pytest.fixture(scope="module")
def net():
    return conv_net(), mx.nd.random.uniform(-1, 1, (2, 3, 16, 16))


@pytest.mark.parametrize("inline", [False, True])
def test_a_net_agrees_with_mxnet(net, inline):
    module = agrees(*net, inline)
    assert check(module, "trn2") == ()
    count = len(whole(*net)[0].inputs)
    assert len(read(module).entry.parameters) == (1 if inline else count)


def test_instructions_carry_the_nodes_they_come_from(net):
    job, _ = whole(*net)
    nodes = {n.name for n in job.graph.operators}
    instructions = [i for i in read(build(job).module).entry.instructions if i.opcode not in ("parameter", "constant")]
    named = [i for i in instructions if any(f"/{n}/" in f"{i.op_name}/" for n in nodes)]
    # jax writes scalars that are spread without saying where.
    assert {i.opcode for i in instructions if i not in named} <= {"broadcast", "tuple"}
    missing = {n for n in nodes if not any(f"/{n}/" in i.op_name for i in named)}
    assert not missing


def test_the_same_region_gives_the_same_bytes(net):
    job, _ = whole(*net)
    first, second = build(job), build(job)
    assert rewrite(first.module, first.inputs, first.outputs) == rewrite(second.module, second.inputs, second.outputs)


class Typed(mx.gluon.HybridBlock):
    """Has 64-bit integers, a parameter that nothing reads (gamma), and a result that hangs on no input."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.norm = mx.gluon.nn.BatchNorm(scale=False)

    def hybrid_forward(self, F, x, n):
        return F.elemwise_mul(n, n), F.shape_array(x), self.norm(x)


def test_64_bit_integers_are_not_cut_and_unread_inputs_are_kept():
    net = Typed()
    net.initialize(mx.init.Normal(1))
    x, n = mx.nd.random.normal(shape=(3, 4)), mx.nd.array([2**31 + 1, -7], dtype="int64")
    module = read(agrees(net, (x, n)))
    parameters = module.entry.parameters
    assert [p.shape.type for p in parameters].count("s64") == 1 and len(parameters) == 6


def test_the_process_keeps_its_32_bits(net):
    import jax

    before = jax.config.jax_enable_x64
    build(whole(*net)[0])
    assert jax.config.jax_enable_x64 == before
    assert jax.numpy.asarray(np.int64([1])).dtype == ("int64" if before else "int32")


class Long(mx.gluon.HybridBlock):
    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.layer = mx.gluon.rnn.LSTM(5, num_layers=1, bidirectional=True, input_size=3)

    def hybrid_forward(self, F, x):
        return self.layer(x)


def test_a_long_sequence_is_a_loop_of_known_length():
    net = Long()
    net.initialize(mx.init.Uniform(1))
    module = agrees(net, mx.nd.random.normal(shape=(40, 2, 3)))
    assert check(module, "trn2") == ()
    opcodes = [i.opcode for i in read(module).instructions]
    assert opcodes.count("while") == 2 and len(opcodes) < 400
    assert not [i for i in read(module).instructions if i.shape.arrays and "64" in i.shape.arrays[0].type]


def test_without_jax_the_error_says_what_to_install():
    code = """
import sys
sys.modules["jax"] = None
from gluon_neuron.dialect.in_jax.program import hlo_module
from gluon_neuron.errors import EngineError
try:
    hlo_module(lambda xp: [xp.constant(1.0)], {})
except EngineError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install '.[neuronx]'" in done.stdout


WHOLE = ("resnet18_v1", "resnet50_v2", "mobilenet_v2_1_0", "squeezenet1_1", "densenet121", "inception_v3", "vgg11_bn")


@pytest.mark.slow
@pytest.mark.models
@pytest.mark.parametrize("name", WHOLE)
def test_a_model_of_the_zoo_agrees_with_mxnet(name):
    size = 299 if name.startswith("inception") else 224
    net = getattr(vision, name)(prefix="net_")
    x = mx.nd.random.uniform(-1, 1, (1, 3, size, size))
    module = agrees(initialized(net, x), x)
    assert check(module, "trn2") == ()


@pytest.mark.slow
@pytest.mark.models
def test_bert_agrees_with_mxnet():
    import gluonnlp

    net = gluonnlp.model.BERTModel(
        encoder=gluonnlp.model.BERTEncoder(
            num_layers=2, units=64, hidden_size=128, max_length=32, num_heads=4, output_attention=False
        ),
        vocab_size=100,
        token_type_vocab_size=2,
        units=64,
        embed_size=64,
        use_classifier=False,
        use_decoder=False,
    )
    net.initialize(mx.init.Normal(0.1))
    words = mx.nd.array(np.random.randint(0, 100, (2, 16)))
    module = agrees(net, (words, mx.nd.zeros((2, 16)), mx.nd.array([16, 9])))
    assert check(module, "trn2") == ()
