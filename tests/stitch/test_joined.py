"""Compiled models that meet in one symbol, block or folder run their own programs, or say clearly that they cannot."""

import json

import mxnet as mx
import pytest
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.errors import ArtifactError, ArtifactMismatchError, BlockError, GraphError, InputError
from gluon_neuron.graph.belonging import Owner, check_artifacts
from gluon_neuron.runtime import belonging
from tests.agreement import agree
from tests.golden import FOLDER
from tests.nets import artifact_name

CLOSE = 1e-4, 1e-5
NO_PARAMETER = (InputError, AssertionError, ValueError)


def dense(prefix, activation, like=None):
    net = nn.HybridSequential(prefix=prefix)
    with net.name_scope():
        net.add(nn.Dense(4, activation=activation, in_units=4), nn.Dense(4, in_units=4))
    net.initialize(mx.init.Normal(0.7))
    for name, param in like.collect_params().items() if like else ():
        net.collect_params()[name].set_data(param.data())
    return net


@pytest.fixture
def x():
    return mx.nd.random.normal(shape=(2, 4))


def compiled(net, x, **options):
    """The symbol and all of its arrays."""
    made = gluon_neuron.compile(net, x, **options)
    return made.symbol, {n: p.data() for n, p in made.collect_params().items()}


def pairs():
    """Two nets that a joined model might confuse, and the options they are compiled with."""
    first = dense("a_", "relu")
    yield "other weights", first, dense("b_", "relu"), {}
    yield "the same names and shapes", first, dense("a_", "tanh", like=first), {}
    yield "weights inside", first, dense("a_", "relu"), {"inline_weights": True}


PAIRS = [pytest.param(*rest, id=name) for name, *rest in pairs()]


@pytest.mark.parametrize(("one", "other", "options"), PAIRS)
def test_grouped(one, other, options, x):
    (a, values), (b, more) = compiled(one, x, **options), compiled(other, x, **options)
    both = mx.sym.Group([a, b])
    given = {**values, **more, "data": x}
    agree(both.bind(mx.cpu(), given, grad_req="null").forward(), [one(x), other(x)], *CLOSE)
    agree(both.bind(mx.cpu(), given).forward(), [one(x), other(x)], *CLOSE)
    back = mx.sym.load_json(both.tojson())
    agree(back.bind(mx.cpu(), given, grad_req="null").forward(), [one(x), other(x)], *CLOSE)


@pytest.mark.parametrize(("one", "other", "options"), PAIRS)
def test_chained(one, other, options, x):
    (a, values), (b, more) = compiled(one, x, **options), compiled(other, x, **options)
    chain, given = b(data=a), {**values, **more, "data": x}
    agree(chain.bind(mx.cpu(), given, grad_req="null").forward()[0], other(one(x)), *CLOSE)
    with pytest.raises(InputError, match="edited after gluon_neuron had compiled it"):
        gluon_neuron.get_report(chain)


def test_a_joined_symbol_is_compiled_as_a_whole(x):
    one, other = dense("a_", "relu"), dense("b_", "tanh")
    (a, values), (b, more) = compiled(one, x), compiled(other, x)
    made, args, aux = gluon_neuron.compile(mx.sym.Group([a, b, b(data=a)]), {"data": x}, args={**values, **more})
    assert len(gluon_neuron.get_report(made).regions) == 1
    found = made.bind(mx.cpu(), {**args, "data": x}, aux_states=aux, grad_req="null").forward()
    agree(found, [one(x), other(x), other(one(x))], *CLOSE)


def test_module_of_a_chain(x):
    one, other = dense("a_", "relu"), dense("b_", "tanh")
    (a, values), (b, more) = compiled(one, x), compiled(other, x)
    module = mx.mod.Module(b(data=a), label_names=None)
    module.bind([("data", x.shape)], for_training=False)
    module.set_params({**values, **more}, {})
    module.forward(mx.io.DataBatch([x]), is_train=False)
    agree(module.get_outputs()[0], other(one(x)), *CLOSE)


