"""Arrays that are still to be computed when MXNet is asked to partition are computed before it looks at them."""

import time

import mxnet as mx
import pytest
from mxnet.gluon import nn

import gluon_neuron  # noqa: F401 - adds the backend
from tests.agreement import agree
from tests.nets import CLOSE

done = []


class Slow(mx.operator.CustomOp):
    def forward(self, is_train, req, in_data, out_data, aux):
        time.sleep(0.2)
        self.assign(out_data[0], req[0], in_data[0])
        done.append(True)


@mx.operator.register("slow_copy_of_test_computed_arrays")
class SlowProp(mx.operator.CustomOpProp):
    def create_operator(self, ctx, shapes, dtypes):
        return Slow()


@pytest.mark.parametrize("way", ["hybridize", "block", "symbol"])
def test_an_input_that_is_still_to_be_computed(way, monkeypatch):
    net = nn.Dense(4, in_units=6)
    net.initialize(mx.init.Normal(0.3))
    data = mx.nd.random.normal(shape=(4, 6))
    want = net(data)
    mx.nd.waitall()
    seen = []
    library = mx.symbol.symbol._LIB

    class Library:
        def __getattr__(self, name):
            if name == "MXOptimizeForBackend":
                seen.append(list(done))
            return getattr(library, name)

    monkeypatch.setattr(mx.symbol.symbol, "_LIB", Library())
    done.clear()
    x = mx.nd.Custom(data, op_type="slow_copy_of_test_computed_arrays")
    if way == "symbol":
        symbol, args = net(mx.sym.var("data")), {n: p.data() for n, p in net.collect_params().items()} | {"data": x}
        found = symbol.optimize_for("neuron", args, {}).bind(mx.cpu(), args).forward()[0]
    else:
        net.hybridize(backend="neuron") if way == "hybridize" else net.optimize_for(x, backend="neuron")
        found = net(x)
    assert seen == [[True]]
    agree(found, want, **CLOSE)
    agree(x, data, **CLOSE)
