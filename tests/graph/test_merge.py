"""A block called twice: its parameters come twice in the symbol, and are one in the compiled model."""

import mxnet as mx

import gluon_neuron
from gluon_neuron.graph.merge import merge_variables
from tests.agreement import agree


class Siamese(mx.gluon.HybridBlock):
    """The distance of two images' features, both from the same layers."""

    def __init__(self, features):
        super().__init__()
        with self.name_scope():
            self.features = features
            self.head = mx.gluon.nn.Dense(2)

    def hybrid_forward(self, F, a, b):
        return self.head(F.abs(self.features(a) - self.features(b)))


def features():
    """Layers from a symbol: when such a block is called twice, MXNet copies its variables."""
    data = mx.sym.var("pixels")
    net = mx.gluon.nn.HybridSequential(prefix="f_")
    with net.name_scope():
        net.add(mx.gluon.nn.Conv2D(4, 3), mx.gluon.nn.BatchNorm(), mx.gluon.nn.Activation("relu"))
    made = mx.gluon.SymbolBlock(net(data), data)
    made.initialize(mx.init.Normal(0.3))
    return made


def test_siamese(tmp_path):
    net = Siamese(features())
    net.head.initialize()
    a, b = (mx.nd.random.normal(shape=(2, 3, 8, 8)) for _ in range(2))
    expected = net(a, b).asnumpy()
    names = net._get_graph(a, b)[1].list_inputs()
    assert len(set(names)) < len(names)
    compiled = gluon_neuron.compile(net, (a, b))
    assert not compiled.report.outside
    agree(compiled(a, b), expected, 1e-4, 1e-5)
    compiled.export(str(tmp_path / "siamese"))
    loaded = gluon_neuron.load(str(tmp_path / "siamese"))
    agree(loaded(b, a), expected, 1e-4, 1e-5)
    for param in net.features.collect_params().values():
        param.set_data(param.data() * 1.5)
    agree(compiled(a, b), net(a, b), 1e-4, 1e-5)


def test_merge():
    weight, again = mx.sym.var("w"), mx.sym.var("w", shape=(3, 3))
    symbol = mx.sym.dot(mx.sym.dot(mx.sym.var("x"), weight), again) + again
    merged = mx.sym.load_json(merge_variables(symbol.tojson()))
    assert merged.list_inputs() == ["x", "w"]
    values = {n: mx.nd.random.normal(shape=(3, 3)) for n in ("x", "w")}
    found = merged.bind(mx.cpu(), values).forward()[0].asnumpy()
    x, w = values["x"].asnumpy(), values["w"].asnumpy()
    agree(found, x @ w @ w + w, 1e-4, 1e-5)
