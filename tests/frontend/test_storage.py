"""Sparse arrays: what reads them stays in MXNet, and the rest of the model is compiled."""

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from gluon_neuron.errors import BlockError
from gluon_neuron.refusal import Category
from tests.agreement import agree

ROWS = 40


def model(read):
    """Two dense layers on top of `read(data, weight)`; its arrays, the weight row_sparse."""
    data, weight = mx.sym.var("data"), mx.sym.var("weight", stype="row_sparse")
    symbol = read(data, weight)
    for i in range(2):
        symbol = mx.sym.FullyConnected(symbol, num_hidden=64, name=f"fc{i}")
    shapes, _, _ = symbol.infer_shape(data=(2, ROWS), weight=(ROWS, 6))
    made = zip(symbol.list_arguments(), shapes, strict=True)
    args = {n: mx.nd.random.normal(0, 0.3, shape=s) for n, s in made if n != "data"}
    return symbol, {**args, "weight": args["weight"].tostype("row_sparse")}


READERS = {
    "dot": (lambda d, w: mx.sym.dot(d, w), ["dot"]),
    "Embedding": (lambda d, w: mx.sym.Embedding(d, w, input_dim=ROWS, output_dim=6), ["Embedding"]),
    # What it makes is dense, so that the next reader can be compiled.
    "to dense": (lambda d, w: mx.sym.dot(d, w + 1), ["_plus_scalar"]),
    "sparse results": (
        lambda d, w: mx.sym.dot(d, mx.sym.elemwise_mul(w * 2, w)),
        ["_mul_scalar", "elemwise_mul", "dot"],
    ),
    "from dense": (lambda d, w: mx.sym.sparse.dot(mx.sym.cast_storage(d, "csr"), w), ["cast_storage", "dot"]),
    "cast": (lambda d, w: mx.sym.dot(d, mx.sym.cast_storage(w, "default")), ["cast_storage"]),
}


@pytest.mark.parametrize("kind", READERS)
def test_only_what_reads_sparse_arrays_stays(kind, tmp_path, monkeypatch):
    monkeypatch.setenv("MXNET_STORAGE_FALLBACK_LOG_VERBOSE", "0")
    read, stays = READERS[kind]
    symbol, args = model(read)
    x = mx.nd.array(np.random.randint(0, ROWS, (2, ROWS)))
    expected = symbol.bind(mx.cpu(), {**args, "data": x}).forward()
    compiled, new_args, _ = gluon_neuron.compile(symbol, {"data": x}, args=args)
    report = gluon_neuron.get_report(compiled)
    assert [o.op for o in report.outside] == stays
    assert all(o.category == Category.NOT_FOR_INFERENCE and "dense arrays" in o.sentence for o in report.outside)
    assert sum(r.operators for r in report.regions) == report.operators - len(stays)
    assert gluon_neuron.analyze(symbol, {"data": x}, args=args).outside == report.outside
    assert new_args["weight"].stype == "row_sparse"
    close = {"rtol": 1e-3, "atol": 1e-4}
    agree(compiled.bind(mx.cpu(), {**new_args, "data": x}).forward(), expected, **close)
    mx.model.save_checkpoint(str(tmp_path / "net"), 0, compiled, new_args, {})
    agree([gluon_neuron.load(tmp_path / "net")(x)], expected, **close)
    loaded, loaded_args, _ = mx.model.load_checkpoint(str(tmp_path / "net"), 0)
    agree(loaded.bind(mx.cpu(), {**loaded_args, "data": x}).forward(), expected, **close)


def test_sparse_gradients_are_no_matter():
    net = mx.gluon.nn.HybridSequential()
    net.add(mx.gluon.nn.Embedding(ROWS, 6, sparse_grad=True), mx.gluon.nn.Dense(8))
    net.initialize()
    x = mx.nd.array([[1, 2], [3, 30]])
    expected = net(x)
    compiled = gluon_neuron.compile(net, x)
    assert not compiled.report.outside
    agree(compiled(x), expected, 1e-4, 1e-5)


def test_a_block_with_a_sparse_parameter_is_refused():
    class Net(mx.gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            self.weight = self.params.get("weight", shape=(ROWS, 6), stype="row_sparse")

        def hybrid_forward(self, F, x, weight):
            return F.dot(x, weight)

    net = Net()
    net.initialize()
    with pytest.raises(BlockError, match="'row_sparse'.*stype='default'.*symbol"):
        gluon_neuron.compile(net, mx.nd.ones((2, ROWS)))
