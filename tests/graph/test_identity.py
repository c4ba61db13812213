"""The identity of a graph survives what MXNet does to JSON, and changes with whatever changes what is computed."""

import copy
import json

import mxnet as mx
import pytest

from gluon_neuron.graph.identity import BAKED, FORM, graph_hash, variables


def net(order=("a", "b")):
    a, b = (mx.sym.var(n) for n in order)
    dense = mx.sym.FullyConnected(mx.sym.var("x"), a, b, num_hidden=3, name="fc")
    parts = mx.sym.split(dense, num_outputs=3, axis=1, name="parts")
    return mx.sym.Group([parts[1] - parts[0], mx.sym.relu(parts[2])])


def raw(symbol):
    return json.loads(symbol.tojson(remove_amp_cast=False))


def test_rewriting_leaves_it():
    given = raw(net())
    found = graph_hash(given)
    assert found.startswith(FORM) and len(found) == len(FORM) + 64
    assert graph_hash(raw(mx.sym.load_json(json.dumps(given)))) == found
    assert graph_hash({k: given[k] for k in ("nodes", "heads")}) == found


def test_the_order_of_nodes_and_the_names_of_operators_do_not_count():
    given = raw(net())
    order = [1, 0, *range(2, len(given["nodes"]))]
    place = {old: new for new, old in enumerate(order)}
    nodes = [copy.deepcopy(given["nodes"][i]) for i in order]
    for number, node in enumerate(nodes):
        node["inputs"] = [[place[i], k, v] for i, k, v in node["inputs"]]
        if node["op"] != "null":
            node["name"] = f"n{number}"
            node["attrs"] = {**dict(reversed(node.get("attrs", {}).items())), "__profiler_scope__": "here"}
    moved = {"nodes": nodes, "heads": [[place[i], k, v] for i, k, v in given["heads"]]}
    assert graph_hash(moved) == graph_hash(given)
    assert variables(moved) == variables(given) == ["x", "a", "b"]


def changed(key, value):
    def change(given):
        next(n for n in given["nodes"] if n["op"] == "FullyConnected")["attrs"][key] = value

    return change


CHANGES = {
    "attribute": changed("num_hidden", "6"),
    "another attribute": changed("flatten", "False"),
    "digest of a baked weight": changed(BAKED, "1f"),
    "operator": lambda g: g["nodes"][-1].update(op="tanh"),
    "name of a variable": lambda g: g["nodes"][1].update(name="c"),
    "edge": lambda g: g["nodes"][-1]["inputs"][0].__setitem__(1, 0),
    "order of outputs": lambda g: g["heads"].reverse(),
    "number of outputs": lambda g: g["heads"].pop(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_counts(change):
    given = raw(net())
    before = graph_hash(given)
    change(given)
    assert graph_hash(given) != before


def test_order_of_inputs():
    assert graph_hash(raw(net())) != graph_hash(raw(net(("b", "a"))))


def test_bodies_of_loops_count():
    def loop(op):
        outputs, _ = mx.sym.contrib.foreach(lambda x, s: (op(x + s), s), mx.sym.var("x"), mx.sym.var("s"))
        return raw(outputs)

    assert graph_hash(loop(mx.sym.tanh)) != graph_hash(loop(mx.sym.relu))


def test_casts_that_mxnet_takes_out():
    x = mx.sym.var("x")
    pair = mx.sym.amp_multicast(mx.sym.amp_cast(x, dtype="float16"), mx.sym.var("y"), num_outputs=2)
    cast, plain = raw(pair[0] * pair[1]), raw(x * mx.sym.var("y"))
    assert graph_hash(cast) != graph_hash(plain)
    assert graph_hash(cast, casts=False) == graph_hash(plain, casts=False) == graph_hash(plain)


def test_a_deep_graph():
    x = mx.sym.var("x")
    for _ in range(3000):
        x = mx.sym.relu(x)
    assert variables(raw(x)) == ["x"] and graph_hash(raw(x))


def test_names_of_any_kind():
    found = graph_hash(raw(mx.sym.relu(mx.sym.var('größe\n"x" \\ 量'))))
    assert found == graph_hash(
        {
            "nodes": [
                {"op": "null", "name": 'größe\n"x" \\ 量', "inputs": []},
                {"op": "relu", "name": "r", "inputs": [[0, 0, 0]]},
            ],
            "heads": [[1, 0, 0]],
        }
    )