class Parent(mx.gluon.HybridBlock):
    """Several blocks on the same data."""

    def __init__(self, *blocks):
        super().__init__()
        self.blocks = blocks
        for number, block in enumerate(blocks):
            self.register_child(block, f"child{number}")

    def hybrid_forward(self, F, data):
        return [F.relu(block(data)) for block in self.blocks]


def under_one_parent(kind, x):
    """The children and the nets that they were compiled of."""
    a = dense("a_", "relu")
    b = dense("a_", "relu") if kind == "weights inside" else dense("b_", "tanh")
    if kind == "two nets":
        return [gluon_neuron.compile(a, x), gluon_neuron.compile(b, x)], [a, b]
    if kind == "one net twice":
        return [gluon_neuron.compile(a, x), gluon_neuron.compile(a, x)], [a, a]
    if kind == "one block twice":
        return [gluon_neuron.compile(a, x)] * 2, [a, a]
    if kind == "other options":
        return [gluon_neuron.compile(a, x), gluon_neuron.compile(a, x, num_threads=1)], [a, a]
    if kind == "beside a plain one":
        return [b, gluon_neuron.compile(a, x)], [b, a]
    return [gluon_neuron.compile(n, x, inline_weights=True) for n in (a, b)], [a, b]


KINDS = ["two nets", "one net twice", "one block twice", "other options", "beside a plain one", "weights inside"]


