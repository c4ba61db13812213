"""Blocks that call MXNet's operators themselves: control flow, shapes of other arrays, choices, sorting, indices."""

import mxnet as mx
import numpy as np
from mxnet.gluon import HybridBlock, nn

from gluon_neuron.errors import InputError
from tests.nets import front
from tests.shadow.corpus import Plain, chain, images, integers, net, normal, positive, rows, steps


@net(steps(4))
def foreach():
    """A loop over steps, with a layer in its body."""

    def function(block, F, x):
        def body(step, state):
            after = F.tanh(block.layer(step) + state)
            return after * 2, after

        start = F.zeros_like(block.layer(F.slice_axis(x, axis=1, begin=0, end=1).squeeze(axis=1)))
        out, last = F.contrib.foreach(body, x.swapaxes(0, 1), start)
        return block.out(out), last

    return Plain(function, layer=nn.Dense(5), out=nn.Dense(3, flatten=False))


@net(lambda n: (normal(4, n, 5), normal(n, 5), normal(n, 5)))
def foreach_of_two_states():
    """As a recurrent cell."""

    def function(block, F, x, h, c):
        def body(step, states):
            gate = F.sigmoid(block.gate(F.concat(step, states[0], dim=1)))
            memory = gate * states[1] + (1 - gate) * step
            return memory, [F.tanh(memory), memory]

        return F.contrib.foreach(body, x, [h, c])

    return Plain(function, gate=nn.Dense(5, in_units=10))


@net(rows(5), stays=("_while_loop",))
def while_loop():
    """A loop with a condition."""

    def function(block, F, x):
        def condition(i, state):
            return i < 3

        def body(i, state):
            return block.layer(state), [i + 1, F.tanh(block.layer(state))]

        outs, (_, last) = F.contrib.while_loop(condition, body, [F.zeros((1,)), x], max_iterations=4)
        return block.head(last)

    return Plain(function, layer=nn.Dense(5, in_units=5), head=nn.Dense(2))


@net(lambda n: (normal(n, 5), integers(2, 1)), stays=("_cond",))
def cond():
    """Two branches, one of which is computed."""

    def function(block, F, x, which):
        y = block.body(x)
        return F.contrib.cond(which > 0, lambda: block.one(y), lambda: F.relu(y) * 2)

    return Plain(function, body=nn.Dense(4), one=nn.Dense(4, in_units=4))


@net(steps(5))
def arange_like():
    """Positions, for a length that only the input knows."""

    def function(block, F, x):
        y = block.body(x)
        return F.broadcast_add(y, block.places(F.contrib.arange_like(x, axis=1)).expand_dims(0))

    return Plain(function, body=nn.Dense(4, flatten=False), places=nn.Embedding(8, 4))


@net(lambda n: (normal(n, 3, 7, 6), normal(n, 4, 5, 5)))
def slice_like():
    """As far as another image reaches, on all axes and on some."""

    def function(block, F, x, y):
        y = block.body(y)
        return F.slice_like(block.body_x(x), y), F.slice_like(x, y, axes=(2,))

    return Plain(function, body=nn.Conv2D(3, 1), body_x=nn.Conv2D(3, 1))


@net(rows())
def where():
    """By a comparison."""

    def function(block, F, x):
        y = block.body(x)
        return F.where(y > 0, y * 2, F.zeros_like(y) - 1), F.where(y > 0.1, F.ones_like(y), F.zeros_like(y)).sum(axis=1)

    return Plain(function, body=nn.Dense(5))


@net(rows())
def topk():
    """The best, in each way to say so."""

    def function(block, F, x):
        y = block.body(x)
        values, places = F.topk(y, k=2, ret_typ="both")
        return values, places, F.topk(y, k=3, ret_typ="mask"), F.topk(y, k=1, is_ascend=True), F.argmax(y, axis=1)

    return Plain(function, body=nn.Dense(6))


@net(rows())
def sorting():
    """Sorted, and the order."""
    return Plain(
        lambda b, F, x: (F.sort(b.body(x), axis=1), F.argsort(b.body(x), axis=1, is_ascend=False)), body=nn.Dense(6)
    )


@net(rows())
def logic():
    """Comparisons and their conjunction."""

    def function(block, F, x):
        y = block.body(x)
        one = F.broadcast_greater(y, F.mean(y, axis=1, keepdims=True))
        return F.broadcast_logical_and(one, F.abs(y) < 1) * y, F.logical_not(one), one == (y > 0)

    return Plain(function, body=nn.Dense(6))


