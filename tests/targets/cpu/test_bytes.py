"""Images of bytes go into the compiled region as they are, where it makes floats of them first."""

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn
from mxnet.gluon.data.vision import transforms

import gluon_neuron
from tests.agreement import agree
from tests.nets import CLOSE


class Pictures(mx.gluon.HybridBlock):
    """Bytes (H, W, C) or (N, H, W, C) to a tensor, normalised, through a convolution."""

    def __init__(self, alone):
        super().__init__()
        self._alone = alone
        with self.name_scope():
            self.tensor = transforms.ToTensor()
            self.normal = transforms.Normalize((0.5, 0.4, 0.3), 0.2)
            self.conv = nn.Conv2D(4, 3)

    def hybrid_forward(self, F, x):
        x = self.normal(self.tensor(x))
        return self.conv(F.expand_dims(x, 0) if self._alone else x)


class NumpyPictures(mx.gluon.HybridBlock):
    """The same in mx.np, without the normalisation."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.conv = nn.Conv2D(4, 3)

    def hybrid_forward(self, F, x):
        return self.conv(F.npx.image.to_tensor(x))


def pictures(shape, dtype):
    """Every value of the dtype, and others."""
    limits = np.iinfo(dtype)
    values = np.arange(limits.min, limits.max + 1)
    return mx.nd.array(np.resize(np.random.permutation(values), shape), dtype=dtype)


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
@pytest.mark.parametrize("alone", [True, False])
def test_to_tensor(alone, dtype, tmp_path):
    net = Pictures(alone)
    net.initialize()
    x = pictures((12, 14, 3) if alone else (2, 12, 14, 3), dtype)
    expected = net(x)
    compiled = gluon_neuron.compile(net, x)
    assert not compiled.report.outside and len(compiled.report.regions) == 1
    assert compiled._metadata.specs[0].dtype == dtype
    agree(compiled(x), expected, **CLOSE)
    more = pictures((20, 9, 3) if alone else (3, 12, 14, 3), dtype)
    agree(compiled(more), net(more), **CLOSE)
    compiled.export(tmp_path / "net")
    agree(gluon_neuron.load(tmp_path / "net")(x), expected, **CLOSE)


def test_to_tensor_of_mx_np():
    with mx.util.np_shape(True), mx.util.np_array(True):
        net = NumpyPictures()
        net.initialize()
        x = pictures((2, 12, 14, 3), "uint8").as_np_ndarray()
        expected = net(x)
        compiled = gluon_neuron.compile(net, x)
        assert not compiled.report.outside
        agree(compiled(x), expected, **CLOSE)


def test_bytes_that_are_computed_with_stay():
    x = mx.nd.array([[200, 100]], dtype="uint8")
    net = mx.gluon.nn.HybridLambda(lambda F, x: F.cast(x + 100, "float32"))
    compiled = gluon_neuron.compile(net, x)
    assert any("wraps" in o.sentence for o in compiled.report.outside)
    agree(compiled(x), net(x))
