"""InputSpec: which axes of a compiled model's inputs may change, as its regions, buckets and batch say."""

from __future__ import annotations

import json
from dataclasses import replace

import mxnet as mx
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.graph.spec import Spec
from gluon_neuron.report import DynamicDimension, RegionReport, Report
from gluon_neuron.stitch.input_spec import InputSpec, input_specs
from gluon_neuron.stitch.metadata import Metadata


def metadata(*regions):
    report = Report("cpu", "openvino", 3, 100, regions)
    specs = (Spec((2, 3), "float32"), Spec((2,), "int32"))
    return Metadata(("x", "y"), specs, [0, 0], 0, False, False, (), report)


def region(inputs, *dimensions):
    return RegionReport("r", 1, 1, inputs, ("o",), dynamic_dimensions=dimensions)


def test_axes_that_change_together():
    both = DynamicDimension((("x", 0), ("inner", 0), ("y", 0)), 1, 8)
    x, y = input_specs(metadata(region(("x", "inner", "y"), both)))
    shared = DynamicDimension((("x", 0), ("y", 0)), 1, 8)
    assert x == InputSpec("x", (2, 3), "float32", {0: shared})
    assert y == InputSpec("y", (2,), "int32", {0: shared})
    assert (str(x), str(y)) == ("x float32[2 of 1..8, 3]", "y int32[2 of 1..8]")
    assert json.loads(json.dumps(x.to_dict()))["dynamic_axes"]["0"]["axes"] == [["x", 0], ["y", 0]]


def test_what_several_regions_read_changes_as_all_of_them_take_it():
    first = region(("x",), DynamicDimension((("x", 0),), 1, 8), DynamicDimension((("x", 1),), 3, 9, 2))
    second = region(("x",), DynamicDimension((("x", 0),), 2, 2**31 - 1))
    (x, y) = input_specs(metadata(first, second, region(("inner",))))
    assert x.dynamic_axes == {0: DynamicDimension((("x", 0),), 2, 8)}
    assert y.dynamic_axes == {}
    assert str(input_specs(metadata(first))[0]) == "x float32[2 of 1..8, 3 of 3..9 by 2]"
    assert str(input_specs(metadata(second))[0]) == "x float32[2 of 2.., 3]"
    apart = region(("x",), DynamicDimension((("x", 0),), 9, 10))
    assert input_specs(metadata(first, apart))[0].dynamic_axes == {}


@pytest.fixture(scope="module")
def net():
    made = nn.HybridSequential()
    made.add(nn.Dense(4, flatten=False))
    made.initialize()
    made.hybridize()
    made(mx.nd.ones((2, 16, 3)))
    return made


def test_of_a_compiled_net_and_of_its_files(net, tmp_path):
    made = gluon_neuron.compile(net, mx.nd.ones((2, 16, 3)), dynamic={"data": {1: (1, 64)}}, strict=True)
    (spec,) = made.input_specs
    assert (spec.name, spec.shape, spec.dtype) == ("data", (2, 16, 3), "float32")
    assert {axis: (d.min, d.max) for axis, d in spec.dynamic_axes.items()} == {1: (1, 64)}
    assert made.options == gluon_neuron.CompileOptions(target="cpu", dynamic={"data": {1: (1, 64)}}, strict=True)
    made.export(tmp_path / "net")
    loaded = gluon_neuron.load(tmp_path / "net")
    assert loaded.input_specs == made.input_specs and loaded.options == made.options


def test_buckets_and_batches(net):
    made = gluon_neuron.compile(net, mx.nd.ones((2, 16, 3)), dynamic=False, buckets={0: {1: [8, 32]}})
    assert made.input_specs[0].buckets == {1: (8, 32)}
    assert str(made.input_specs[0]) == "data float32[2, 16 of 8|32, 3]"
    made = gluon_neuron.compile(net, mx.nd.ones((2, 16, 3)), dynamic=False, dynamic_batch=True)
    assert made.input_specs[0].batch_axis == 0 and "[2 of 1..," in str(made.input_specs[0])


def test_without_options(net):
    made = gluon_neuron.compile(net, mx.nd.ones((2, 16, 3)), dynamic=False)
    made._metadata = replace(made._metadata, options=None)  # as files of earlier releases have it
    assert made.options is None and made.input_specs[0].dynamic_axes == {}
