"""One weight for layers that read it in several ways: each gets it as it is meant to."""

from __future__ import annotations

from itertools import combinations, permutations

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
    "dense": lambda F, x, w: F.FullyConnected(x, w, no_bias=True, num_hidden=4, flatten=False),
    "dot": lambda F, x, w: F.dot(x, w),
    "dot transposed": lambda F, x, w: F.dot(x, w, transpose_b=True),
    "the other way round": lambda F, x, w: F.transpose(F.dot(w, F.transpose(F.reshape(x, (-1, 4))))),
    "a transpose's": lambda F, x, w: F.dot(x, F.transpose(w)),
    "dense, of a transpose": lambda F, x, w: F.FullyConnected(
        x, F.transpose(w), no_bias=True, num_hidden=4, flatten=False
    ),
    "of two transposes": lambda F, x, w: F.dot(x, F.transpose(F.reshape(F.transpose(w), (4, 4)))),
    "batch_dot, of a transpose": lambda F, x, w: F.batch_dot(
        F.reshape(x, (1, -1, 4)), F.transpose(F.expand_dims(w, 0), axes=(0, 2, 1))
    ),
    "batch_dot": lambda F, x, w: F.batch_dot(F.reshape(x, (1, -1, 4)), F.expand_dims(w, 0)),
    "convolution of points": lambda F, x, w: F.reshape(
        F.Convolution(
            F.reshape(x, (-1, 4, 1, 1)), F.reshape(w, (4, 4, 1, 1)), no_bias=True, num_filter=4, kernel=(1, 1)
        ),
        (-1, 4),
    ),
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


def check(shape, sample, layers, options):
    net = Tied(shape, *layers)
    net.initialize()
    x = mx.nd.random.normal(shape=sample)
    compiled = gluon_neuron.compile(net, x, **options)
    net.share = False
    agree(ready(compiled, x), net(x), 1e-4, 1e-4)
    if "inline_weights" not in options:
        net.w.set_data(net.w.data() * 2)
        compiled.collect_params()[net.w.name].set_data(net.w.data())
        agree(ready(compiled, x), net(x), 1e-4, 1e-4)


@pytest.mark.parametrize("pair", list(permutations(FILTERS, 2)), ids=" and ".join)
def test_two_with_filters(pair):
    check((N, N, 3, 3), (1, N, 10, 9), [FILTERS[n] for n in pair], {"dynamic": False})


@pytest.mark.parametrize("pair", list(combinations(PRODUCTS, 2)), ids=" and ".join)
def test_two_products(pair):
    check((4, 4), (3, 4), [PRODUCTS[n] for n in pair], {"dynamic": False})


@pytest.mark.parametrize("options", [{}, {"inline_weights": True}], ids=["bound", "inline"])
def test_all(options):
    """In several orders: what OpenVINO lays out first is the one that the others must not get."""
    check((N, N, 3, 3), (1, N, 10, 9), list(FILTERS.values()), options)
    names = list(PRODUCTS)
    for turn in range(0, len(names), 3):
        check((4, 4), (3, 4), [PRODUCTS[n] for n in (*names[turn:], *names[:turn])], options)


def test_more_copies_than_places_to_cut():
    """A square of 2 has two."""
    ways = [
        lambda F, x, w: F.dot(x, w),
        lambda F, x, w: F.dot(x, F.transpose(w)),
        lambda F, x, w: F.FullyConnected(x, w, no_bias=True, num_hidden=2),
        lambda F, x, w: F.FullyConnected(x, F.transpose(w), no_bias=True, num_hidden=2),
        lambda F, x, w: F.dot(x, F.transpose(F.reshape(F.transpose(w), (2, 2)))),
    ]
    for turn in range(len(ways)):
        check((2, 2), (3, 2), [*ways[turn:], *ways[:turn]], {})
