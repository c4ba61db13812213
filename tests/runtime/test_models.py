"""Compiled models: shared where they are the same, separate where not, freed when nothing needs them."""

import ctypes
import gc
import os
import threading

import mxnet as mx
import numpy as np
import pytest

from gluon_neuron.engine import native_library
from tests.agreement import agree
from tests.nets import run_python
from tests.runtime import damage, tiny


@pytest.fixture
def large():
    """A region whose weights are referred to where they are, and its artifact."""
    region = tiny.dense(inputs=160, units=128)
    return region, region.artifact()


def check(region, executor, values):
    agree(executor.forward()[0], tiny.reference(region)(values)[0], 1e-3, 1e-3)


def test_nodes_on_the_same_arrays_share_a_model(large, counters):
    region, artifact = large
    values = tiny.arrays(region, artifact)
    executors = [tiny.bind(tiny.node(region, artifact), values) for _ in range(3)]
    for executor in executors:
        check(region, executor, values)
    assert counters()["compiles"] == counters()["models_alive"] == 1


def test_nodes_on_equal_arrays_do_not_share_what_is_read_in_place(large, counters):
    region, artifact = large
    every = [tiny.arrays(region, artifact) for _ in range(2)]
    executors = [tiny.bind(tiny.node(region, artifact), values) for values in every]
    for executor, values in zip(executors, every):
        check(region, executor, values)
    assert counters()["compiles"] == 2
    every[0]["weight"] *= 2
    for executor, values in zip(executors, every):
        check(region, executor, values)


def test_one_of_two_that_share_changes_its_weights(large):
    region, artifact = large
    shared = tiny.arrays(region, artifact)
    own = {**shared, "bias": shared["bias"].copy()}
    executors = [tiny.bind(tiny.node(region, artifact), values) for values in (shared, own)]
    for step in range(3):
        for executor, values in zip(executors, (shared, own)):
            check(region, executor, values)
        own["bias"] += 1
        if step == 1:
            shared["weight"][5] = 3  # both see it


def test_models_go_with_their_nodes(large, counters):
    region, artifact = large
    for i in range(8):
        values = tiny.arrays(region, artifact, seed=i)
        values["weight"][:] = mx.nd.random.normal(shape=(128, 160))
        executor = tiny.bind(tiny.node(region, artifact), values)
        check(region, executor, values)
    del executor, values
    gc.collect()
    mx.nd.waitall()
    assert counters()["compiles"] == 8
    assert counters()["models_alive"] == counters()["orphans"] <= 4
    native_library.release()
    assert counters()["models_alive"] == 0


def test_release_leaves_models_in_use(large, counters):
    region, artifact = large
    values = tiny.arrays(region, artifact)
    executor = tiny.bind(tiny.node(region, artifact), values)
    check(region, executor, values)
    native_library.release()
    check(region, executor, values)
    assert counters()["compiles"] == 1


def test_many_artifacts_in_one_process():
    """More than are kept parsed: those that were dropped are read again."""
    regions = [tiny.dense(units=u, seed=u) for u in range(1, 67)]
    bound = []
    for region in regions:
        artifact = region.artifact()
        values = tiny.arrays(region, artifact)
        bound.append((region, tiny.bind(tiny.node(region, artifact), values), values))
    for _ in range(2):
        for region, executor, values in bound:
            check(region, executor, values)
        native_library.bump_epoch()


def test_a_failing_call_is_forgotten(counters):
    """A state is given one artifact, a damaged one, and the first again; MXNet's bare CachedOp holds none of them."""
    region = tiny.dense()
    good = region.artifact()
    bad = damage.edited(good, lambda h: h["payloads"][0].update(sha256="00" * 32))
    assert len(bad) == len(good)
    symbol = tiny.node(region, good)
    run = mx.nd.CachedOp(symbol, [("static_alloc", True), ("static_shape", True)])
    values = tiny.arrays(region, good)
    blobs = [tiny.blob(b) for b in (good, bad)]
    names = symbol.list_inputs()
    expected = tiny.reference(region)(values)[0]
    for _ in range(3):
        found = run(*[{**values, "region0_neuronbin": blobs[0]}[n] for n in names])
        agree(found, expected, 1e-4, 1e-5)
        with pytest.raises(mx.MXNetError, match="SHA-256"):
            run(*[{**values, "region0_neuronbin": blobs[1]}[n] for n in names]).asnumpy()


