"""One weight for layers that read it in several ways: each gets it as it is meant to."""

from __future__ import annotations

from itertools import permutations

import mxnet as mx
import pytest
from mxnet.gluon import nn

import gluon_neuron
from tests.agreement import agree
from tests.unseen import ready

N = 8

FILTERS = {
    "convolution": lambda F, x, w: F.Convolution(x, w, no_bias=True, num_filter=N, kernel=(3, 3), pad=(1, 1)),
    "dilated": lambda F, x, w: F.Convolution(
        x, w, no_bias=True, num_filter=N, kernel=(3, 3), pad=(2, 2), dilate=(2, 2)
    ),
    "transposed": lambda F, x, w: F.Deconvolution(x, w, num_filter=N, kernel=(3, 3), pad=(1, 1)),
    "transposed, enlarging": lambda F, x, w: F.Deconvolution(x, w, num_filter=N, kernel=(3, 3), stride=(2, 2)),
    "swapped": lambda F, x, w: F.Convolution(
        x, F.transpose(w, axes=(1, 0, 2, 3)), no_bias=True, num_filter=N, kernel=(3, 3), pad=(1, 1)
    ),
}
PRODUCTS = {
    "dense": lambda F, x, w: F.FullyConnected(x, w, no_bias=True, num_hidden=N, flatten=False),
    "dot": lambda F, x, w: F.dot(x, w),
    "dot transposed": lambda F, x, w: F.dot(x, w, transpose_b=True),
    "the other way round": lambda F, x, w: F.transpose(F.dot(w, F.transpose(F.reshape(x, (-1, N))))),
    "batch_dot": lambda F, x, w: F.batch_dot(F.reshape(x, (1, -1, N)), F.expand_dims(w, 0)),
    "rows": lambda F, x, w: F.broadcast_add(x, F.take(w, F.arange(1))),
}


class Tied(nn.HybridBlock):
    def __init__(self, shape, *layers):
        super().__init__()
        self._layers = layers
        self.share = True
        with self.name_scope():
            self.w = self.params.get("weight", shape=shape, init=mx.init.Normal(0.3))

    def hybrid_forward(self, F, x, w):
        def weight():
            # MXNet itself has no transposed convolution of a weight that it has laid out for another.
            return w if self.share else w.copy()

        found = [layer(F, x, weight()) for layer in self._layers]
        for layer in self._layers:
            x = F.relu(layer(F, x, weight()))
        return [*found, x]


@pytest.mark.parametrize("options", [{}, {"inline_weights": True}], ids=["bound", "inline"])
@pytest.mark.parametrize(
    ("shape", "sample", "layers"),
    [
        *(((N, N, 3, 3), (1, N, 10, 9), (FILTERS[a], FILTERS[b])) for a, b in permutations(FILTERS, 2)),
        *(((N, N), (3, N), (PRODUCTS[a], PRODUCTS[b])) for a, b in permutations(PRODUCTS, 2)),
        ((N, N), (3, N), tuple(PRODUCTS.values())),
        ((N, N, 3, 3), (1, N, 10, 9), tuple(FILTERS.values())),
    ],
)
def test_each_reads_it_its_own_way(shape, sample, layers, options):
    net = Tied(shape, *layers)
    net.initialize()
    x = mx.nd.random.normal(shape=sample)
    compiled = gluon_neuron.compile(net, x, **options)
    net.share = False
    agree(ready(compiled, x), net(x), 1e-4, 1e-4)
    if not options:
        net.w.set_data(net.w.data() * 2)
        compiled.collect_params()[net.w.name].set_data(net.w.data())
        agree(ready(compiled, x), net(x), 1e-4, 1e-4)
