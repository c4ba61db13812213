"""Recurrent layers and cells, with all that modifies them, by steps and unrolled."""

from mxnet.gluon import HybridBlock, contrib, nn, rnn

from gluon_neuron.errors import BlockError
from tests.shadow.corpus import FRONT_ENDS, add, integers, net, normal, steps

BOTH = {"front_ends": FRONT_ENDS}


class Layer(HybridBlock):
    """A recurrent layer between others; its states are given or not, and returned when they are."""

    def __init__(self, layer):
        super().__init__()
        with self.name_scope():
            self.layer = layer
            self.out = nn.Dense(3, flatten=False)

    def hybrid_forward(self, F, x, *states):
        """States as one list."""
        if not states:
            return self.out(self.layer(x))
        y, after = self.layer(x, list(states))
        return self.out(y), after


LAYERS = {
    "lstm": lambda **kwargs: rnn.LSTM(5, **kwargs),
    "lstm both ways": lambda **kwargs: rnn.LSTM(4, 2, bidirectional=True, dropout=0.3, **kwargs),
    "gru": lambda **kwargs: rnn.GRU(5, 2, **kwargs),
    "rnn of relu": lambda **kwargs: rnn.RNN(5, **kwargs),
    "rnn of tanh": lambda **kwargs: rnn.RNN(5, activation="tanh", bidirectional=True, **kwargs),
}
for name, layer in LAYERS.items():
    layout = "TNC" if name in ("lstm", "gru") else "NTC"
    add(f"{name}, {layout}", lambda layer=layer, layout=layout: layer(layout=layout), steps(layout=layout), **BOTH)
# MXNet itself hybridizes it under mx.nd only: the batch of its first states is unknown.
add("a layer in a net", lambda: Layer(rnn.GRU(5, layout="NTC")), steps())
add("a layer with states", lambda: rnn.LSTM(5), lambda n: (normal(4, n, 6), [normal(1, n, 5), normal(1, n, 5)]), **BOTH)
add("a layer with one state", lambda: rnn.GRU(5), lambda n: (normal(4, n, 6), normal(1, n, 5)), **BOTH)
add(
    "states in a net", lambda: Layer(rnn.LSTM(5)), lambda n: (normal(4, n, 6), normal(1, n, 5), normal(1, n, 5)), **BOTH
)
add(
    "a layer with clipped states",
    lambda: rnn.LSTM(5, state_clip_min=-0.1, state_clip_max=0.1),
    lambda n: (normal(4, n, 6), [normal(1, n, 5), normal(1, n, 5)]),
    compiled=False,
    stays=("RNN",),
)

KEPT = {"compiled": False, "stays": ("RNN",)}
add(
    "a layer with lengths",
    lambda: rnn.LSTM(5, use_sequence_length=True),
    lambda n: (normal(4, n, 6), [normal(1, n, 5), normal(1, n, 5)], integers(5, n, low=1, dtype="int32")),
    **KEPT,
)
add(
    "a layer with a projection",
    lambda: rnn.LSTM(5, projection_size=4),
    lambda n: (normal(4, n, 6), [normal(1, n, 4), normal(1, n, 5)]),
    **KEPT,
)

CELLS = {
    "rnn cell": lambda: rnn.RNNCell(5),
    "rnn cell of relu": lambda: rnn.RNNCell(5, activation="relu"),
    "lstm cell": lambda: rnn.LSTMCell(5),
    "gru cell": lambda: rnn.GRUCell(5),
    "projected lstm cell": lambda: contrib.rnn.LSTMPCell(7, 5),
    "dropout cell": lambda: _stack(rnn.GRUCell(5), rnn.DropoutCell(0.4)),
    "zoneout cell": lambda: rnn.ZoneoutCell(rnn.LSTMCell(5), 0.3, 0.2),
    "residual cell": lambda: rnn.ResidualCell(rnn.GRUCell(6)),
    "variational dropout cell": lambda: contrib.rnn.VariationalDropoutCell(rnn.LSTMCell(5), 0.2, 0.3, 0.4),
    "stacked cells": lambda: _stack(rnn.ResidualCell(rnn.RNNCell(6)), rnn.LSTMCell(4)),
}


def _stack(*cells):
    made = rnn.HybridSequentialRNNCell()
    for cell in cells:
        made.add(cell)
    return made


class Step(HybridBlock):
    """One step of a cell, with its states."""

    def __init__(self, cell):
        super().__init__()
        with self.name_scope():
            self.cell = cell

    def hybrid_forward(self, F, x, states):
        """The output and the states after it."""
        self.cell.reset()
        return self.cell(x, states)


