"""ReportGraph: what a report keeps of a graph, as values and back."""

import json

import mxnet as mx
import pytest

import gluon_neuron
from gluon_neuron.report_graph import INPUT, GraphNode, ReportGraph
from tests.nets import Split, conv_net, images, initialized


def test_dict_and_back():
    node = GraphNode("a", "relu", 2, ((0, 0), (0, 3)), ("float32[1]", ""), (("w", "float32[2]"),), {"k": "v"})
    graph = ReportGraph((GraphNode("x", INPUT), node, GraphNode("b", "relu", 0)), ((1, 0),))
    assert ReportGraph.from_dict(json.loads(json.dumps(graph.to_dict()))) == graph
    # What is empty takes no room, but region 0 is not empty.
    assert graph.to_dict()["nodes"][::2] == [{"name": "x", "op": INPUT}, {"name": "b", "op": "relu", "region": 0}]


@pytest.mark.parametrize(
    ("nodes", "heads"),
    [
        ([{"inputs": [[0, 0]]}], []),
        ([{}, {"inputs": [[-1, 0]]}], []),
        ([{}, {"inputs": [["0", 0]]}], []),
        ([{}], [[1, 0]]),
        ([{"region": -1}], []),
        ([{"region": "0"}], []),
    ],
)
def test_what_is_no_graph(nodes, heads):
    raw = {"nodes": [{"name": "a", "op": "relu", **n} for n in nodes], "heads": heads}
    with pytest.raises(ValueError, match="the report's graph has"):
        ReportGraph.from_dict(raw)


def test_of_a_compiled_net():
    report = gluon_neuron.compile(conv_net(prefix="n_"), images(), exclude_operators="Pooling").report
    nodes = {n.name: n for n in report.graph.nodes}
    assert nodes["data"] == GraphNode("data", INPUT, outputs=("float32[1, 3, 16, 16]",))
    conv = nodes["n_conv0_fwd"]
    assert (conv.op, conv.region, conv.inputs, conv.outputs) == (
        "Convolution",
        0,
        ((0, 0),),
        ("float32[1, 8, 16, 16]",),
    )
    assert conv.parameters == (("n_conv0_weight", "float32[8, 3, 3, 3]"), ("n_conv0_bias", "float32[8]"))
    assert conv.attributes["kernel"] == "(3, 3)" and not [k for k in conv.attributes if k.startswith("__")]
    assert {n.region for n in nodes.values() if n.op == "Pooling"} == {None}
    counts = [sum(n.region == k for n in nodes.values()) for k in range(len(report.regions))]
    assert counts == [r.operators for r in report.regions]
    assert len([n for n in nodes.values() if n.op != INPUT]) == report.operators
    ((last, output),) = report.graph.heads
    assert report.graph.nodes[last].op == "FullyConnected" and output == 0


def test_analyzed_as_compiled():
    net = initialized(Split(), images(1, 8))
    planned = gluon_neuron.analyze(net, images(1, 8)).graph
    assert planned == gluon_neuron.compile(net, images(1, 8)).report.graph
    places = range(len(planned.nodes))
    assert all(source < i for i in places for source, _ in planned.nodes[i].inputs)


def test_a_parameter_that_is_an_output_is_not_drawn():
    x, w = mx.sym.var("x"), mx.sym.var("w")
    symbol = mx.sym.Group([mx.sym.relu(x), w])
    report = gluon_neuron.analyze(symbol, {"x": mx.nd.ones((2, 3))}, args={"w": mx.nd.ones((2,))})
    assert [n.name for n in report.graph.nodes if n.op == INPUT] == ["x"] and len(report.graph.heads) == 1