@net(lambda n: (normal(n, 6), integers(5, n), integers(5, n, 2)))
def picking():
    """By an index of each row, by one-hot, by a gather."""

    def function(block, F, x, label, pairs):
        y = block.body(x)
        batch = F.contrib.arange_like(label, axis=0)
        return (
            F.pick(y, label, axis=1),
            F.one_hot(label, 5) * y,
            F.gather_nd(y, F.stack(batch, label, axis=0)),
            F.take(y, pairs, axis=1, mode="clip"),
        )

    return Plain(function, body=nn.Dense(5))


@net(lambda n: (normal(n, 4, 6), integers(5, n, low=1)))
def sequences_of_lengths():
    """Masked, turned round, and their last steps."""

    def function(block, F, x, lengths):
        y = block.body(x).swapaxes(0, 1)
        given = {"sequence_length": lengths, "use_sequence_length": True}
        return F.SequenceMask(y, value=-1, **given), F.SequenceReverse(y, **given), F.SequenceLast(y, **given)

    return Plain(function, body=nn.Dense(5, flatten=False))


@net(steps(4, 6))
def reshaping():
    """By MXNet's special numbers."""

    def function(block, F, x):
        y = block.body(x)
        return (
            F.reshape(y, (0, 0, -4, 2, -1)),
            F.reshape(y, (-3, -2)),
            y.reshape((-1, 0), reverse=True),
            F.reshape_like(y, x, lhs_begin=0, lhs_end=1, rhs_begin=0, rhs_end=1),
        )

    return Plain(function, body=nn.Dense(8, flatten=False))


@net(images(6))
def slicing():
    """Steps, negative ends, splits, stacks, padding, tiling."""

    def function(block, F, x):
        y = block.body(x)
        one, two = F.split(y, 2, axis=1)
        return (
            F.slice(y, begin=(None, 1, None, None), end=(None, -1, None, -2), step=(1, 1, 2, 1)),
            F.stack(one, two, axis=2),
            F.pad(one, mode="constant", pad_width=(0, 0, 0, 0, 1, 2, 0, 1), constant_value=0.5),
            F.tile(two, (1, 2, 1, 2)),
            F.flip(one, axis=3),
            F.depth_to_space(y, 2),
            F.repeat(two, 2, axis=2),
        )

    return Plain(function, body=nn.Conv2D(4, 1))


@net(steps(4, 6))
def products():
    """Of matrices in a batch, of vectors, with either side transposed."""

    def function(block, F, x):
        y = block.body(x)
        square = F.batch_dot(y, y, transpose_b=True)
        return (
            square,
            F.linalg.gemm2(square, y, alpha=0.5),
            F.dot(y, F.transpose(F.slice_axis(y, axis=0, begin=0, end=1).reshape((-3, 0)))),
        )

    return Plain(function, body=nn.Dense(5, flatten=False))


@net(rows())
def reductions():
    """Of some axes, of all, with the rest."""

    def function(block, F, x):
        y = block.body(x)
        return (
            F.mean(y),
            F.sum(y, axis=0, exclude=True),
            F.norm(y, axis=1),
            F.max(y, axis=1, keepdims=True),
            F.prod(y, axis=1),
        )

    return Plain(function, body=nn.Dense(4))


@net(rows())
def softmaxes():
    """With a temperature, negative, of logarithms, of what is long."""

    def function(block, F, x):
        y = block.body(x)
        return (
            F.softmax(y, temperature=2.0),
            F.log_softmax(y, axis=0),
            F.softmin(y),
            F.SoftmaxActivation(y),
            F.hard_sigmoid(y),
        )

    return Plain(function, body=nn.Dense(4))


@net(lambda n: (normal(n, 6), integers(4, n)))
def an_old_output_layer():
    """Whose label inference ignores."""
    return Plain(lambda b, F, x, y: F.SoftmaxOutput(b.body(x), y, name="softmax"), body=nn.Dense(4))


@net(images(6))
def normalized_vectors():
    """Each to the length 1, by channel, by instance; and by neighbours."""

    def function(block, F, x):
        y = block.body(x)
        return F.L2Normalization(y, mode="channel"), F.L2Normalization(y), F.LRN(y, nsize=3)

    return Plain(function, body=nn.Conv2D(4, 3))


