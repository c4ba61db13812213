"""Children of a process that has used the engine: its threads are missing there, and nothing may wait for them."""

import os

import pytest

from tests.nets import run_program, run_python

CODE = """
    import gc, os, signal, sys
    import mxnet as mx, numpy as np
    from gluon_neuron.engine import native_library
    from gluon_neuron.runtime import registration
    from tests.runtime import tiny
    registration.register()

    def run(region, symbol, values):
        executor = tiny.bind(symbol, values)
        for step in range(2):
            found = executor.forward()[0].asnumpy()
            assert np.allclose(found, tiny.reference(region)(values)[0], 1e-3, 1e-3)
            values["weight"] += 1  # another compilation

    def made(units):
        region = tiny.dense(inputs=160, units=units)
        artifact = region.artifact()
        return region, tiny.node(region, artifact), tiny.arrays(region, artifact)

    def in_child(action):
        child = os.fork()
        if child == 0:
            signal.alarm(40)  # ends it, where it would hang
            action()
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0, "the child hung or failed"

    def work(generation):
        for parts in (first, second):
            run(*parts)
        if generation == 0:
            in_child(lambda: run(*second))

    first, second = made(128), made(140)
    if sys.argv[1] == "used":
        # OpenVINO keeps what ran a freed model, for the next one.
        run(*first)
        gc.collect()
        mx.nd.waitall()
        native_library.release()
        assert native_library.stats()["models_alive"] == 0
    mx.nd.waitall()
    for generation in range(2):
        in_child(lambda: work(generation))
        run(*second)  # from now on there are models in use as well
    print("right")
"""


@pytest.mark.parametrize("parent", ["unused", "used"])
def test_children_compile_and_run(parent):
    assert run_python(CODE, parent) == "right\n"


def forking(count, load, who, timeout=100):
    """Runs tests/runtime/forking.py, which says how many children ended how."""
    run_program("tests.runtime.forking", count, load, who, timeout=timeout)


def test_forks_while_threads_work():
    forking(20, "light", "main")


@pytest.mark.slow
@pytest.mark.parametrize("who", ["main", "other"])
@pytest.mark.parametrize("load", ["call", "bind", "specialise", "compile", "plain", "nothing", "all"])
def test_a_thousand_forks(load, who):
    """With seven loads and two forking threads, a thousand of them."""
    forking(75, load, who, timeout=900)


ASYNCHRONOUS = """
    import os, sys, mxnet as mx, gluon_neuron
    net = mx.gluon.nn.Dense(4, in_units=6)
    net.initialize()
    compiled = gluon_neuron.compile(net, mx.nd.ones((2, 6)))
    files = compiled.export(sys.argv[1] + "/net")
    for model in (compiled, mx.gluon.SymbolBlock.imports(files[0], ["data"], files[1])):
        result = model(mx.nd.ones((5, 6)))  # which Python compiles for this shape, on MXNet's thread
        child = os.fork()
        if child == 0:
            os._exit(0 if model(mx.nd.ones((7, 6))).shape == (7, 4) else 1)
        print(os.waitpid(child, 0)[1], result.asnumpy().shape)
"""


def test_a_fork_right_after_a_call_that_compiles(tmp_path):
    assert run_python(ASYNCHRONOUS, tmp_path, timeout=60) == "0 (5, 4)\n" * 2


def test_an_error_that_nobody_has_seen_ends_the_process_as_in_mxnet():
    code = """
        import os, mxnet as mx, gluon_neuron
        gluon_neuron.compile  # loads the library
        lost = mx.nd.random.normal(scale=-1, shape=(2, 2))
        os.fork()
    """
    with pytest.raises(AssertionError, match=r"waits for whoever reads its result[\s\S]*scale parameter"):
        run_python(code, timeout=60)


PROCESSES = """
    import multiprocessing, os, sys, threading
    import mxnet as mx, numpy as np, gluon_neuron
    from mxnet.gluon.data import DataLoader, SimpleDataset
    net = mx.gluon.nn.Dense(4, in_units=6)
    net.initialize()
    x = mx.nd.random.normal(shape=(2, 6))
    want = net(x).asnumpy()
    compiled = gluon_neuron.compile(net, x)
    [compiled(x) for _ in range(20)]

    def work(depth=0):
        assert np.allclose(compiled(x).asnumpy(), want, atol=1e-5)
        if depth:
            process = multiprocessing.get_context("fork").Process(target=work, args=(depth - 1,))
            process.start()
            process.join(60)
            assert process.exitcode == 0
        if depth == 1:
            sys.exit(0)

    class Preprocessed(SimpleDataset):
        def __getitem__(self, i):
            return compiled(mx.nd.ones((1, 6)) * i).asnumpy()

    def caller():
        while not done:
            compiled(x).wait_to_read()

    done = []
    threads = [threading.Thread(target=caller) for _ in range(2)]
    [thread.start() for thread in threads]
    try:
        work(depth=2)
        loader = DataLoader(Preprocessed(list(range(8))), 2, num_workers=2, timeout=60)
        found = np.concatenate([batch.asnumpy().reshape(-1, 4) for batch in loader])
        assert np.allclose(found, net(mx.nd.arange(8).reshape((8, 1)) * mx.nd.ones((1, 6))).asnumpy(), atol=1e-4)
        print(sum(len(batch) for batch in DataLoader(SimpleDataset(list(range(8))), 2, num_workers=2, timeout=60)))
    finally:
        done.append(1)
"""


def test_processes_of_multiprocessing_and_dataloaders():
    assert run_python(PROCESSES, timeout=100) == "8\n"


IMPORTING = """
    import os, random, signal, sys, threading, time
    import _gluon_neuron_hook

    def importing():
        if sys.argv[1] == "mxnet":
            import mxnet
        import gluon_neuron.api

    thread = threading.Thread(target=importing)
    thread.start()
    while "mxnet" not in sys.modules:
        time.sleep(0.001)
    time.sleep(float(sys.argv[2]))
    child = os.fork()
    if child == 0:
        signal.alarm(40)
        import mxnet as mx, gluon_neuron
        net = mx.gluon.nn.Dense(4, in_units=6)
        net.initialize()
        x = mx.nd.ones((2, 6))
        difference = mx.nd.abs(gluon_neuron.compile(net, x)(x) - net(x)).max().asscalar()
        os._exit(0 if difference < 1e-5 else 1)
    print(os.waitpid(child, 0)[1])
    thread.join()
"""


def test_a_fork_while_another_thread_imports():
    assert run_python(IMPORTING, "mxnet", 0.3, timeout=100) == "0\n"


@pytest.mark.slow
@pytest.mark.parametrize("first", ["mxnet", "gluon_neuron"])
def test_many_forks_while_another_thread_imports(first):
    for step in range(15):
        assert run_python(IMPORTING, first, step * 0.1, timeout=100) == "0\n"


EXITING = """
    import os, mxnet as mx, gluon_neuron
    from mxnet.gluon import nn
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 3, padding=1), nn.BatchNorm(), nn.Activation("relu"), nn.GlobalAvgPool2D(), nn.Dense(8))
    net.initialize()
    x = mx.nd.ones((2, 3, 8, 8))
    net(x)
    compiled = gluon_neuron.compile(net, x)
    for _ in range(15):
        [compiled(x) for _ in range(30)]
        child = os.fork()
        if child == 0:
            import signal
            signal.alarm(40)
            compiled(x).asnumpy()
            break
        assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.slow
def test_children_that_exit():
    run_python(EXITING, env={**os.environ, "OMP_NUM_THREADS": "2"}, timeout=300)
