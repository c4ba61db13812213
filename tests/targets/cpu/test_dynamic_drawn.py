"""Nets drawn at random, compiled for one shape and called with others: what serves all of them agrees with MXNet."""

from __future__ import annotations

import random

import mxnet as mx
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.runtime import background
from tests.agreement import agree

CHANNELS = 4


def conv(draw):
    how = {
        "stride": (draw(1, 3), draw(1, 3)),
        "dilate": (draw(1, 3), draw(1, 3)),
        "pad": (draw(0, 2), draw(0, 2)),
    }
    return lambda F, w, x: F.Convolution(x, w, no_bias=True, num_filter=CHANNELS, kernel=(3, 3), **how)


def transposed(draw):
    stride, pad, adj = draw(2, 3), draw(0, 1), draw(0, 1)
    return lambda F, w, x: F.Deconvolution(
        x, w, num_filter=CHANNELS, kernel=(3, 3), stride=(stride,) * 2, pad=(pad,) * 2, adj=(adj,) * 2
    )


def pooled(draw):
    how = {
        "pool_type": draw.one("max", "avg", "sum"),
        "pooling_convention": draw.one("full", "full", "valid"),
        "kernel": (draw(2, 3), draw(2, 3)),
        "stride": (draw(1, 3), draw(1, 3)),
        "pad": (draw(0, 1), draw(0, 1)),
        "count_include_pad": draw.one(True, False),
    }
    return lambda F, w, x: F.Pooling(x, **how)


def resized(draw):
    if draw.one(True, False):
        mode = draw.one("to_even_down", "to_even_up", "to_odd_down", "to_odd_up")
        return lambda F, w, x: F.contrib.BilinearResize2D(x, mode=mode)
    size, align = (draw(3, 9), draw(3, 9)), draw.one(True, False)
    return lambda F, w, x: F.contrib.BilinearResize2D(x, height=size[0], width=size[1], align_corners=align)


def averaged(draw):
    size = draw(1, 5), draw(1, 5)
    return lambda F, w, x: F.contrib.AdaptiveAvgPooling2D(x, output_size=size)


def cut(draw):
    axis, begin, end = draw(2, 3), draw(0, 1), draw.one(None, -1)
    return lambda F, w, x: F.slice_axis(x, axis=axis, begin=begin, end=end)


def again(draw):
    """Down, up again, and cut to what it was: as nets with lateral connections do."""
    pool = pooled(draw)

    def layer(F, w, x):
        y = F.UpSampling(pool(F, w, x), scale=4, sample_type="nearest")
        return F.broadcast_add(F.slice_like(y, x, axes=(2, 3)), F.mean(x, axis=(2, 3), keepdims=True))

    return layer


LAYERS = (conv, conv, transposed, pooled, pooled, resized, averaged, cut, again)


class Draw:
    def __init__(self, seed):
        self._random = random.Random(seed)
        self.one = lambda *choices: self._random.choice(choices)

    def __call__(self, low, high):
        return self._random.randint(low, high)


class Drawn(nn.HybridBlock):
    def __init__(self, draw):
        super().__init__()
        self._layers = [draw.one(*LAYERS)(draw) for _ in range(draw(1, 5))]
        with self.name_scope():
            self.w = self.params.get("weight", shape=(CHANNELS, CHANNELS, 3, 3))

    def hybrid_forward(self, F, x, w):
        for layer in self._layers:
            x = F.relu(layer(F, w, x))
        return F.mean(x, axis=(2, 3)) if len(self._layers) % 2 else x


def runs(net, shape):
    """What MXNet gives, or None where it takes no such shape."""
    x = mx.nd.random.normal(shape=shape)
    try:
        return x, net(x).asnumpy()
    except (mx.base.MXNetError, ValueError):
        return None


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(400))
def test_drawn(seed):
    draw = Draw(seed)
    net = Drawn(draw)
    net.initialize(mx.init.Xavier())
    sample = (draw(1, 3), CHANNELS, draw(12, 70), draw(12, 70))
    found = runs(net, sample)
    if found is None or not found[1].size:
        pytest.skip("MXNet does not run it")
    compiled = gluon_neuron.compile(net, found[0])
    free = [e for r in compiled.report.regions for e in r.dynamic_dimensions]
    for turn in range(14):
        near = [n + draw(-3, 3) for n in sample[2:]] if turn % 2 else [draw(1, 90), draw(1, 90)]
        shape = (draw(1, 4) if turn else sample[0] + 1, CHANNELS, *(near if turn else sample[2:]))
        found = runs(net, shape) if min(shape) > 0 else None
        if found is None or not found[1].size:
            continue
        for _ in range(2 if free else 1):
            agree(compiled(found[0]), found[1], 1e-4, 1e-4)
            background.wait(60)
