"""Option dynamic: the axes it names, what follows from them within the model, and what cannot be derived."""

import re

import mxnet as mx
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.compiler.dynamic_axes import dynamic_axes
from gluon_neuron.engine import native_library
from gluon_neuron.errors import CompileError, OptionError
from gluon_neuron.frontend.export import export
from gluon_neuron.frontend.infer import annotate
from gluon_neuron.frontend.symbol import from_symbol
from gluon_neuron.options import CompileOptions
from gluon_neuron.report import DynamicDimension
from tests.agreement import agree
from tests.nets import Split, images, initialized
from tests.unseen import ready

CLOSE = {"rtol": 1e-4, "atol": 1e-5}


class Positions(nn.HybridBlock):
    """A sequence (N, L, 4), to which the first L of twelve positions are added, and a row (N, 4)."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.layer = nn.Dense(4, flatten=False, in_units=4)
            self.table = self.params.get("table", shape=(1, 12, 4))

    def hybrid_forward(self, F, steps, row, table):
        y = F.broadcast_add(self.layer(steps), F.slice_like(table, steps, axes=(1,)))
        return F.broadcast_add(y, F.expand_dims(row, 1))


@pytest.fixture(scope="module")
def net():
    return initialized(Positions(), *data(3, 12))


def data(batch, length):
    return [mx.nd.random.normal(shape=s) for s in ((batch, length, 4), (batch, 4))]


def named(net, sample, dynamic):
    """The axes of a net's inputs that an option names."""
    found = dynamic_axes(export(net, sample), CompileOptions(dynamic=dynamic))
    return None if found is None else found.axes


@pytest.mark.parametrize(
    ("dynamic", "axes"),
    [
        (True, None),
        (False, None),
        ({}, {}),
        ("batch", {"data0": {0: None}, "data1": {0: None}}),
        ({"data0": {-2: (2, 12)}, "row": {-2: None}}, {"data0": {1: (2, 12)}, "data1": {0: None}}),
        ({1: {0: (1, 9)}, "steps": [0]}, {"data1": {0: (1, 9)}, "data0": {0: None}}),
        ({"data0": {0: (3, 3), 1: (12, 12)}}, {"data0": {}}),
    ],
)
def test_what_is_named(net, dynamic, axes):
    assert named(net, data(3, 12), dynamic) == axes


@pytest.mark.parametrize(
    ("dynamic", "why"),
    [
        ({"dato0": {0: None}}, "names 'dato0'; the inputs are data0, data1. Did you mean 'data0'"),
        ({2: {0: None}}, "names input 2, and the model takes 2"),
        ({"data1": {2: None}}, "axis 2 of 'data1', whose shape is .3, 4."),
        ({"data1": {-3: None}}, "axis -3 of 'data1'"),
        ({"data1": {0: (4, 9)}}, "axis 0 of 'data1' from 4 to 9, and the sample has 3"),
        ({"data1": {0: None}, "row": {0: None}}, "axis 0 of 'data1' twice"),
    ],
)
def test_what_the_model_does_not_have(net, dynamic, why):
    for verb in (gluon_neuron.compile, gluon_neuron.analyze):
        with pytest.raises(OptionError, match=why):
            verb(net, data(3, 12), dynamic=dynamic)


def test_no_batch():
    with pytest.raises(OptionError, match="no input of the model has an axis"), mx.util.np_shape(True):
        x = mx.sym.var("x").as_np_ndarray()
        gluon_neuron.compile(mx.sym.np.exp(x), {"x": mx.np.array(1.0)}, args={}, aux={}, dynamic="batch")


def test_ranges_bound_the_program_and_the_sample_may_have_the_largest(net, tmp_path):
    sample = data(3, 12)
    made = gluon_neuron.compile(
        net, sample, dynamic={"steps": {0: (1, 6), 1: (1, 12)}, "row": {0: (1, 6)}}, strict=True
    )
    (region,) = made.report.regions
    batch, length = DynamicDimension((("data0", 0), ("data1", 0)), 1, 6), DynamicDimension((("data0", 1),), 1, 12)
    assert region.dynamic_dimensions == (batch, length) and not region.why_static
    assert region.dynamic == tuple(map(str, region.dynamic_dimensions))
    made.export(str(tmp_path / "net"))
    loaded = gluon_neuron.load(str(tmp_path / "net"))
    assert loaded.report == made.report
    before = native_library.stats()["specialisations"]
    for shape, made_anew in (((1, 1), 0), ((6, 12), 0), ((4, 7), 0), ((7, 12), 1), ((7, 5), 2)):
        given = data(*shape)
        agree(ready(loaded, *given), net(*given), **CLOSE)
        assert native_library.stats()["specialisations"] == before + made_anew, shape


