"""The end of a process: whatever holds or calls a net then, there is no traceback, and the status is 0."""

import subprocess
import sys
import textwrap

import pytest

CODE = """
    import atexit, builtins, sys, threading, time
    import mxnet as mx, gluon_neuron
    from mxnet.gluon import nn
    ways = sys.argv[1].split()
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 3, padding=1), nn.Activation("relu"), nn.GlobalAvgPool2D(), nn.Dense(4))
    net.initialize()
    x = mx.nd.ones((2, 3, 8, 8))
    net(x)
    compiled = gluon_neuron.compile(net, x)
    [compiled(x) for _ in range(20)]

    def run(*inputs):
        while True:
            for given in inputs:
                compiled(given).wait_to_read()

    def thread(*inputs):
        threading.Thread(target=run, args=inputs, daemon=True).start()
        time.sleep(0.05)

    if "session" in ways:
        session, graph = compiled._sessions.last, compiled._sessions.last._graph
    if "thread" in ways:
        thread(x)
        thread(x)
    if "shapes" in ways:
        thread(*[mx.nd.ones((n, 3, 8, 8)) for n in range(3, 9)])
    if "atexit" in ways:
        atexit.register(lambda: print(compiled(mx.nd.ones((4, 3, 8, 8))).asnumpy().shape))
    if "cycle" in ways:
        compiled.itself = compiled
    if "builtin" in ways:
        builtins.kept = compiled, compiled._sessions
    if "pending" in ways:
        result = compiled(mx.nd.ones((5, 3, 8, 8)))
    if "exit" in ways:
        sys.exit(0)
"""


def ended(ways):
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(CODE), ways], capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    "ways",
    [
        "session cycle builtin pending exit",
        "thread atexit",
        *(
            pytest.param(w, marks=pytest.mark.slow)
            for w in ("session", "cycle", "builtin", "pending", "shapes", "thread shapes atexit exit")
        ),
    ],
)
def test_ends_quietly(ways):
    done = ended(ways)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout == "(4, 4)\n" * ("atexit" in ways)
