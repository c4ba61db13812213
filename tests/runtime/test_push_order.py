"""MXNet's engine is never given, by two threads at once, operations of which each may come to wait for the other."""

import threading

import mxnet as mx
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.engine import native_library
from gluon_neuron.runtime import background, session, session_cache
from tests.nets import run_python
from tests.unseen import ready

# Plain MXNet stops within a second where one thread binds and frees executors over the weights of a net that another
# calls. Many small layers are many weights: each call takes long to be noted by the engine.
STRESS = """
import random, threading, time
import mxnet as mx
import gluon_neuron
from gluon_neuron.runtime import background, session_cache
from mxnet.gluon import nn

session_cache.MAX_BOUND = 2
background._PATIENCE = background._MOST_PATIENCE = 0
net = nn.HybridSequential()
for _ in range(40):
    net.add(nn.Dense(8, activation="relu", in_units=8))
net.initialize()
net.hybridize()
net(mx.nd.ones((2, 8)))
compiled = gluon_neuron.compile(net, mx.nd.ones((2, 8)))
end = time.monotonic() + 4

def call(seed):
    shapes = random.Random(seed)
    while time.monotonic() < end:
        compiled(mx.nd.ones((shapes.randint(1, 60), 8))).wait_to_read()

others = [threading.Thread(target=call, args=(seed,)) for seed in range({threads})]
for other in others:
    other.start()
while time.monotonic() < end:
    {main}
for other in others:
    other.join()
print("ended")
"""


def test_calls_go_on_while_sessions_come_and_go():
    # The net itself shares the weights, and no lock of ours: what the background does must be no matter to it.
    alone = "compiled(mx.nd.ones((random.randint(1, 60), 8))); net(mx.nd.ones((2, 8))).wait_to_read()"
    for threads, main in ((0, alone), (2, "time.sleep(1)")):
        assert "ended" in run_python(STRESS.format(threads=threads, main=main), timeout=60)


def small():
    net = nn.HybridSequential()
    net.add(nn.Dense(4, in_units=8), nn.HybridLambda("arctan"), nn.Dense(4, in_units=4))
    net.initialize()
    return net


def test_nothing_is_bound_or_freed_in_the_background(monkeypatch):
    monkeypatch.setattr(session_cache, "MAX_BOUND", 2)
    seen = []
    for owner, name in ((session.Session, "__init__"), (native_library.functions(), "gn_bound_free")):
        original = getattr(owner, name)

        def watched(*args, original=original, name=name, **kwargs):
            seen.append((name, threading.current_thread()))
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, watched)
    for options in ({}, {"exclude_operators": "arctan"}):
        compiled = gluon_neuron.compile(small(), mx.nd.ones((2, 8)), **options)
        for batch in range(3, 9):
            ready(compiled, mx.nd.ones((batch, 8)))
    assert {name for name, _ in seen} == {"__init__", "gn_bound_free"}
    assert {thread for _, thread in seen} == {threading.current_thread()}


def test_what_another_thread_lets_go_is_freed_at_the_next_call():
    compiled = gluon_neuron.compile(small(), mx.nd.ones((2, 8)))
    compiled(mx.nd.ones((2, 8))).wait_to_read()
    background.wait()
    compiled(mx.nd.ones((3, 8)))  # what was left before is freed
    graph = next(iter(compiled._sessions._sessions.values()))._graph
    bound = graph._bound
    thread = threading.Thread(target=native_library.free_bound, args=(bound,))
    thread.start()
    thread.join()
    assert list(native_library._left) == [bound]
    del graph.__dict__["_bound"]
    compiled._sessions.clear()
    compiled(mx.nd.ones((2, 8))).wait_to_read()
    assert not native_library._left
