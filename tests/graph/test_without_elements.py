"""Pieces without elements, in either front end: what does not read them is compiled, and they are outputs as well."""

import mxnet as mx
import pytest

import gluon_neuron
from tests.agreement import agree
from tests.nets import CLOSE


class Pieces(mx.gluon.HybridBlock):
    """Splits what a dense layer gives, and has another read one piece; gives others as well."""

    def __init__(self, indices, read, given):
        super().__init__()
        self._indices, self._read, self._given = indices, read, given
        with self.name_scope():
            self.first, self.second = mx.gluon.nn.Dense(12), mx.gluon.nn.Dense(5)

    def hybrid_forward(self, F, x):
        split = F.np.split if mx.util.is_np_array() else F.split_v2
        pieces = split(self.first(x), self._indices, axis=1)
        return self.second(pieces[self._read]), [pieces[i] for i in self._given]


@pytest.mark.parametrize("is_np", [False, True])
@pytest.mark.parametrize(
    ("indices", "read", "given", "stays"),
    [
        ((0, 4), 2, (), []),
        ((4, 4), 2, (), []),
        ((4, 12), 0, (1,), []),
        ((0, 0, 4), 3, (), []),
        ((0, 4), 2, (0,), ["split"]),
        ((4, 4), 0, (1, 2), ["split"]),
        ((4, 12), 1, (2,), ["split"]),
    ],
)
def test_pieces(indices, read, given, stays, is_np):
    with mx.util.np_shape(is_np), mx.util.np_array(is_np):
        net = Pieces(indices, read, given)
        net.initialize()
        x = mx.nd.random.normal(shape=(3, 8))
        x = x.as_np_ndarray() if is_np else x
        expected = net(x)
        compiled = gluon_neuron.compile(net, x)
        assert ["split" for o in compiled.report.outside if "split" in o.op] == stays
        for _ in range(3):  # the first call, one like it, and the quick way
            agree(compiled(x), expected, **CLOSE)
        agree(compiled(x[:2]), net(x[:2]), **CLOSE)
