"""Memory stays flat over calls, weight updates and batch sizes."""

from tests.nets import run_python

# Prints by how many MB the process grows while `step` runs, once it has run for a while.
CODE = """
    import ctypes, gc
    import mxnet as mx, numpy as np
    from mxnet.gluon import nn
    import gluon_neuron

    def resident():
        mx.nd.waitall()
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096 / 2**20

    def growth(step, times, before):
        for i in range(before): step(i)
        before = resident()
        for i in range(times): step(i)
        return resident() - before

    net = nn.HybridSequential()
    net.add(nn.Conv2D(16, 3, activation="relu"), nn.BatchNorm(), nn.GlobalAvgPool2D(), nn.Dense(40000), nn.Dense(10))
    net.initialize()
    net(mx.nd.zeros((1, 3, 16, 16)))
    compiled = gluon_neuron.compile(net, mx.nd.zeros((1, 3, 16, 16)))
    data = mx.sym.var("data", dtype="float32")
    plain = mx.gluon.SymbolBlock(compiled.symbol, [data], params=compiled.collect_params())
    plain.hybridize(static_alloc=True, static_shape=True)
    x = mx.nd.ones((1, 3, 16, 16))
    weight = net[3].weight

    def call(i):
        block(x).wait_to_read()

    def write(i):
        weight.data()[i] = i
        block(x).wait_to_read()

    def replace(i):
        weight.initialize(mx.init.Normal(0.1), force_reinit=True)
        block(x).wait_to_read()

    def batch(i):
        block(mx.nd.ones((i % 20 + 1, 3, 16, 16))).wait_to_read()

    for block in (compiled, plain):
        print(growth(call, 1000, 100), growth(write, 20, 5), growth(replace, 20, 5), growth(batch, 20, 20))
"""


def test_flat():
    found = run_python(CODE).splitlines()
    for way, line in zip(("a NeuronHybridBlock", "a SymbolBlock"), found, strict=True):
        calls, writes, replacements, batches = map(float, line.split())
        # A model and its weights take over 4 MB, so that one left behind at each step would be 80 MB.
        assert calls < 4, way
        assert writes < 12, way
        assert replacements < 12, way
        assert batches < 30, way
