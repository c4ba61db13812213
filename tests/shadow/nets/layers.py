"""Gluon's plain layers: dense, activations, norms, embeddings, containers."""

import mxnet as mx
import numpy as np
from mxnet.gluon import contrib, nn

from gluon_neuron.errors import BlockError
from tests.shadow.corpus import (
    FRONT_ENDS,
    Branches,
    Plain,
    add,
    chain,
    images,
    integers,
    net,
    normal,
    positive,
    rows,
    steps,
)

BOTH = {"front_ends": FRONT_ENDS}

ALL = ("relu", "sigmoid", "tanh", "softrelu", "softsign")
add(
    "activations",
    lambda: Branches(nn.Dense(8), *(nn.Activation(a) for a in ALL), *(nn.Dense(3, activation=a) for a in ALL)),
    rows(),
    **BOTH,
)

ACTIVATIONS = {
    "leaky relu": lambda: nn.LeakyReLU(0.2),
    "prelu": lambda: nn.PReLU(),
    "prelu of channels": lambda: nn.PReLU(in_channels=8),
    "elu": lambda: nn.ELU(0.7),
    "selu": lambda: nn.SELU(),
    "swish": lambda: nn.Swish(1.5),
    "gelu": lambda: nn.GELU(),
}
for name, layer in ACTIVATIONS.items():
    add(name, lambda layer=layer: chain(nn.Conv2D(8, 3), layer(), nn.Dense(4)), images(), **BOTH)

NORMS = {
    "batch norm": lambda: nn.BatchNorm(),
    "batch norm without scale and centre": lambda: nn.BatchNorm(scale=False, center=False, epsilon=1e-3),
    "batch norm of the last axis": lambda: nn.BatchNorm(axis=3),
    "batch norm of the batch": lambda: nn.BatchNorm(use_global_stats=True),
    "layer norm": lambda: nn.LayerNorm(),
    "layer norm of channels": lambda: nn.LayerNorm(axis=1, center=False),
}
for name, layer in NORMS.items():
    add(name, lambda layer=layer: chain(nn.Conv2D(6, 3), layer(), nn.Dense(4)), images(), **BOTH)
NORMS = {
    "instance norm": lambda: nn.InstanceNorm(scale=True),
    "instance norm of the last axis": lambda: nn.InstanceNorm(axis=3),
    "group norm": lambda: nn.GroupNorm(3),
    "group norm of one group": lambda: nn.GroupNorm(1, scale=False, epsilon=1e-2),
    "synchronized batch norm": lambda: contrib.nn.SyncBatchNorm(in_channels=6, num_devices=1),
}
for name, layer in NORMS.items():
    add(name, lambda layer=layer: chain(nn.Conv2D(6, 3), layer(), nn.Dense(4)), images())


@net(images())
def batch_norm_and_relu():
    """The fused layer, as MXNet has it for some processors."""
    return chain(nn.Conv2D(16, 3), nn.BatchNormReLU(), nn.Dense(4))


@net(rows(), **BOTH)
def batch_norm_of_vectors():
    """Of two axes."""
    return chain(nn.Dense(7), nn.BatchNorm(), nn.Activation("relu"), nn.Dense(3))


@net(steps(), **BOTH)
def batch_norm_of_sequences():
    """Of three axes, the last being the channels."""
    return chain(nn.Dense(7, flatten=False), nn.BatchNorm(axis=-1), nn.Dense(3))


@net(rows(), **BOTH)
def dropout():
    """Does nothing in inference; nor with a rate of 0."""
    return chain(nn.Dense(8), nn.Dropout(0.5), nn.Dense(8), nn.Dropout(0.0), nn.Dropout(0.3, axes=(0,)), nn.Dense(2))


@net(steps(), **BOTH)
def dense_of_each_step():
    """Without flattening, without bias."""
    return chain(nn.Dense(8, flatten=False, use_bias=False), nn.Dense(2, flatten=False, activation="tanh"))


@net(images(4), **BOTH)
def flatten():
    """Flattened by a layer, by a dense one and by none."""
    return chain(nn.Conv2D(4, 3), nn.Flatten(), nn.Dense(5), nn.Dense(2))


@net(lambda n: (integers(20, n, 5),), **BOTH)
def embedding():
    """Words by floating-point numbers."""
    return chain(nn.Embedding(20, 6), nn.Dense(4, flatten=False))


@net(lambda n: (integers(20, n, 5, dtype="int32"),), **BOTH)
def embedding_of_integers():
    """Words by integers."""
    return chain(nn.Embedding(20, 6), nn.Dense(4))


@net(lambda n: (integers(25, n, 5, low=-3),))
def embedding_beyond_its_words():
    """What is out of range is clipped."""
    return chain(nn.Embedding(20, 6), nn.Dense(4))


@net(lambda n: (integers(20, n, 5),))
def embedding_with_sparse_gradient():
    """Its weight is dense."""
    return chain(nn.Embedding(20, 6, sparse_grad=True), nn.Dense(4, flatten=False))