class Unrolled(HybridBlock):
    """Some steps of a cell, from states that it makes itself."""

    def __init__(self, cell, length, **options):
        super().__init__()
        self.length, self.options = length, options
        with self.name_scope():
            self.cell = cell

    def hybrid_forward(self, F, x, lengths=None):
        """Outputs and the last states."""
        return self.cell.unroll(self.length, x, valid_length=lengths, **self.options)


def _states(cell, n):
    return [normal(*info["shape"]) for info in cell().state_info(n)]


for name, cell in CELLS.items():
    if " cell" not in name or name.startswith(("zoneout", "residual", "variational")):
        add(f"{name}, a step", lambda cell=cell: Step(cell()), lambda n, cell=cell: (normal(n, 6), _states(cell, n)))
    add(f"{name}, unrolled", lambda cell=cell: Unrolled(cell(), 2, merge_outputs=True), steps(2))
for name in ("rnn cell", "lstm cell", "gru cell", "projected lstm cell"):
    cell = CELLS[name]
    add(f"{name} by itself", cell, lambda n, cell=cell: (normal(n, 6), _states(cell, n)))
# Cells with blocks for activations cannot be reset, so not be unrolled.
add(
    "rnn cell of leaky relu by itself",
    lambda: rnn.RNNCell(5, activation=nn.LeakyReLU(0.2)),
    lambda n: (normal(n, 6), [normal(n, 5)]),
)
for name in ("lstm cell", "stacked cells"):
    add(
        f"{name} with lengths",
        lambda cell=CELLS[name]: Unrolled(cell(), 3, merge_outputs=True),
        lambda n: (normal(n, 3, 6), integers(4, n, low=1)),
    )

VARIANTS = {
    "unrolled to a list": ({"merge_outputs": False}, "NTC"),
    "unrolled with time first": ({"layout": "TNC", "merge_outputs": True}, "TNC"),
}
for name, (options, layout) in VARIANTS.items():
    add(name, lambda options=options: Unrolled(rnn.GRUCell(5), 3, **options), steps(3, layout=layout))


@net(lambda n: (normal(n, 3, 6), integers(4, n, low=1)))
def cells_both_ways_with_lengths():
    """Each sequence is turned round by itself."""
    return Unrolled(rnn.BidirectionalCell(rnn.LSTMCell(4), rnn.GRUCell(3)), 3, merge_outputs=True)


@net(steps(3))
def cells_both_ways():
    """Outputs as a list."""
    return Unrolled(rnn.BidirectionalCell(rnn.LSTMCell(4), rnn.GRUCell(3)), 3, merge_outputs=False)


SIZES = {1: (7,), 2: (6, 5), 3: (4, 5, 3)}
for dims, size in SIZES.items():
    for kind in ("RNN", "LSTM", "GRU"):

        def _cell(dims=dims, size=size, kind=kind):
            made = getattr(contrib.rnn, f"Conv{dims}D{kind}Cell")
            return made((2, *size), 3, i2h_kernel=3, h2h_kernel=3, i2h_pad=1)

        add(
            f"convolutional {kind.lower()} cell of {dims} dimensions",
            lambda cell=_cell: Step(cell()),
            lambda n, cell=_cell, size=size: (normal(n, 2, *size), _states(cell, n)),
        )


@net(lambda n: (normal(n, 2, 2, 6, 5),))
def convolutional_cell_unrolled():
    """As for films."""
    cell = contrib.rnn.Conv2DLSTMCell((2, 6, 5), 3, 3, 3, i2h_pad=1, h2h_dilate=2, activation="relu")
    return Unrolled(cell, 2, merge_outputs=True)


@net(lambda n: (normal(n, 6), [normal(n, 5)]), error=(BlockError, "A plain Block runs Python at every call"))
def refused_a_plain_stack_of_cells():
    """SequentialRNNCell is not hybrid."""
    made = rnn.SequentialRNNCell()
    made.add(rnn.GRUCell(5))
    return made


@net(
    lambda n: (normal(n, 6), [normal(n, 3), normal(n, 3)]),
    error=(BlockError, "Bidirectional cannot be stepped"),
    runs=False,
)
def refused_cells_both_ways_by_step():
    """Nobody can, MXNet neither."""
    return rnn.BidirectionalCell(rnn.GRUCell(3), rnn.GRUCell(3))
