"""Threads that compile one block wait for each other, and leave it as it was."""

import json
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import mxnet as mx
import numpy as np
import pytest
from mxnet.gluon import nn

from gluon_neuron.frontend.export import export
from gluon_neuron.frontend.one_at_a_time import one_at_a_time


@pytest.fixture
def quick_switches():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def wiring(symbol):
    """The nodes, without what MXNet counts: how often a variable was written to so far."""
    return [(n["op"], n["name"], [i[:2] for i in n["inputs"]]) for n in json.loads(symbol.tojson())["nodes"]]


def test_one_block_traced_by_many_threads_is_as_it_was(quick_switches):
    called = []
    child = nn.Dense(4)
    net = nn.HybridSequential()
    net.add(child, nn.BatchNorm(), nn.Dense(3))
    net.initialize()
    x = mx.nd.ones((2, 6))
    net(x)  # the first trace of all says that shapes are not known yet
    for block in (net, child):
        block.register_forward_hook(lambda *_: called.append(1))
        block.hybridize()
    before = {id(b): dict(vars(b)) for b in (net, child)}
    barrier = threading.Barrier(8)

    def trace(i):
        barrier.wait()
        return [wiring(export(child if k % 2 else net, mx.nd.ones((2, 6))).symbol) for k in range(6)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(trace, range(8)))
    assert all(f == found[0] for f in found)
    for block in (net, child):
        now = vars(block)
        for name in ("_active", "_forward_hooks", "_forward_pre_hooks", "_callback"):
            assert now[name] is before[id(block)][name], name
    net(x).wait_to_read()
    assert called


def test_a_thread_may_be_inside_twice():
    with one_at_a_time(), one_at_a_time():
        pass


@pytest.mark.parametrize("holder", ["nobody", "this", "other"])
def test_a_fork_waits_and_the_child_may_trace(holder):
    inside, leave = threading.Event(), threading.Event()

    def hold():
        with one_at_a_time():
            inside.set()
            leave.wait(0.3)

    other = threading.Thread(target=hold)
    mx.nd.waitall()
    if holder == "other":
        other.start()
        inside.wait()
    if holder == "this":
        with one_at_a_time():
            child = os.fork()
    else:
        child = os.fork()
    if child == 0:
        signal.alarm(20)
        thread = threading.Thread(target=hold)
        thread.start()
        thread.join()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    if holder == "other":
        other.join()
    with one_at_a_time():
        assert np.ones(1)