@net(rows())
def hybrid_lambda():
    """A function of F, and the name of an operator."""
    return chain(
        nn.Dense(8), nn.HybridLambda(lambda F, x: F.LeakyReLU(x, slope=0.1)), nn.HybridLambda("tanh"), nn.Dense(3)
    )


@net(rows())
def concurrent():
    """Layers side by side, one of which does nothing."""
    made = contrib.nn.HybridConcurrent(axis=1)
    made.add(nn.Dense(4, activation="relu"), chain(nn.Dense(3), nn.Dense(2)), contrib.nn.Identity())
    return made


@net(rows(), **BOTH)
def identity():
    """At the beginning, between, and at the end."""
    return chain(contrib.nn.Identity(), nn.Dense(4), contrib.nn.Identity(), nn.Dense(4), contrib.nn.Identity())


@net(images(), compiled=False)
def nothing_to_compile():
    """Too little to be worth a call."""
    return chain(nn.Activation("relu"), nn.MaxPool2D())


@net(rows())
def nested_chains():
    """Chains in chains, one of them twice in a row."""
    twice = chain(nn.Dense(6, activation="tanh"))
    return chain(chain(nn.Dense(6), chain(nn.Dense(6))), twice, twice, chain())


@net(rows(), **BOTH)
def a_part_of_a_chain():
    """A slice of a net is a net."""
    return chain(nn.Dense(6), nn.Dense(5), nn.Dense(4))[:2]


@net(rows(), **BOTH)
def a_plain_sequence():
    """Sequential itself is not hybrid; its layers are."""
    made = nn.Sequential()
    made.add(nn.Dense(6), chain(nn.Dense(3), nn.Activation("relu")))
    return made


@net(rows())
def a_plain_concurrence():
    """Concurrent itself is not hybrid; its layers are."""
    made = contrib.nn.Concurrent(axis=1)
    made.add(nn.Dense(6), nn.Dense(3), contrib.nn.Identity())
    return made


NOT_HYBRID = {
    "sequential": lambda: nn.Sequential(),
    "lambda": lambda: nn.Lambda(lambda x: x * 2),
    "sparse embedding": lambda: contrib.nn.SparseEmbedding(20, 4),
}
for name, layer in NOT_HYBRID.items():
    add(
        f"refused: {name}",
        layer,
        lambda n: (integers(20, n),),
        error=(BlockError, "A plain Block runs Python at every call and cannot be exported"),
        runs=name != "sparse embedding",  # MXNet wants a Trainer for it
    )
add(
    "refused: concurrent",
    lambda: _with_child(contrib.nn.Concurrent(axis=1)),
    rows(),
    error=(BlockError, "takes a HybridBlock"),
)


def _with_child(block):
    block.add(nn.Dense(3))
    return block


@net(rows(), error=(BlockError, "cannot be exported to a symbol"))
class Refused_values(Plain):
    """Python decides by a value."""

    def __init__(self):
        super().__init__(
            lambda block, F, x: block.body(x) if x.sum().asscalar() > 0 else -block.body(x), body=nn.Dense(3)
        )


@net(rows(), error=(BlockError, "cannot be exported to a symbol"))
class Refused_shapes(Plain):
    """Python computes with a shape."""

    def __init__(self):
        super().__init__(lambda block, F, x: block.body(x) / x.shape[0], body=nn.Dense(3))


@net(rows(), error=(BlockError, "cannot be exported to a symbol"))
class Refused_a_dict(Plain):
    """Results by name are nothing that Gluon can hybridize."""

    def __init__(self):
        super().__init__(lambda block, F, x: {"out": block.body(x)}, body=nn.Dense(3))


@net(rows(), error=(BlockError, "cannot be exported to a symbol"))
class Refused_a_number(Plain):
    """A result that is no array."""

    def __init__(self):
        super().__init__(lambda block, F, x: (block.body(x), 3), body=nn.Dense(3))


@net(lambda n: (positive(n, 6), normal(n, 1)))
def symbol_block():
    """A net of a symbol, with two inputs."""
    x, y = mx.sym.var("x"), mx.sym.var("y")
    body = mx.sym.FullyConnected(mx.sym.log(x), num_hidden=5, name="body")
    return mx.gluon.SymbolBlock([mx.sym.broadcast_mul(body, y), body], [x, y])


@net(rows())
def a_constant():
    """A Parameter that never changes."""
    return Scaled()


class Scaled(mx.gluon.HybridBlock):
    """A layer, then factors of its own that are no weights."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.body = nn.Dense(4)
            self.factors = self.params.get_constant("factors", np.array([1.0, -2.0, 0.5, 3.0], "float32"))

    def hybrid_forward(self, F, x, factors):
        """Rows times the factors."""
        return F.broadcast_mul(self.body(x), factors)
