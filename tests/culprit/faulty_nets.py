"""Nets in which faults are looked for."""

from __future__ import annotations

import mxnet as mx
from mxnet.gluon import nn

from tests.nets import images, initialized


class Chain(mx.gluon.HybridBlock):
    """More than 20 operators, one after the other."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.conv = nn.Conv2D(4, 3, padding=1)
            self.norm = nn.BatchNorm()
            self.layer_norm = nn.LayerNorm()
            self.dense = nn.Dense(6)
            self.shift = self.params.get("shift", shape=(1, 1, 4), init=mx.init.Uniform(1))

    def hybrid_forward(self, F, x, shift):
        y = F.LeakyReLU(F.Activation(self.norm(self.conv(x)), act_type="softsign"), act_type="leaky", slope=0.3)
        y = F.Pooling(y, kernel=(2, 2), stride=(2, 2), pool_type="avg") * 3.0
        y = F.broadcast_add(self.layer_norm(F.reshape(F.transpose(y, (0, 2, 3, 1)), (0, -1, 4))), shift)
        y = F.exp(F.softmax(F.batch_dot(y, y, transpose_b=True) * 0.2))
        y = F.concat(y, F.tanh(y), dim=1)
        y = F.clip(F.broadcast_mul(y, F.slice_axis(y, axis=1, begin=0, end=1)), -1.2, 50.0)
        y = F.mean(F.sqrt(F.abs(y)), axis=1)
        return F.log(F.sigmoid(self.dense(y)))


def chain():
    """A `Chain` and an input."""
    x = mx.nd.random.normal(shape=(2, 3, 8, 8))
    return initialized(Chain(), x), x


def small_net():
    """A net of three layers and an input."""
    net = nn.HybridSequential()
    net.add(nn.Conv2D(8, 3), nn.MaxPool2D(), nn.Dense(5))
    x = images(2, 10)
    return initialized(net, x), x