def test_threads_that_need_the_same_model_compile_it_once(counters):
    region = tiny.dense(inputs=160, units=128)
    artifact = region.artifact()
    values = tiny.arrays(region, artifact)
    executors = [tiny.bind(tiny.node(region, artifact), values) for _ in range(4)]
    expected = tiny.reference(region)(values)[0]
    wrong = []

    def work(executor):
        for _ in range(10):
            if not np.allclose(executor.forward()[0].asnumpy(), expected, 1e-3, 1e-3):
                wrong.append(executor)

    threads = [threading.Thread(target=work, args=(e,)) for e in executors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert counters()["compiles"] == 1


THREADS = """
    import threading, mxnet as mx, numpy as np
    from gluon_neuron.engine import native_library
    from gluon_neuron.runtime import registration
    from tests.runtime import tiny
    registration.register()
    large = tiny.dense(inputs=160, units=128)
    artifact = large.artifact()
    shared = tiny.arrays(large, artifact)
    symbol = tiny.node(large, artifact)
    block = tiny.block(symbol, tiny.parameters(large, artifact), tiny.MODES["static"])
    expected = tiny.reference(large)(shared)[0]
    x = shared["data"]
    wrong = []

    def work(seed):
        own = {**shared, "bias": shared["bias"].copy()}
        own_result = tiny.bind(symbol, own)
        shared_result = tiny.bind(symbol, shared)
        for step in range(15):
            for found, more in ((shared_result.forward()[0], 0), (block(x), 0), (own_result.forward()[0], step)):
                right = expected + more * (shared["gamma"] / (shared["var"] + 1e-3).sqrt()).asnumpy()
                if not np.allclose(found.asnumpy(), right, 1e-3, 1e-3):
                    wrong.append(seed)
            own["bias"] += 1

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads: t.start()
    for t in threads: t.join()
    assert not wrong, wrong
    print("right")
"""

ENGINES = {
    "naive": {"MXNET_ENGINE_TYPE": "NaiveEngine"},
    "pooled": {"MXNET_ENGINE_TYPE": "ThreadedEngine"},
    "four workers": {"MXNET_CPU_WORKER_NTHREADS": "4", "MXNET_CPU_PARALLEL_RAND_COPY": "4"},
}


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_threads_on_every_engine_of_mxnet(engine):
    assert run_python(THREADS, env={**os.environ, **engine}) == "right\n"


def test_exit_with_many_models_and_work_under_way():
    code = """
        import mxnet as mx
        from gluon_neuron.engine import native_library
        from gluon_neuron.runtime import registration
        from tests.runtime import tiny
        registration.register()
        region = tiny.dense(inputs=160, units=128)
        artifact = region.artifact()
        bound = [tiny.bind(tiny.node(region, artifact), tiny.arrays(region, artifact, seed=i)) for i in range(9)]
        for executor in bound: executor.forward()[0].wait_to_read()
        for executor in bound: executor.forward()
        print(native_library.stats()["models_alive"])
    """
    assert run_python(code) == "9\n"


def test_predict_api_of_c(tmp_path):
    """The interface that C++ programs use: no Python on the way, and no NDArray in the caller's hands."""
    region = tiny.dense()
    artifact = region.artifact()
    symbol, values = tiny.node(region, artifact), tiny.arrays(region, artifact)
    auxiliary = symbol.list_auxiliary_states()
    saved = {f"{'aux' if n in auxiliary else 'arg'}:{n}": v for n, v in values.items() if n != "data"}
    mx.nd.save(str(tmp_path / "params"), saved)
    params = (tmp_path / "params").read_bytes()
    lib, predictor = mx.base._LIB, ctypes.c_void_p()
    shape = (ctypes.c_uint * 2)(2, 5)
    bounds = (ctypes.c_uint * 2)(0, 2)
    names = (ctypes.c_char_p * 1)(b"data")
    mx.base.check_call(
        lib.MXPredCreate(
            symbol.tojson().encode(), params, len(params), 1, 0, 1, names, bounds, shape, ctypes.byref(predictor)
        )
    )
    out = np.empty((2, 3), np.float32)
    pointer = ctypes.POINTER(ctypes.c_float)
    for step in range(3):
        x = np.full((2, 5), step, np.float32)
        mx.base.check_call(lib.MXPredSetInput(predictor, b"data", x.ctypes.data_as(pointer), x.size))
        mx.base.check_call(lib.MXPredForward(predictor))
        mx.base.check_call(lib.MXPredGetOutput(predictor, 0, out.ctypes.data_as(pointer), out.size))
        values["data"][:] = step
        agree(out, tiny.reference(region)(values)[0], 1e-4, 1e-5)
    mx.base.check_call(lib.MXPredFree(predictor))
