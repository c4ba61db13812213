"""Nodes of one name, as Gluon makes them of a block that is called twice: each keeps its own results and reasons."""

import json

import mxnet as mx
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.errors import CompileError, RefusedError
from gluon_neuron.graph.graph import Entry, Graph
from gluon_neuron.graph.inline import inline
from gluon_neuron.graph.subgraph import extract
from gluon_neuron.targets.cpu.target import CpuTarget
from tests.agreement import agree
from tests.graph.test_subgraph import symbol

CLOSE = 1e-4, 1e-5


class Shared(mx.gluon.HybridBlock):
    """One tower on every input; all of its results are outputs, and so is what `after` makes of them."""

    def __init__(self, tower, after=None):
        super().__init__()
        self.tower, self.after = tower, after

    def hybrid_forward(self, F, *inputs):
        found = [self.tower(x) for x in inputs]
        return found if self.after is None else [*found, self.after(F, found)]


def tower(*layers):
    net = nn.HybridSequential(prefix="tower_")
    with net.name_scope():
        net.add(*(layers or (nn.Dense(16, activation="relu"), nn.Dense(8))))
    return net


class Halves(mx.gluon.HybridBlock):
    """An operator with several outputs."""

    def hybrid_forward(self, F, x):
        return F.split(F.exp(x * 0.1), num_outputs=2, axis=1, name="halves")


class Odd(mx.gluon.HybridBlock):
    """An operator that stays in MXNet between two that do not."""

    def hybrid_forward(self, F, x):
        return F.tanh(F.topk(F.exp(x), k=3, ret_typ="value", name="odd"), name="end")


class Recurrent(mx.gluon.HybridBlock):
    """An operator whose outputs have names of different kinds, as states have."""

    def __init__(self):
        super().__init__()
        self.lstm = mx.gluon.rnn.LSTM(4, layout="NTC", prefix="lstm_")

    def hybrid_forward(self, F, x):
        steps = F.expand_dims(x, 1)
        first = F.slice_axis(F.expand_dims(x, 0), axis=2, begin=0, end=4)
        found, (hidden, cell) = self.lstm(steps, [first, first * 2])
        return found, hidden, cell


NETS = {
    "states": lambda: Shared(Recurrent()),
    "dense": lambda: Shared(tower()),
    "three and their sum": lambda: Shared(tower(), lambda F, found: F.add_n(*found)),
    "convolutions": lambda: Shared(tower(nn.Dense(48), nn.Dense(16))),
    "several outputs": lambda: Shared(tower(nn.Dense(8), Halves())),
    "an operator outside": lambda: Shared(tower(nn.Dense(8), Odd())),
    "one name for a parameter and an operator": lambda: Shared(tower(nn.Dense(4, prefix="tower_")), None),
}


def ready(make, count):
    net = make()
    net.initialize(mx.init.Normal(0.5))
    given = tuple(mx.nd.random.normal(shape=(3, 8)) for _ in range(count))
    return net, given, net(*given)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("make", NETS.values(), ids=NETS)
@pytest.mark.parametrize(
    "options", [{}, {"exclude_operators": ("relu", "tanh", "Activation")}, {"inline_weights": True}]
)
def test_each_has_its_own_results(make, count, options, tmp_path):
    net, given, expected = ready(make, count)
    options = {k: v for k, v in options.items() if k != "exclude_operators"} | known(net, given, options)
    compiled = gluon_neuron.compile(net, given, **options)
    assert compiled.report.regions
    agree(compiled(*given), expected, *CLOSE)
    compiled.export(tmp_path / "net")
    agree(gluon_neuron.load(tmp_path / "net")(*given), expected, *CLOSE)
    imported = mx.gluon.SymbolBlock.imports(
        str(tmp_path / "net-symbol.json"), list(compiled.input_names), str(tmp_path / "net-0000.params")
    )
    agree(imported(*given), flat(expected), *CLOSE)
    if "inline_weights" not in options:
        again = gluon_neuron.compile(compiled, given)
        agree(again(*given), expected, *CLOSE)
        assert again.symbol.list_outputs() == compiled.symbol.list_outputs() == exported(net, given).list_outputs()


def flat(nested):
    """The arrays of nested lists: MXNet's own way back does not know that they were."""
    return [a for n in nested for a in flat(n)] if isinstance(nested, list | tuple) else [nested]


