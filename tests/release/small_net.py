"""Compiles, exports and loads a small net with the gluon_neuron of one environment; run by check_dist."""

import sys
from pathlib import Path

import mxnet as mx
import numpy as np

import gluon_neuron

assert Path(gluon_neuron.__file__).is_relative_to(sys.argv[1]), gluon_neuron.__file__
assert Path(gluon_neuron.__file__).with_name("py.typed").exists()
assert "_gluon_neuron_hook" in sys.modules  # by the .pth file

net = mx.gluon.nn.HybridSequential()
net.add(mx.gluon.nn.Conv2D(8, 3, activation="relu"), mx.gluon.nn.BatchNorm(), mx.gluon.nn.Dense(5))
net.initialize(mx.init.Xavier())
x = mx.nd.random.uniform(shape=(2, 3, 16, 16))
expected = net(x).asnumpy()

compiled = gluon_neuron.compile(net, x, target="cpu")
print(compiled.report)
assert len(compiled.report.regions) == 1, compiled.report
np.testing.assert_allclose(compiled(x).asnumpy(), expected, rtol=1e-4, atol=1e-5)

compiled.export("net")
np.testing.assert_allclose(gluon_neuron.load("net")(x).asnumpy(), expected, rtol=1e-4, atol=1e-5)
plain = mx.gluon.SymbolBlock.imports("net-symbol.json", ["data"], "net-0000.params")
np.testing.assert_allclose(plain(x).asnumpy(), expected, rtol=1e-4, atol=1e-5)
