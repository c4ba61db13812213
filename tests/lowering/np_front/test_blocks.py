"""Blocks written in mx.np and mx.npx compile to one region that agrees with MXNet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon
from mxnet.gluon import nn

import gluon_neuron
from tests.agreement import agree


@pytest.fixture
def in_numpy() -> Iterator[None]:
    mx.npx.set_np()
    yield
    mx.npx.reset_np()


class Attention(gluon.HybridBlock):
    """One head by einsum, masked below the diagonal, then a normalised projection of it."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = units
        with self.name_scope():
            self.project = nn.Dense(3 * units, flatten=False, in_units=units)
            self.norm = nn.LayerNorm(in_channels=units)

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        q, k, v = F.np.split(self.project(x), 3, axis=-1)
        scores = F.np.einsum("btd,bsd->bts", q, k) / np.sqrt(self.units)
        future = F.np.tril(F.np.ones_like(scores)) == 0
        weights = F.npx.softmax(F.np.where(future, -1e9, scores), axis=-1)
        y = self.norm(x + F.np.matmul(weights, v))
        spread = F.np.std(y, axis=-1, keepdims=True)
        return F.np.tanh(F.np.concatenate([y, F.np.cumsum(y, axis=1), spread], axis=-1))


class Pixels(gluon.HybridBlock):
    """A convolution between padding, stacking, rolling and reductions to a scalar per image."""

    def __init__(self) -> None:
        super().__init__()
        with self.name_scope():
            self.conv = nn.Conv2D(4, 3, in_channels=3)

    def hybrid_forward(self, F: Any, x: Any) -> Any:
        x = F.np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
        y = F.npx.relu(self.conv(x)) ** 2
        turned = F.np.rot90(F.np.roll(y, 1, axis=2), k=1, axes=(2, 3))
        both = F.np.stack([y, turned], axis=1).mean(axis=(1, 2))
        angle = F.np.arctan2(both, 1 + F.np.abs(both))
        return F.npx.reshape(angle, (-2, -5)), F.np.tensordot(both, both, axes=3)


def check(net: gluon.HybridBlock, shape: tuple[int, ...]) -> None:
    net.initialize(mx.init.Xavier(magnitude=2))
    compiled = gluon_neuron.compile(net, mx.np.random.normal(size=shape))
    assert len(compiled.report.regions) == 1 and not compiled.report.outside, str(compiled.report)
    x = mx.np.random.normal(size=shape)
    found, expected = compiled(x), net(x)
    pairs = zip(found, expected) if isinstance(expected, list | tuple) else [(found, expected)]
    for got, want in pairs:
        assert got.shape == want.shape and got.dtype == want.dtype
        agree(got, want, rtol=1e-4, atol=1e-4)


def test_attention(in_numpy: None) -> None:
    check(Attention(16), (2, 5, 16))


def test_pixels(in_numpy: None) -> None:
    check(Pixels(), (2, 3, 8, 8))