@net(lambda n: (normal(n, 3, 6, 6), normal(n, 6)))
def spatial_transformer():
    """A grid that a layer chooses."""

    def function(block, F, x, y):
        grid = F.GridGenerator(block.where(y), transform_type="affine", target_shape=(5, 5))
        return F.BilinearSampler(block.body(x), grid)

    return Plain(function, body=nn.Conv2D(2, 1), where=nn.Dense(6, activation="tanh"))


@net(lambda n: (normal(n, 3, 8, 8), rois(n)))
def pooled_regions():
    """As in detectors of two stages."""

    def function(block, F, x, regions):
        y = block.body(x)
        return (
            F.ROIPooling(y, regions, pooled_size=(2, 2), spatial_scale=1.0),
            F.contrib.ROIAlign(y, regions, pooled_size=(2, 2), spatial_scale=1.0, sample_ratio=2),
        )

    return Plain(function, body=nn.Conv2D(4, 3, padding=1))


def rois(n):
    """A region of each image."""
    return front(mx.nd.array([[i, 1, 1, 5 + i % 2, 6] for i in range(n)], dtype=np.float32))


@net(rows(), stays=("make_loss",))
def gradients_that_are_stopped():
    """And what else is of training only."""

    def function(block, F, x):
        y = F.BlockGrad(block.body(x))
        return F.make_loss(F.square(y).mean(axis=1)), F.identity(y), F.Dropout(y, p=0.5)

    return Plain(function, body=nn.Dense(4))


@net(rows(), stays=("_random_uniform",))
def random_numbers():
    """MXNet draws them, in the same order."""

    def function(block, F, x):
        return F.broadcast_add(block.body(x), F.random.uniform(0, 1, shape=(1, 4)))

    return Plain(function, body=nn.Dense(4))


@net(lambda n: (positive(n, 6),))
def elementwise():
    """A little of everything."""

    def function(block, F, x):
        y = block.body(x)
        return (
            F.exp(-y),
            F.sqrt(F.abs(y) + 1) / F.cbrt(F.square(y) + 1),
            F.clip(y, -0.5, 0.5) ** 2,
            F.sin(y) * F.arctan(y) + F.erf(y),
            F.floor(y) + F.round(y * 3) + F.sign(y),
            F.broadcast_maximum(y, F.zeros_like(y)) % 0.7,
            1 / (2 + F.tanh(y)),
        )

    return Plain(function, body=nn.Dense(5))


@net(lambda n: (normal(n, 6).astype("float32"), integers(100, n, 3, dtype="int32")), stays=("_mod_scalar",))
def integers_beside():
    """Arithmetic of integers beside a layer."""

    def function(block, F, x, i):
        return block.body(x), (i * 3 + 1) % 7, F.cast(i, "float32") / 4

    return Plain(function, body=nn.Dense(4))


class Custom(HybridBlock):
    """Parameters of its own and a buffer."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.scale = self.params.get("scale", shape=(1, 6), init="ones")
            self.mean = self.params.get("mean", shape=(1, 6), grad_req="null", differentiable=False)
            self.body = nn.Dense(3)

    def hybrid_forward(self, F, x, scale, mean):
        """Standardized by what it has learnt."""
        return self.body(F.broadcast_mul(F.broadcast_sub(x, mean), F.exp(scale)))


net(rows())(type("parameters of its own", (Custom,), {}))


@net(rows())
def a_weight_of_a_weight():
    """A normalized weight: its arithmetic is of parameters alone."""

    class Normalized(HybridBlock):
        def __init__(self):
            super().__init__()
            with self.name_scope():
                self.weight = self.params.get("weight", shape=(4, 6))
                self.gain = self.params.get("gain", shape=(4, 1), init="ones")

        def hybrid_forward(self, F, x, weight, gain):
            scaled = F.broadcast_mul(F.L2Normalization(weight, mode="instance"), gain)
            return F.FullyConnected(x, scaled, num_hidden=4, no_bias=True)

    return chain(Normalized(), nn.Dense(2))


@net(rows(), error=(InputError, "does not take inputs of these shapes"))
def refused_sums_of_unequal_shapes():
    """Arrays are broadcast by +, symbols are not: MXNet does not hybridize it either."""
    return Plain(lambda b, F, x: b.body(x) + F.ones((1, 4)), body=nn.Dense(4))
