"""A program for one part of a batch: every part is computed, from its own data, into its own place, whoever asks."""

import mxnet as mx
import numpy as np
import pytest

from gluon_neuron.engine import native_library
from tests.agreement import agree
from tests.nets import in_threads, run_python
from tests.runtime import damage, tiny


def in_parts(region, parts, config=None):
    """The artifact of a region whose program is for one of so many parts of its data."""
    small = {n: ((shape[0] // parts, *shape[1:]), dtype) for n, (shape, dtype) in region.data.items()}
    whole, part = region.payload(), region.payload(small)
    part.signature.update(whole.signature)
    part.program.update(parts=parts)
    part.program["config"].update(config or {})
    return tiny.pack(region, [part])


@pytest.mark.parametrize("threads", [1, 2, 3, None])
@pytest.mark.parametrize("parts", [2, 3, 4, 24])
def test_every_part_is_right(parts, threads):
    region = tiny.dense(batch=24)
    artifact = in_parts(region, parts, {"INFERENCE_NUM_THREADS": str(threads)} if threads else {})
    values = tiny.arrays(region, artifact)
    executor = tiny.bind(tiny.node(region, artifact), values)
    for seed in range(4):
        values["data"][:] = np.random.default_rng(seed).normal(size=(24, 5))
        before = native_library.stats()["parts"]
        found = executor.forward()[0].asnumpy()
        assert native_library.stats()["parts"] == before + parts
        agree(found, tiny.reference(region)(values)[0], 1e-4, 1e-5)


def test_weights_that_change():
    region = tiny.dense(batch=6, inputs=160, units=128)
    artifact = in_parts(region, 6)
    values = tiny.arrays(region, artifact)
    executor = tiny.bind(tiny.node(region, artifact), values)
    for _ in range(3):
        agree(executor.forward()[0], tiny.reference(region)(values)[0], 1e-3, 1e-3)
        values["weight"] += 1


@pytest.mark.parametrize("parts", [2, 5])
def test_what_is_handed_through(parts):
    region = tiny.mirror(((10, 3), "float32"), outputs=2)
    artifact = in_parts(region, parts)
    values = tiny.arrays(region, artifact)
    for found in tiny.bind(tiny.node(region, artifact), values).forward():
        agree(found, values["data"])


def test_several_threads_at_once():
    region = tiny.dense(batch=8, inputs=160, units=128)
    artifact = in_parts(region, 8)
    wrong = []

    def work(seed):
        values = tiny.arrays(region, artifact, seed=seed)
        expected = tiny.reference(region)(values)[0]
        executor = tiny.bind(tiny.node(region, artifact), values)
        for _ in range(20):
            found = executor.forward()[0].asnumpy()
            if not np.allclose(found, expected, 1e-3, 1e-3):
                wrong.append(seed)

    in_threads(work)
    assert not wrong


def test_a_program_for_other_parts_is_refused():
    region = tiny.dense(batch=6)
    artifact = damage.edited(in_parts(region, 2), lambda h: h["payloads"][0]["program"].update(parts=3))
    values = tiny.arrays(region, artifact)
    with pytest.raises(mx.base.MXNetError, match="OpenVINO failed to take an input"):
        tiny.bind(tiny.node(region, artifact), values).forward()[0].wait_to_read()


FORK = """
    import os, signal, sys
    import mxnet as mx, numpy as np
    from gluon_neuron.engine import native_library
    from gluon_neuron.runtime import registration
    from tests.runtime import tiny
    from tests.runtime.test_parts import in_parts
    registration.register()

    region = tiny.dense(batch=8, inputs=160, units=128)
    artifact = in_parts(region, 8)
    symbol, values = tiny.node(region, artifact), tiny.arrays(region, artifact)

    def run():
        executor = tiny.bind(symbol, values)
        for step in range(2):
            found = executor.forward()[0].asnumpy()
            assert np.allclose(found, tiny.reference(region)(values)[0], 1e-3, 1e-3)
            if step == 0 and sys.argv[1] == "other weights":
                values["weight"] += 1

    run()
    mx.nd.waitall()
    child = os.fork()
    if child == 0:
        signal.alarm(40)
        run()
        sys.exit(0)
    assert os.waitpid(child, 0)[1] == 0, "the child hung or failed"
    run()
    print("right")
"""


@pytest.mark.parametrize("weights", ["the same weights", "other weights"])
def test_a_child_has_no_streams(weights):
    assert run_python(FORK, weights) == "right\n"