def exported(net, given):
    return net._get_graph(*given)[1]


def known(net, given, options):
    """Those of the excluded operators that the net has."""
    ops = {n["op"] for n in json.loads(exported(net, given).tojson())["nodes"]}
    wanted = tuple(op for op in options.get("exclude_operators", ()) if op in ops)
    return {"exclude_operators": wanted} if wanted else {}


def test_symbols():
    x = mx.sym.var("x")
    nodes = [mx.sym.FullyConnected(x, mx.sym.var(w), num_hidden=4, no_bias=True, name="same") for w in "ab"]
    sym = mx.sym.Group([nodes[0], mx.sym.relu(nodes[1], name="same"), nodes[1], nodes[0] + nodes[1]])
    args = {w: mx.nd.random.normal(shape=(4, 5)) for w in "ab"}
    data = mx.nd.random.normal(shape=(2, 5))
    made, new_args, _ = gluon_neuron.compile(sym, {"x": data}, args=args)
    assert made.list_outputs() == sym.list_outputs()
    expected = sym.bind(mx.cpu(), {**args, "x": data}).forward()
    agree(made.bind(mx.cpu(), {**new_args, "x": data}).forward(), expected, *CLOSE)


def test_excluding_a_name_excludes_all_of_it():
    net, given, expected = ready(NETS["dense"], 2)
    name = next(n["name"] for n in json.loads(exported(net, given).tojson())["nodes"] if n["op"] == "Activation")
    compiled = gluon_neuron.compile(net, given, exclude_nodes=(name,))
    assert [(o.node, o.category) for o in compiled.report.outside] == [(name, "excluded")] * 2
    agree(compiled(*given), expected, *CLOSE)


@pytest.mark.parametrize("refused", [False, True])
def test_one_that_fails_does_not_take_the_other_along(monkeypatch, refused):
    # The two towers are told apart by the length of what they read.
    net = NETS["dense"]()
    net.tower[0]._flatten = False
    net.tower[1]._flatten = False
    net.initialize(mx.init.Normal(0.5))
    given = mx.nd.random.normal(shape=(3, 8)), mx.nd.random.normal(shape=(5, 7, 8))
    expected = net(*given)
    prepare = CpuTarget.prepare

    def failing(self, job):
        for node in job.graph.operators:
            if node.op == "Activation" and len(node.out.shape) == 3:
                if refused:
                    raise RefusedError("no", {node.name: "the compiler said no"})
                raise CompileError("the compiler said no")
        return prepare(self, job)

    monkeypatch.setattr(CpuTarget, "prepare", failing)
    compiled = gluon_neuron.compile(net, given, op_by_op_retry=True)
    (left,) = compiled.report.outside
    assert left.op == "Activation" and left.sentence == "the compiler said no"
    assert compiled.report.compiled_operators == 5
    agree(compiled(*given), expected, *CLOSE)


def test_names_in_a_region_differ_and_come_back():
    nodes = [("null", "x", []), ("exp", "a", [(0, 0)]), ("log", "a", [(1, 0)]), ("null", "a_1", [])]
    graph = symbol([*nodes, ("add", "x", [(2, 0), (3, 0)])], [(4, 0), (1, 0)])
    sub = extract(graph, [1, 2, 4], [Entry(0, 0), Entry(3, 0)], [Entry(4, 0), Entry(1, 0)])
    names = [n["name"] for n in sub.raw["nodes"]]
    assert len(set(names)) == len(names) and sub.inputs == {"x": Entry(0, 0), "a_1": Entry(3, 0)}
    assert [sub.raw["nodes"][names.index(n)]["op"] for n in sub.operators] == ["exp", "log", "add"]
    assert list(sub.operators.values()) == [1, 2, 4]
    outer = [{"op": "null", "name": n, "inputs": []} for n in sub.inputs]
    node = {"op": "_neuron_subgraph_op", "name": "r", "inputs": [[0, 0, 0], [1, 0, 0]], "subgraphs": [sub.raw]}
    text = json.dumps({"nodes": [*outer, node], "arg_nodes": [0, 1], "heads": [[2, 0, 0], [2, 1, 0]]})
    assert [(n.op, n.name) for n in Graph.from_json(inline(text)).operators] == [
        ("exp", "a"),
        ("log", "a"),
        ("add", "x"),
    ]
