"""From a block through the doubles of the compilers and files to the double of a chip: as MXNet computes it."""

import os

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from tests.agreement import agree
from tests.doubles.install import compilers as compilers
from tests.nets import conv_net, images, run_python

PROGRAM = """
import sys
import mxnet as mx, numpy as np
import gluon_neuron
from gluon_neuron.engine import native_library
for name in ("jax", "openvino"):
    assert name not in sys.modules
net = gluon_neuron.load(sys.argv[1])
np.save(sys.argv[2], net(mx.nd.array(np.load(sys.argv[3]))).asnumpy())
assert native_library.stats()["fallbacks"] == 0
"""


@pytest.mark.parametrize("target", ["inf2", "inf1"])
def test_compile_export_import_run(target, compilers, nrt_environment, tmp_path):
    net, x = conv_net(), images()
    cast = {"auto_cast": "matmult"} if target == "inf1" else {}
    made = gluon_neuron.compile(net, x, target=target, **cast)
    assert made.report.operator_share == 1
    made.export(str(tmp_path / "net"))
    np.save(tmp_path / "x.npy", x.asnumpy())
    places = (tmp_path / "net", tmp_path / "y.npy", tmp_path / "x.npy")
    run_python(PROGRAM, *places, env={**os.environ, **nrt_environment})
    agree(np.load(tmp_path / "y.npy"), net(x), 1e-5, 1e-5)


def test_weights_of_inf1_cannot_change(compilers, chip):
    """They are inside the program, which would go on computing with the old ones."""
    net, x = conv_net(), images()
    made = gluon_neuron.compile(net, x, target="inf1", auto_cast="matmult", strict=True)
    made(x).wait_to_read()
    net[0].bias.set_data(net[0].bias.data() + 1)
    with pytest.raises(mx.base.MXNetError, match="conv0_bias"):
        made(x).wait_to_read()
