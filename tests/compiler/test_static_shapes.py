"""Option shapes: programs of their own for shapes known beforehand, kept in files; what the model does not take."""

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.engine import native_library
from gluon_neuron.errors import InputError, OptionError
from gluon_neuron.runtime import background
from tests.agreement import agree
from tests.nets import CLOSE, Nested, Split, conv_net, images, initialized, nested_net


@pytest.fixture(scope="module")
def net():
    return conv_net()


class Two(nn.HybridBlock):
    """A sequence, and a row that is added to each of its steps."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.layer = nn.Dense(6, flatten=False, in_units=6)

    def hybrid_forward(self, F, steps, row):
        return F.broadcast_add(F.relu(self.layer(steps)), F.expand_dims(row, 1))


@pytest.fixture(scope="module")
def two():
    return initialized(Two(), *rows((2, 5, 6), (2, 6)))


def rows(*shapes):
    return [mx.nd.random.normal(shape=s) for s in shapes]


def runs_at_once(compiled, net, *given):
    """The first call runs programs that were compiled beforehand, and nothing is left to the background."""
    before = native_library.stats()
    found = compiled(*given)
    agree(found, net(*given), **CLOSE)
    assert background.wait(5)
    after = native_library.stats()
    assert after["calls"] > before["calls"] and after["specialisations"] == before["specialisations"]


@pytest.mark.parametrize("options", [{"dynamic": False}, {"inline_weights": True}, {}])
def test_runs_what_was_named(net, options):
    made = gluon_neuron.compile(net, images(), shapes=[(2, 3, 24, 20), (1, 3, 9, 9)], batch_sizes=[3], **options)
    for shape in ((2, 3, 24, 20), (1, 3, 9, 9), (3, 3, 16, 16), (1, 3, 16, 16)):
        runs_at_once(made, net, mx.nd.random.normal(shape=shape))
    if "inline_weights" in options:
        with pytest.raises(InputError, match=r"shapes=\[...\]"):
            made(images(4))


def test_files_keep_them(net, tmp_path):
    made = gluon_neuron.compile(net, images(), shapes=[(2, 3, 24, 20)], batch_sizes=[3], dynamic=False)
    made.export(str(tmp_path / "net"))
    loaded = gluon_neuron.load(str(tmp_path / "net"))
    assert loaded._metadata == made._metadata
    for shape in ((2, 3, 24, 20), (3, 3, 16, 16)):
        runs_at_once(loaded, net, mx.nd.random.normal(shape=shape))


def test_batch_sizes_are_short_for_it(net):
    short = gluon_neuron.compile(net, images(), batch_sizes=[1, 4, 2], dynamic=False)
    long = gluon_neuron.compile(net, images(), shapes=[(4, 3, 16, 16), (2, 3, 16, 16)], dynamic=False)
    assert short._metadata.static_shapes == long._metadata.static_shapes
    arrays = [
        [p.data().asnumpy() for n, p in m.collect_params().items() if n.endswith("neuronbin")] for m in (short, long)
    ]
    agree(arrays[0], arrays[1])


FORMS = {
    "in order": [((3, 7, 6), (3, 6))],
    "by name": [{"data0": (3, 7, 6), "data1": (3, 6)}],
    "by the arguments' names": [{"steps": (3, 7, 6), "row": (3, 6)}],
    "the rest as in the sample": [{"data0": (2, 9, 6)}, ((2, 5, 6), (2, 6))],
}


@pytest.mark.parametrize("form", FORMS)
def test_several_inputs(two, form):
    made = gluon_neuron.compile(two, rows((2, 5, 6), (2, 6)), shapes=FORMS[form], dynamic=False)
    assert len(made._metadata.static_shapes) == 2
    for shapes in made._metadata.static_shapes:
        runs_at_once(made, two, *rows(*shapes))


def test_nested_inputs():
    net, sample = nested_net()
    shapes = [((2, 3, 10, 8), [(2, 4, 10, 8)] * 2)]
    with pytest.raises(InputError, match="Option shapes names"):
        gluon_neuron.compile(net, sample, shapes=shapes)  # a dense layer has weights for one size
    shapes = [((5, 3, 8, 8), [(5, 4, 8, 8)] * 2)]
    made = gluon_neuron.compile(net, sample, shapes=shapes, dynamic=False)
    assert isinstance(net, Nested)
    x, *others = rows((5, 3, 8, 8), (5, 4, 8, 8), (5, 4, 8, 8))
    runs_at_once(made, net, x, others)


def test_regions_behind_one_another():
    net = initialized(Split(), images(1, 8))
    made = gluon_neuron.compile(net, images(1, 8), shapes=[(2, 3, 8, 12)], dynamic=False)
    assert len(made.report.regions) == 2
    runs_at_once(made, net, mx.nd.random.normal(shape=(2, 3, 8, 12)))


def test_beside_parts_of_a_batch(net):
    made = gluon_neuron.compile(net, images(2), dynamic_batch=True, shapes=[(5, 3, 16, 16), (2, 3, 20, 20)])
    for given in (images(5), images(2, 20), images(3), images(7)):
        agree(made(given), net(given), **CLOSE)


def test_of_a_symbol():
    x = mx.sym.var("x")
    symbol = mx.sym.FullyConnected(x, num_hidden=3, flatten=False, name="fc")
    args = {"fc_weight": mx.nd.ones((3, 4)), "fc_bias": mx.nd.zeros(3)}
    made, params, _ = gluon_neuron.compile(
        symbol, {"x": mx.nd.ones((2, 4))}, args=args, aux={}, shapes=[{"x": (5, 4)}], include_nodes="fc"
    )
    found = made.bind(mx.cpu(), {**params, "x": mx.nd.ones((5, 4))}).forward()[0]
    agree(found.asnumpy(), np.full((5, 3), 4, "float32"))


@pytest.mark.parametrize(
    ("shapes", "error", "why"),
    [
        ([(2, 5, 6)], OptionError, r"names 1 shape, \(2, 5, 6\), and the model takes 2 inputs \(data0, data1\)"),
        ([((2, 5, 6), (2, 6), (1,))], OptionError, "names 3 shapes"),
        ([((2, 6), (2, 6))], OptionError, "gives 'data0' the shape .2, 6., which has 2 axes, and the sample has 3"),
        ([((2, 0, 6), (2, 6))], OptionError, "'data0' the shape .2, 0, 6.; extents are positive"),
        ([{"dato0": (2, 5, 6)}], OptionError, "names 'dato0'; the inputs are data0, data1. Did you mean 'data0'"),
        ([{"data0": (2, 5, 6), "steps": (2, 5, 6)}], OptionError, "names the input 'data0' twice"),
        (
            [((2, 5, 7), (2, 7))],
            InputError,
            r"Option shapes names \(\(2, 5, 7\), \(2, 7\)\).*does not take.*inferred shape=.6,7.",
        ),
        ([{"data0": (3, 5, 6)}], InputError, "Option shapes names .*does not take inputs of these shapes"),
    ],
)
def test_shapes_that_do_not_fit(two, shapes, error, why):
    for verb in (gluon_neuron.compile, gluon_neuron.analyze):
        with pytest.raises(error, match=why):
            verb(two, rows((2, 5, 6), (2, 6)), shapes=shapes)


def test_weights_for_other_channels():
    net = initialized(nn.BatchNorm(), images(1, 8))
    with pytest.raises(InputError, match="MXNet infers float32.5. for '.*', which is float32.3.|does not take"):
        gluon_neuron.compile(net, images(1, 8), shapes=[(1, 5, 8, 8)])


def test_an_operator_that_cannot_be_compiled_for_one_of_them(monkeypatch, net):
    from gluon_neuron.refusal import Category, Refusal
    from gluon_neuron.targets.cpu.target import CpuTarget

    asked = CpuTarget.refusal

    def refusal(self, node):
        if node.op == "Pooling" and node.ins[0].shape[2] == 12:
            return Refusal(Category.SHAPE, "twelve is too many")
        return asked(self, node)

    monkeypatch.setattr(CpuTarget, "refusal", refusal)
    made = gluon_neuron.compile(net, images(), shapes=[(1, 3, 12, 12)])
    (outside,) = [o for o in made.report.outside if o.category == "shape"]
    assert (
        outside.op == "Pooling" and "for the further shape data (1, 3, 12, 12): twelve is too many" in outside.sentence
    )
    for size in (16, 12):
        given = images(1, size)
        agree(made(given), net(given), **CLOSE)
