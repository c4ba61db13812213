"""Attention operators against MXNet: scaling and interleaved products, alone and in a transformer's block."""

from __future__ import annotations

import mxnet as mx
import pytest
from mxnet.gluon import nn

import gluon_neuron
from tests.agreement import agree
from tests.lowering.harness import check_op, random, refusal_of


@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 1, 4, 7)])
def test_div_sqrt_dim(shape: tuple[int, ...]) -> None:
    check_op("_contrib_div_sqrt_dim", [random(*shape)])
    check_op("_contrib_div_sqrt_dim", [random(*shape, dtype="float64")])


# Heads, size of a head, steps, batch.
SIZES = [(1, 4, 3, 2), (3, 2, 5, 1), (4, 5, 1, 3), (2, 1, 6, 2)]


@pytest.mark.parametrize(("heads", "size", "steps", "batch"), SIZES)
def test_self_attention(heads: int, size: int, steps: int, batch: int) -> None:
    qkv = random(steps, batch, heads * 3 * size)
    attention = random(batch * heads, steps, steps, seed=1)
    check_op("_contrib_interleaved_matmul_selfatt_qk", [qkv], {"heads": heads})
    check_op("_contrib_interleaved_matmul_selfatt_valatt", [qkv, attention], {"heads": heads})


@pytest.mark.parametrize(("heads", "size", "steps", "batch"), SIZES)
@pytest.mark.parametrize("memory", [1, 4])
def test_encoder_decoder_attention(heads: int, size: int, steps: int, batch: int, memory: int) -> None:
    queries, kv = random(steps, batch, heads * size), random(memory, batch, heads * 2 * size, seed=1)
    attention = random(batch * heads, steps, memory, seed=2)
    check_op("_contrib_interleaved_matmul_encdec_qk", [queries, kv], {"heads": heads})
    check_op("_contrib_interleaved_matmul_encdec_valatt", [kv, attention], {"heads": heads})


def test_integers_are_refused() -> None:
    refused = refusal_of("_contrib_div_sqrt_dim", [random(2, 3, dtype="int32")], {})
    assert refused and refused[0] == "dtype"


class Block(nn.HybridBlock):
    """A transformer's encoder cell with interleaved projections and a mask by valid length."""

    def __init__(self, units: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        with self.name_scope():
            self.project = nn.Dense(3 * units, flatten=False)
            self.merge = nn.Dense(units, flatten=False)
            self.norm = nn.LayerNorm()
            self.wide = nn.Dense(2 * units, flatten=False)
            self.narrow = nn.Dense(units, flatten=False)

    def hybrid_forward(self, F, x, length):  # x (T, N, C), length (N,)
        qkv = self.project(x)
        scores = F.contrib.interleaved_matmul_selfatt_qk(qkv, heads=self.heads)
        steps = F.contrib.arange_like(x, axis=0)
        outside = F.broadcast_greater_equal(F.expand_dims(steps, 0), F.expand_dims(length, 1))
        outside = F.expand_dims(F.repeat(outside, repeats=self.heads, axis=0), 1)
        attention = F.softmax(F.broadcast_add(scores, outside * -1e9), axis=-1)
        y = self.norm(x + self.merge(F.contrib.interleaved_matmul_selfatt_valatt(qkv, attention, heads=self.heads)))
        return y + self.narrow(F.LeakyReLU(self.wide(y), act_type="gelu"))


def test_transformer_block() -> None:
    net = Block(12, 3)
    net.initialize(mx.init.Uniform(0.5))
    x, length = mx.nd.array(random(6, 2, 12)), mx.nd.array([6, 4])
    want = net(x, length).asnumpy()
    compiled = gluon_neuron.compile(net, (x, length))
    assert len(compiled.report.regions) == 1 and not compiled.report.outside
    agree(compiled(x, length), want, rtol=1e-4, atol=1e-5)
