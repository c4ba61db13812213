"""Run as a program: forks again and again while threads use compiled nets; every child is right and ends by itself.

Arguments: how many forks, the load (see LOADS), and whether the main thread forks ("main") or another ("other"). A
child uses a net, compiles one, forks itself, or does none of this, and ends in one of the ways in which programs end.
A thread that is not the main one does not end its process, unless it is the last; MXNet's never end. So children of
such a thread leave at once, as those of multiprocessing do.
"""

import collections
import os
import signal
import sys
import tempfile
import threading
import time

import mxnet as mx
import numpy as np
from mxnet.gluon import nn

import gluon_neuron

# How children end; to take all apart, as two of these do, takes MXNet half a second.
ENDS = ("exit at once", "exit at once", "exit", "exit at once", "exit at once", "exception", "exit at once")
LONGEST = 40  # seconds that a child may take


def made(units=4):
    """A small net, its inputs of eight batch sizes, and its results."""
    net = nn.HybridSequential()
    net.add(nn.Dense(8, in_units=6, activation="relu"), nn.Dense(units, in_units=8))
    net.initialize(mx.init.Xavier())
    given = [mx.nd.random.normal(shape=(b, 6)) for b in range(1, 9)]
    return net, given, [net(x).asnumpy() for x in given]


NET, GIVEN, WANT = made()
COMPILED = gluon_neuron.compile(NET, GIVEN[0], batch_sizes=[1, 2, 3, 4])
STOP = threading.Event()


def right(net, i):
    return np.allclose(net(GIVEN[i]).asnumpy(), WANT[i], atol=1e-4)


def call(i):
    assert right(COMPILED, i % 4)


def bind(i):
    if i % 3 == 0:
        NET[1].bias._data = [a.copy() for a in NET[1].bias._data]  # as cast, reset_ctx and load do
    call(i)


def specialise(i):
    assert right(COMPILED, 4 + i % 4)


def compile(i):
    net, given, want = made(units=3 + i % 5)
    assert np.allclose(gluon_neuron.compile(net, given[0])(given[1]).asnumpy(), want[1], atol=1e-4)


def plain(i):
    # Of sizes that were compiled: while a thread forks, nothing can be compiled for MXNet's own.
    assert right(PLAIN, i % 4)


def nothing(i):
    time.sleep(0.01)


LOADS = {
    "call": [call, call, call],
    "bind": [bind, bind, bind],
    "specialise": [specialise, specialise, call],
    "compile": [compile, call],
    "plain": [plain, call],
    "nothing": [nothing],
    "light": [bind],
    "all": [call, bind, specialise, compile],
}


def work(step):
    i = 0
    while not STOP.is_set():
        i += 1
        step(i)


def end_of(kind):
    return ENDS[kind % len(ENDS)] if sys.argv[3] == "main" else ENDS[0]


def child(kind):
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(LONGEST)  # ends it, where it would hang
    if kind % 4 != 3:
        assert right(COMPILED, kind % 8), "wrong"
    if kind % 8 == 4:
        compile(kind)
    if kind % 8 == 5:
        fork(kind + 1)
    if end_of(kind) == "exit at once":
        os._exit(0)
    if end_of(kind) == "exit":
        sys.exit(0)
    sys.excepthook = lambda *_: None
    raise KeyError("as programs fail")


def fork(kind):
    pid = os.fork()
    if pid == 0:
        try:
            child(kind)
        except AssertionError:
            os._exit(3)
    status = os.waitpid(pid, 0)[1]
    wanted = 1 << 8 if end_of(kind) == "exception" else 0
    OUTCOMES["right" if status == wanted else f"status {status} of kind {kind % 24}"] += 1
    assert status == wanted, f"child {kind} ended with {status}"


def forks(count):
    for kind in range(count):
        time.sleep(0.005 * (kind % 3))
        fork(kind)


OUTCOMES: collections.Counter[str] = collections.Counter()

if __name__ == "__main__":
    count, load, who = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    failed = []
    if load == "plain":
        with tempfile.TemporaryDirectory() as folder:
            files = COMPILED.export(f"{folder}/net")
            PLAIN = mx.gluon.SymbolBlock.imports(files[0], ["data"], files[1])
    for i in range(8):
        assert right(COMPILED, i)
    threads = [threading.Thread(target=work, args=(step,), daemon=True) for step in LOADS[load]]
    for thread in threads:
        thread.start()

    def run():
        try:
            forks(count)
        except AssertionError as error:
            failed.append(error)

    if who == "main":
        run()
    else:
        forker = threading.Thread(target=run)
        forker.start()
        forker.join()
    alive = [t.is_alive() for t in threads]
    STOP.set()
    for thread in threads:
        thread.join(30)
    print(dict(OUTCOMES), failed, alive, [t.is_alive() for t in threads], flush=True)
    assert not failed and all(alive)