@pytest.mark.parametrize("high", [5, 6, 8])
def test_short_ranges(net, high):
    made = gluon_neuron.compile(
        net, data(3, 5), dynamic={"data0": {1: (3, high)}}, shapes=[data_shapes(3, 2)], strict=True
    )
    (region,) = made.report.regions
    assert region.dynamic == (f"axis 1 of data0 from 3 to {high}",)
    before = native_library.stats()["specialisations"]
    for length in (3, high, 2):
        given = data(3, length)
        agree(ready(made, *given), net(*given), **CLOSE)
    assert native_library.stats()["specialisations"] == before


def data_shapes(batch, length):
    return [a.shape for a in data(batch, length)]


NOT_DERIVED = {
    "an axis of the weights": ({"data1": {1: None}}, "axis 1 of data1 alone; axis 2 of data0 has the same extent"),
    "one of two": ({"data0": {0: (1, 64)}}, "axis 0 of data0 alone; axis 0 of data1 has the same extent in the sample"),
    "less": (
        {"data0": {1: (1, 40)}},
        r"axis 1 of data0 may change from 1 to 12, not from 1 to 40: MXNet infers no .*40",
    ),
    "not all": ({"data0": {1: (1, 12), 2: None}}, "axis 2 of data0 stays 4"),
}


@pytest.mark.parametrize("name", NOT_DERIVED)
def test_what_cannot_be_derived_is_reported(net, name):
    dynamic, why = NOT_DERIVED[name]
    made = gluon_neuron.compile(net, data(3, 12), dynamic=dynamic)
    (region,) = made.report.regions
    assert bool(region.dynamic) == (name in ("less", "not all"))
    assert re.search(why, region.why_static), region.why_static
    assert region.why_static in str(made.report)
    with pytest.raises(CompileError, match=why):
        gluon_neuron.compile(net, data(3, 12), dynamic=dynamic, strict=True)
    given = data(3, 12)
    agree(made(*given), net(*given), **CLOSE)


def test_what_was_not_asked_for_is_no_error(net):
    inline = gluon_neuron.compile(net, data(3, 12), inline_weights=True, strict=True)
    assert "baked in" in inline.report.regions[0].why_static
    with pytest.raises(CompileError, match="no dynamic program: its weights are baked in"):
        gluon_neuron.compile(net, data(3, 12), inline_weights=True, strict=True, dynamic="batch")


@pytest.fixture(scope="module")
def split():
    return initialized(Split(), images(1, 8))


BEHIND = {
    "the batch": ({"data": {0: (1, 16)}}, (0, 1, 16)),
    "a height": ({"data": {2: (4, 40)}}, (1, 32, 320)),
    "any height": ({"data": {2: None}}, (1, 1, 4096)),
}


@pytest.mark.parametrize("name", BEHIND)
def test_what_a_region_reads_from_within_follows(split, name):
    dynamic, (axis, low, high) = BEHIND[name]
    made = gluon_neuron.compile(split, images(1, 8), dynamic=dynamic, strict=True)
    first, second = (r.dynamic_dimensions for r in made.report.regions)
    assert len(first) == len(second) == 1 and first[0].axes == (("data", *dynamic["data"]),)
    assert [a for _, a in second[0].axes] == [axis] and (second[0].min, second[0].max) == (low, high)
    before = native_library.stats()["specialisations"]
    given = mx.nd.random.normal(shape=(3, 3, 8, 8) if axis == 0 else (1, 3, 13, 8))
    agree(ready(made, given), split(given), **CLOSE)
    assert native_library.stats()["specialisations"] == before


def test_what_a_region_reads_from_within_does_not_follow(split):
    made = gluon_neuron.compile(split, images(1, 8), dynamic={})
    assert all(not r.dynamic and not r.why_static for r in made.report.regions)
    assert "Other shapes" not in str(made.report)


def test_axes_that_change_together_have_the_extents_in_both_ranges():
    x, y = (mx.sym.var(n) for n in "xy")
    symbol = mx.sym.tile(x + y, reps=(1, 3))
    sample = {n: mx.nd.ones((4, 2)) for n in "xy"}
    model = from_symbol(symbol, {}, {}, sample)
    graph = annotate(symbol.tojson(), model.all_specs(), model.is_np)
    found = dynamic_axes(model, CompileOptions(dynamic={"x": {0: (1, 64), 1: (1, 9)}, "y": {0: (2, 32), 1: (2, 5)}}))
    assert found.of(graph, graph.heads[0]) == {0: (2, 32), 1: (6, 15)}
    assert found.of(graph, graph.nodes[graph.heads[0].node].inputs[0]) == {0: (2, 32), 1: (2, 5)}
