"""The graph of symbols whose reports have none: what earlier releases wrote can be drawn, baked weights included."""

import json

import pytest

import gluon_neuron
from gluon_neuron.report_graph import INPUT
from gluon_neuron.stitch.drawn_symbol import drawn_symbol
from gluon_neuron.stitch.metadata import find_in_text
from tests.golden import FOLDER
from tests.nets import Split, conv_net, images, initialized


@pytest.mark.parametrize("name", ["net", "inline"])
@pytest.mark.parametrize("folder", sorted(FOLDER.glob("v*")), ids=lambda f: f.name)
def test_files_of_earlier_releases(folder, name):
    metadata = find_in_text((folder / f"{name}-symbol.json").read_text())
    graph = metadata.report.graph
    operators = [n for n in graph.nodes if n.op != INPUT]
    assert len(operators) == metadata.report.operators and {n.region for n in operators} == {0}
    assert [n.name for n in graph.nodes if n.op == INPUT] == ["data"]
    assert [p for n in operators for p, _ in n.parameters if p.endswith("weight")]
    assert len(graph.heads) == 1


@pytest.mark.parametrize(
    ("net", "options"),
    [
        (conv_net, {}),
        (conv_net, {"inline_weights": True}),
        (conv_net, {"exclude_operators": "Pooling"}),
        (lambda: initialized(Split(), images()), {}),
    ],
)
def test_it_is_the_graph_that_a_compile_keeps_without_shapes(net, options):
    made = gluon_neuron.compile(net(), images(), **options)
    report = made.report
    raw = json.loads(made.symbol.tojson(remove_amp_cast=False))
    found = drawn_symbol(raw, made.input_names, [r.name for r in report.regions])
    kept = {n.name: n for n in report.graph.nodes}
    assert {n.name for n in found.nodes} == set(kept)
    for node in found.nodes:
        like = kept[node.name]
        assert (node.op, node.region, node.attributes) == (like.op, like.region, like.attributes)
        assert [found.nodes[i].name for i, _ in node.inputs] == [report.graph.nodes[i].name for i, _ in like.inputs]
        assert [n for n, _ in node.parameters] == [n for n, _ in like.parameters] and not node.outputs
    assert len(found.heads) == len(report.graph.heads)


def test_an_exported_report_keeps_its_own():
    made = gluon_neuron.compile(conv_net(), images())
    found = find_in_text(made.symbol.tojson(remove_amp_cast=False)).report
    assert found.graph == made.report.graph and found == made.report