@pytest.mark.parametrize("mode", [None, {}, {"static_alloc": True, "static_shape": True}], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_under_one_parent(kind, mode, x, tmp_path):
    children, nets = under_one_parent(kind, x)
    parent = Parent(*children)
    expected = [mx.nd.relu(net(x)) for net in nets]
    names = parent.collect_params().keys()
    assert {n for child in children for n in child.collect_params()} == set(names)
    if mode is not None:
        parent.hybridize(**mode)
    for _ in range(2):
        agree(parent(x), expected, *CLOSE)
    if mode is not None:
        parent.export(str(tmp_path / "net"))
        files = str(tmp_path / "net-symbol.json"), ["data"], str(tmp_path / "net-0000.params")
        agree(mx.gluon.SymbolBlock.imports(*files)(x), expected, *CLOSE)
        with pytest.raises(InputError, match="edited after gluon_neuron had compiled it"):
            gluon_neuron.load(tmp_path / "net")
    parent.save_parameters(str(tmp_path / "p"))
    parent.load_parameters(str(tmp_path / "p"))
    agree(parent(x), expected, *CLOSE)
    if kind == "weights inside":
        with pytest.raises(GraphError, match="weights baked in"):
            gluon_neuron.compile(parent, x)
        return
    whole = gluon_neuron.compile(parent, x)
    assert len(whole.report.regions) == 1 and not whole.report.outside
    agree(whole(x), expected, *CLOSE)


@pytest.fixture
def swapped(x, tmp_path):
    """One model's symbol with another's artifact under the name that it asks for, as arrays and as files."""
    one = dense("a_", "relu")
    a, values = compiled(one, x)
    b, more = compiled(dense("a_", "tanh", like=one), x)
    wanted, taken = artifact_name(values), artifact_name(more)
    assert wanted != taken
    mixed = {**values, wanted: more[taken]}
    mx.model.save_checkpoint(str(tmp_path / "net"), 0, a, mixed, {})
    return a, mixed, tmp_path / "net"


def imports(path):
    return mx.gluon.SymbolBlock.imports(f"{path}-symbol.json", ["data"], f"{path}-0000.params")


WAYS = {
    "load": lambda symbol, given, path, x: gluon_neuron.load(path),
    "imports": lambda symbol, given, path, x: imports(path)(x).wait_to_read(),
    "bind": lambda symbol, given, path, x: symbol.bind(mx.cpu(), {**given, "data": x}),
    "bind a list": lambda symbol, given, path, x: symbol.bind(
        mx.cpu(), [{**given, "data": x}[n] for n in symbol.list_arguments()]
    ),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_anothers_artifact_is_refused_before_anything_runs(way, swapped, x):
    with pytest.raises(ArtifactMismatchError, match=r"_neuronbin' of node '_neuron.*is another node's") as e:
        way(*swapped, x)
    assert isinstance(e.value, ArtifactError) and "Use the parameters that were exported with this symbol" in str(
        e.value
    )


def test_the_operator_refuses_it_too(swapped, x):
    # A module's arrays are filled after it is bound.
    symbol, given, _ = swapped
    module = mx.mod.Module(symbol, label_names=None)
    module.bind([("data", x.shape)], for_training=False)
    module.set_params(given, {})
    with pytest.raises(mx.base.MXNetError, match="artifact of node _neuron_subgraph_op0 is another node's"):
        module.forward(mx.io.DataBatch([x]), is_train=False)
        module.get_outputs()[0].wait_to_read()


def test_a_compiled_block_whose_artifact_is_replaced(x):
    one = dense("a_", "relu")
    net = gluon_neuron.compile(one, x)
    net(x).wait_to_read()
    _, more = compiled(dense("a_", "tanh", like=one), x)
    bytes_ = more[artifact_name(more)]
    mine = net.collect_params()[artifact_name(net.collect_params())]
    if bytes_.shape != mine.shape:
        pytest.skip("the artifacts differ in size, which MXNet refuses")
    mine.set_data(bytes_)
    with pytest.raises(mx.base.MXNetError, match="is another node's"):
        net(x).wait_to_read()


@pytest.mark.parametrize("way", ["load", "imports", "bind"])
def test_a_symbol_beside_the_parameters_of_another(way, x, tmp_path):
    one = dense("a_", "relu")
    gluon_neuron.compile(one, x).export(tmp_path / "one")
    gluon_neuron.compile(dense("a_", "tanh", like=one), x).export(tmp_path / "other")
    # Written again by MXNet, the parameters do not say with which symbol they were exported.
    mx.nd.save(str(tmp_path / "one-0000.params"), mx.nd.load(str(tmp_path / "other-0000.params")))
    symbol, args, _ = mx.model.load_checkpoint(str(tmp_path / "one"), 0)
    with pytest.raises(NO_PARAMETER, match=f"{artifact_name(symbol.list_arguments())}"):
        WAYS[way](symbol, args, tmp_path / "one", x)


def test_edited_symbols(x, tmp_path):
    net = dense("a_", "relu")
    symbol, values = compiled(net, x)
    edits = {
        "preprocessing": (symbol(data=mx.sym.var("data") * 2), net(x * 2)),
        "another head": (mx.sym.Group([symbol, symbol * 2]), [net(x), net(x) * 2]),
        "the head taken off": (symbol.get_internals()["_neuron_subgraph_op0_output"], net(x)),
    }
    for name, (edited, expected) in edits.items():
        found = edited.bind(mx.cpu(), {**values, "data": x}, grad_req="null").forward()
        agree(found if len(found) > 1 else found[0], expected, *CLOSE, where=name)
        mx.model.save_checkpoint(str(tmp_path / "net"), 0, edited, values, {})
        with pytest.raises(InputError, match=r"edited after .*SymbolBlock\.imports .*compile it again"):
            gluon_neuron.load(tmp_path / "net")
        made, args, _ = gluon_neuron.compile(edited, {"data": x}, args=values)
        assert len(gluon_neuron.get_report(made).regions) == 1
        found = made.bind(mx.cpu(), {**args, "data": x}, grad_req="null").forward()
        agree(found if len(found) > 1 else found[0], expected, *CLOSE, where=name)


def test_split_in_two(x):
    class Two(mx.gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            self.a, self.b = dense("a_", "relu"), dense("b_", "tanh")

        def hybrid_forward(self, F, data):
            middle = F.topk(self.a(data), k=4, ret_typ="value", name="middle")
            return self.b(middle), middle

    net = Two()
    symbol, values = compiled(net, x, exclude_operators=["topk"])
    expected = net(x)
    assert len(gluon_neuron.get_report(symbol).regions) == 2
    middle = next(n for n in symbol.get_internals().list_outputs() if "middle_output" in n)
    first = symbol.get_internals()[middle]
    agree(first.bind(mx.cpu(), chosen(first, values, x), grad_req="null").forward()[0], expected[1], *CLOSE)
    with pytest.raises(InputError, match="edited"):
        gluon_neuron.get_report(first)


def chosen(symbol, values, x):
    return {n: {**values, "data": x}[n] for n in symbol.list_arguments()}


def test_weights_of_the_same_net_compiled_otherwise(x, tmp_path):
    net = dense("a_", "relu")
    one, other = gluon_neuron.compile(net, x), gluon_neuron.compile(dense("a_", "relu"), x, num_threads=1)
    assert artifact_name(one.collect_params()) != artifact_name(other.collect_params())
    one.save_parameters(str(tmp_path / "w"))
    before = set(other.collect_params())
    other.load_parameters(str(tmp_path / "w"))
    assert set(other.collect_params()) == before
    agree(other(x), net(x), *CLOSE)


def test_a_compiled_block_is_optimized_already(x):
    net = dense("a_", "relu")
    made = gluon_neuron.compile(net, x)
    text = made.symbol.tojson()
    made.optimize_for(x, backend="neuron", static_alloc=True)
    made.hybridize(backend="neuron", static_alloc=True)
    assert made.symbol.tojson() == text
    agree(made(x), net(x), *CLOSE)
    for options in ({"backend": "MKLDNN"}, {"backend": "neuron", "auto_cast": "all"}):
        with pytest.raises(BlockError, match=r"compiled already.*gluon_neuron\.compile"):
            made.hybridize(**options)
        with pytest.raises(BlockError, match="compiled already"):
            made.optimize_for(x, **options)


def golden():
    """The first release's checkpoint, and another model whose artifact has the same name."""
    symbol, args, aux = mx.model.load_checkpoint(str(FOLDER / "v0.1.0" / "checkpoint"), 0)
    other, more, _ = mx.model.load_checkpoint(str(FOLDER / "v0.1.0" / "net"), 0)
    assert artifact_name(args) == artifact_name(more) == "_neuron_subgraph_op0_neuronbin"
    return symbol, args, aux, other, more


def test_artifacts_of_the_first_release_are_known_by_their_inputs():
    symbol, args, aux, _, more = golden()
    name = artifact_name(args)
    with pytest.raises(ArtifactMismatchError, match="is another node's"):
        belonging.check_bound(symbol, {**args, name: more[name]})
    assert belonging.check_bound(symbol, args)


def test_models_of_the_first_release_do_not_meet_under_one_name():
    symbol, args, aux, other, more = golden()
    with pytest.raises(ArtifactMismatchError, match="joins several models under one name"):
        belonging.check_bound(mx.sym.Group([symbol, other]), {**more, **args})


def test_what_is_not_known_yet_is_not_judged(x):
    symbol, values = compiled(dense("a_", "relu"), x)
    empty = mx.nd.zeros(values[artifact_name(values)].shape, dtype="uint8")
    assert belonging.check_bound(symbol, {**values, artifact_name(values): empty})
    check_artifacts(symbol.tojson(), lambda name: None)
    with pytest.raises(ArtifactMismatchError, match=r"^here: The artifact .* compiled for u, v and the graph 123"):
        check_artifacts(symbol.tojson(), lambda name: Owner("123", ["u", "v"]), "here: ")
    assert not belonging.check_bound(mx.sym.var("x"), {"x": x})
    assert not belonging.check_bound(mx.sym.var("x"), None)
    assert json.loads(symbol.tojson())["nodes"]
