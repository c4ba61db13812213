"""Small nets that the end-to-end tests compile, and helpers to run them elsewhere."""

import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import mxnet as mx
from mxnet import gluon
from mxnet.gluon import nn

CLOSE = {"rtol": 1e-3, "atol": 1e-4, "kind": True}
"""How closely a compiled net gives the original's results, as the same kind of array."""


def artifact_name(names):
    """The name of the only artifact among these names."""
    (found,) = (n for n in names if n.endswith("_neuronbin"))
    return found


def front(array):
    """The array as one of the front end in use."""
    return array.as_np_ndarray() if mx.util.is_np_array() else array


def conv_net(classes=5, prefix=None):
    """Convolutions, batch norms, pooling and a dense layer; BatchNorm statistics that matter."""
    net = nn.HybridSequential(prefix=prefix)
    with net.name_scope():
        net.add(nn.Conv2D(8, 3, padding=1), nn.BatchNorm(), nn.Activation("relu"), nn.MaxPool2D())
        net.add(nn.Conv2D(16, 3, padding=1, use_bias=False), nn.BatchNorm(), nn.Activation("relu"))
        net.add(nn.GlobalAvgPool2D(), nn.Dense(classes))
    return initialized(net, front(mx.nd.zeros((1, 3, 16, 16))))


def initialized(net, *inputs):
    """The net with random weights and BatchNorm statistics away from 0 and 1."""
    net.initialize(mx.init.Xavier(magnitude=2))
    with mx.autograd.pause():
        net(*inputs)
    for name, param in net.collect_params().items():
        shape = param.shape
        if name.endswith("running_mean"):
            param.set_data(front(mx.nd.random.normal(0, 0.3, shape)))
        elif name.endswith(("running_var", "gamma", "beta", "bias")):
            param.set_data(front(mx.nd.random.uniform(0.5, 1.5, shape)))
    return net


def images(batch=1, size=16):
    """Random images."""
    return front(mx.nd.random.normal(shape=(batch, 3, size, size)))


class Nested(gluon.HybridBlock):
    """Two inputs, the second a list; nested outputs."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.conv = nn.Conv2D(4, 3, padding=1)
            self.dense = nn.Dense(3)

    def hybrid_forward(self, F, x, others):
        y = self.conv(x) + others[0]
        relu = F.npx.relu if mx.util.is_np_array() else F.relu
        return self.dense(y), [y * others[1], (relu(y), y)]


def nested_net():
    """A `Nested` block and arguments for it."""
    args = (images(2, 8), [front(mx.nd.random.normal(shape=(2, 4, 8, 8))) for _ in range(2)])
    return initialized(Nested(), *args), args


class Split(gluon.HybridBlock):
    """Two compiled regions with non-maximum suppression, which stays in MXNet, between them."""

    def __init__(self):
        super().__init__()
        with self.name_scope():
            self.conv = nn.Conv2D(6, 1)
            self.dense = nn.Dense(4, flatten=False)

    def hybrid_forward(self, F, x):
        boxes = self.conv(x).reshape((0, 0, -1)).transpose((0, 2, 1))
        kept = F.contrib.box_nms(boxes, overlap_thresh=0.5, valid_thresh=0, score_index=1, coord_start=2, id_index=0)
        return self.dense(kept)


def in_threads(work, count=4):
    """Call `work` with 0, 1, ... in as many threads at once; raises what one of them raised."""
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(work, range(count)))


def run_program(module, *args, timeout):
    """Run a module of the tests in a fresh interpreter; the test fails with what it wrote."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", module, *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stdout[-4000:]


def run_python(code, *args, env=None, timeout=120):
    """Run code in a fresh interpreter; its standard output. The test fails with its standard error."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code), *map(str, args)],
        capture_output=True,
        text=True,
        timeout=timeout,
        env=env,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout
