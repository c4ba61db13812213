"""Memory stays flat over calls, weight updates and batch sizes."""

import json

import pytest

from tests.nets import run_python

# Prints by how many MB the process grows while a step runs often enough, for each step and way to run the net. What
# leaks grows in every window; what only grows once, or while the machine is busy, does not: the smallest of up to four
# windows counts, and one below the limit is enough.
CODE = """
    import ctypes, gc, json, os
    import mxnet as mx, numpy as np
    from mxnet.gluon import nn
    import gluon_neuron

    trim = ctypes.CDLL(None).malloc_trim

    def resident():
        mx.nd.waitall()
        gc.collect()
        trim(0)
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20

    def growth(step, times, before, limit):
        for i in range(before): step(i)
        windows = []
        while len(windows) < 4 and not (windows and min(windows) < limit):
            start = resident()
            for i in range(times): step(i)
            windows.append(resident() - start)
        return min(windows)

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
    kept = []

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

    def leak(i):
        kept.append(weight.data().copy())

    found = {}
    for way, block in (("NeuronHybridBlock", compiled), ("SymbolBlock", plain)):
        found[way] = {
            "call": growth(call, 1000, 100, LIMITS["call"]),
            "write": growth(write, 20, 5, LIMITS["write"]),
            "replace": growth(replace, 20, 5, LIMITS["replace"]),
            "batch": growth(batch, 20, 20, LIMITS["batch"]),
        }
    found["leak"] = growth(leak, 20, 1, LIMITS["write"])
    print(json.dumps(found))
"""

# MB in a window. A model and its weights take over 4, so that one left behind at each of 20 steps would be 80.
LIMITS = {"call": 4, "write": 12, "replace": 12, "batch": 30}


@pytest.fixture(scope="module")
def growths():
    return json.loads(run_python(f"    LIMITS = {LIMITS}\n{CODE}", timeout=500))


@pytest.mark.parametrize("way", ["NeuronHybridBlock", "SymbolBlock"])
@pytest.mark.parametrize("step", LIMITS)
def test_flat(growths, way, step):
    assert growths[way][step] < LIMITS[step]


def test_a_leak_would_be_seen(growths):
    # A weight of 2.4 MB at each step, which is less than a model takes.
    assert growths["leak"] > 2 * LIMITS["write"]
