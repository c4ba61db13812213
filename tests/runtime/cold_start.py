"""Run as a program: eight threads use gluon_neuron for the first time in a process, all at once, as its argument says.

"nets": each compiles a net of its own. "one": all compile one block. "load": each loads files, from the folder of the
second argument. "call": all call one compiled net. "all": some do this, some that. "import": each imports the package
first. A thread that gets no right results is told on the standard error stream, and the status is 1.
"""

import sys
import threading
import traceback

import mxnet as mx
import numpy as np
from mxnet.gluon import nn

THREADS = 8


def made(units):
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 3, padding=1), nn.BatchNorm(), nn.Activation("relu"), nn.GlobalAvgPool2D(), nn.Dense(units))
    net.initialize(mx.init.Xavier())
    net(X)
    return net


X = mx.nd.random.normal(shape=(2, 3, 8, 8))
NETS = [made(3 + i) for i in range(THREADS)]
WANT = [net(X).asnumpy() for net in NETS]
ONE, ONES = NETS[0], WANT[0]


def compiled(net):
    import gluon_neuron

    return gluon_neuron.compile(net, X)


def check(net, want):
    found = net(X).asnumpy()
    assert np.allclose(found, want, rtol=1e-3, atol=1e-4), "wrong results"


def nets(i):
    check(compiled(NETS[i]), WANT[i])


def one(i):
    check(compiled(ONE), ONES)


def load(i):
    import gluon_neuron

    want = np.load(f"{sys.argv[2]}/want.npy")
    net = gluon_neuron.load(f"{sys.argv[2]}/net-symbol.json")
    found = net(mx.nd.array(np.load(f"{sys.argv[2]}/x.npy"))).asnumpy()
    assert np.allclose(found, want, rtol=1e-3, atol=1e-4), "wrong results"


def call(i):
    check(SHARED, ONES)
    SHARED(mx.nd.concat(*[X] * (1 + i % 3), dim=0)).wait_to_read()


def everything(i):
    (nets, one, load, one)[i % 4](i)


STEPS = {"nets": nets, "one": one, "load": load, "call": call, "all": everything, "import": nets}


def run(step, i):
    BARRIER.wait()
    try:
        step(i)
    except BaseException:
        FAILED.append(i)
        sys.stderr.write(f"thread {i}:\n{traceback.format_exc()}\n")


BARRIER = threading.Barrier(THREADS)
FAILED: list[int] = []

if __name__ == "__main__":
    if sys.argv[1] not in ("import", "load"):
        import gluon_neuron  # noqa: F401
    if sys.argv[1] == "call":
        SHARED = compiled(ONE)
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=run, args=(STEPS[sys.argv[1]], i)) for i in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.exit(bool(FAILED))
