"""How compiled blocks are called: by name as their blocks were, and with what these fill in themselves."""

import mxnet as mx
import pytest

import gluon_neuron
from gluon_neuron.errors import ArtifactCorruptError, InputError
from tests.agreement import agree
from tests.nets import CLOSE, artifact_name


class Own(mx.gluon.HybridBlock):
    """A call of its own, with defaults."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.dense = mx.gluon.nn.Dense(8)

    def __call__(self, x, y=None, scale=None):
        return super().__call__(x, x * 0 + 1 if y is None else y)

    def hybrid_forward(self, F, x, y):
        return F.broadcast_add(self.dense(x), F.sum(y, axis=1, keepdims=True))


@pytest.fixture
def net():
    made = Own()
    made.initialize()
    made(mx.nd.ones((2, 4)))
    return made


def arrays():
    return mx.nd.random.normal(shape=(2, 4)), mx.nd.random.normal(shape=(2, 4))


@pytest.mark.parametrize("loaded", [False, True])
def test_by_name(net, loaded, tmp_path):
    x, y = arrays()
    one, two = gluon_neuron.compile(net, x), gluon_neuron.compile(net, (x, y))
    if loaded:
        one.export(tmp_path / "one")
        two.export(tmp_path / "two")
        one, two = gluon_neuron.load(tmp_path / "one"), gluon_neuron.load(tmp_path / "two")
    for _ in range(2):
        x, y = arrays()
        for found in (one(x), one(x=x), one(x, None), one(x, y=None, scale=None), one(x, scale=None)):
            agree(found, net(x), **CLOSE)
        for found in (two(x, y), two(x, y=y), two(y=y, x=x), two(x, y, scale=None)):
            agree(found, net(x, y), **CLOSE)


def test_names_that_do_not_fit(net):
    x, y = arrays()
    compiled = gluon_neuron.compile(net, x)
    for named, message in (
        ({"y": y}, "another structure.*sample of that structure"),
        ({"z": y}, "no argument 'z'.*x, y, scale"),
        ({"x": y}, "given twice"),
    ):
        with pytest.raises(InputError, match=message):
            compiled(x, **named)
    symbol = mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=3, no_bias=True, name="fc")
    made = gluon_neuron.api.compile_symbol(symbol, {"data": x}, {"fc_weight": mx.nd.ones((3, 4))}, {}, {})
    with pytest.raises(InputError, match="none of them by name: data"):
        made(data=x)


@pytest.mark.parametrize("option", ["exclude_nodes", "exclude_operators"])
def test_a_single_name(option, net):
    x, _ = arrays()
    name = "FullyConnected" if option == "exclude_operators" else net.dense.name + "_fwd"
    report = gluon_neuron.analyze(net, x, **{option: name})
    assert [o.category for o in report.outside if o.op == "FullyConnected"] == ["excluded"]
    net.hybridize()
    expected = net(x)
    # MXNet hands options to backends as text.
    symbol = mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=3, name="fc")
    args = {"data": x, "fc_weight": mx.nd.ones((3, 4)), "fc_bias": mx.nd.ones((3,))}
    given = {"exclude_operators": "FullyConnected"} if option == "exclude_operators" else {"exclude_nodes": "fc"}
    assert '"op": "FullyConnected"' in symbol.optimize_for("neuron", args, {}, **given).tojson()
    agree(gluon_neuron.compile(net, x, **{option: name})(x), expected, **CLOSE)


def test_an_artifact_of_zeros_is_called_that(net, tmp_path):
    x, _ = arrays()
    gluon_neuron.compile(net, x).export(tmp_path / "net")
    symbol, args, aux = mx.model.load_checkpoint(str(tmp_path / "net"), 0)
    name = artifact_name(args)
    args[name] = mx.nd.zeros(args[name].shape, dtype="uint8")
    with pytest.raises(mx.base.MXNetError, match="all zeros.*allow_missing.*Load them") as caught:
        symbol.bind(mx.cpu(), {**args, "data": x}).forward()[0].asnumpy()
    assert "damaged" not in str(caught.value)
    mx.model.save_checkpoint(str(tmp_path / "net"), 0, symbol, args, aux)
    with pytest.raises(ArtifactCorruptError, match="all zeros.*allow_missing") as refused:
        gluon_neuron.load(tmp_path / "net")
    assert "damaged" not in str(refused.value)
