"""Children of a process that has used the engine: its threads are missing there, and nothing may wait for them."""

import pytest

from tests.nets import run_python

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
