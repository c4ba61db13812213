"""Metadata: as text and back, and found in a symbol wherever it is kept."""

import json
from dataclasses import fields, replace

import mxnet as mx
import pytest

from gluon_neuron.graph.batch import BatchAxes, OutputAxis
from gluon_neuron.graph.buckets import BucketAxis, Buckets, CutAxis
from gluon_neuron.graph.identity import graph_hash
from gluon_neuron.graph.spec import Spec
from gluon_neuron.options import CompileOptions
from gluon_neuron.preprocessing import Preprocessing
from gluon_neuron.report import Outside, RegionReport, Report
from gluon_neuron.report_graph import INPUT, GraphNode, ReportGraph
from gluon_neuron.stitch.metadata import KEY, Metadata, find, is_edited

REPORT = Report(
    *("cpu", "openvino", 3, 100, (RegionReport("r", 2, 90, ("x",), ("y",), batch_parts=2),)),
    (Outside("s", "sort", "no rule", 'it says "no"'),),
    {"export": 0.5},
    graph=ReportGraph((GraphNode("x", INPUT), GraphNode("r", "relu", 0, ((0, 0),))), ((1, 0),)),
)
SPECS = (Spec((2, 3), "float32"), Spec((), "int32"))
AXES = BatchAxes((1, None), (OutputAxis(0, 2), None), 3)
FURTHER = (((5, 3), ()), ((2, 7), ()))
BUCKETS = Buckets((BucketAxis(((0, 1),), (3, 7), (CutAxis(0, 1, 1),), (0,)),), ((3,), (7,)), True)
METADATA = Metadata(
    *(("x", "y"), SPECS, [0, [0, 0]], 0, False, True, (1, 4), REPORT, AXES, True, ("x", "y"), FURTHER, BUCKETS),
    *(CompileOptions(batch_sizes=4), ("cat", "dog"), Preprocessing(size=64)),
)
LATER = {
    "batch_axes": None,
    "open_shapes": False,
    "arguments": (),
    "shapes": (),
    "buckets": None,
    "options": None,
    "classes": (),
    "preprocessing": None,
}
"""What files of earlier releases do not hold, with what it is then."""


@pytest.mark.parametrize("is_np", [False, True])
def test_text_and_back(is_np):
    given = Metadata(("x",), SPECS[:1], [0], [0, [0]], is_np, False, (), REPORT)
    assert Metadata.from_json(given.to_json()) == given
    assert Metadata.from_json(METADATA.to_json()) == METADATA


def test_static_shapes_are_each_named_once():
    first = [((2, 3), ()), ((1, 3), ()), ((4, 3), ())]
    assert METADATA.static_shapes == (*first, *FURTHER)
    assert replace(METADATA, shapes=(*FURTHER, ((4, 3), ()))).static_shapes == METADATA.static_shapes


def test_text_holds_every_field():
    assert set(json.loads(METADATA.to_json())) == {f.name for f in fields(Metadata)}


@pytest.mark.parametrize("field", [f.name for f in fields(Metadata) if f.name not in LATER])
def test_text_that_lacks_a_field(field):
    raw = json.loads(METADATA.to_json())
    del raw[field]
    with pytest.raises(KeyError, match=field):
        Metadata.from_json(json.dumps(raw))


@pytest.mark.parametrize("field", LATER)
def test_text_of_a_release_that_knew_less(field):
    raw = json.loads(METADATA.to_json())
    del raw[field]
    assert Metadata.from_json(json.dumps(raw)) == replace(METADATA, **{field: LATER[field]})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("classes", "cat"),
        ("classes", ["cat", 3]),
        ("classes", ["x" * 1001]),
        ("classes", ["x"] * 100_001),
        ("options", {"target": "gpu"}),
        ("options", [1]),
        ("options", {"buckets": [[0]]}),
        ("preprocessing", {"mean": [0, 0]}),
        ("preprocessing", {"resize": 10**9}),
        ("preprocessing", "NCHW"),
    ],
)
def test_text_of_a_stranger(field, value):
    raw = json.loads(METADATA.to_json()) | {field: value}
    with pytest.raises((ValueError, TypeError)):
        Metadata.from_json(json.dumps(raw))


def test_found_in_a_symbol_that_was_saved():
    x = mx.sym.var("x", attr={KEY: METADATA.to_json()})
    raw = json.loads(mx.sym.relu(x + mx.sym.var("y")).tojson())
    raw["nodes"][0]["attrs"][KEY] = METADATA.to_json(graph_hash(raw))
    symbol = mx.sym.load_json(json.dumps(raw))
    assert find(symbol) == METADATA
    assert find(mx.sym.load_json(symbol.tojson())) == METADATA
    for edited in (mx.sym.relu(symbol), mx.sym.Group([symbol, symbol]), symbol.get_internals()[2]):
        assert find(edited) is None and is_edited(edited.tojson())


def test_not_found_in_others():
    plain = mx.sym.relu(mx.sym.var("x", shape=(2,)))
    assert find(plain) is None and not is_edited(plain.tojson())
