"""MXNet's engine may take several operators as one operation: what is written in it is seen by what comes after."""

import subprocess
import sys
import textwrap

import pytest

BEGIN = """
    import mxnet as mx, numpy as np
    import gluon_neuron
    from gluon_neuron.engine import native_library
    from gluon_neuron.runtime import registration
    from tests.runtime import tiny
    from tests.runtime.test_binding import Pair
    registration.register()
"""

WRITES = """
    for name, mode in tiny.MODES.items():
        pair = Pair(mode)
        outer = gluon_neuron.compile(pair.original, pair.x)
        outer.hybridize(**mode or {})
        net = mx.gluon.nn.HybridSequential()
        net.add(mx.gluon.nn.HybridLambda("identity"), pair.compiled)
        if mode is not None:
            net.hybridize(**mode)
        flat = pair["weight"].data().reshape((-1,))
        for step in range(8):
            for called in (pair.compiled, outer, net):
                called(pair.x).wait_to_read()
                with mx.engine.bulk(15):
                    flat[160 * step : 160 * step + 160] = step + 1
                    first = called(pair.x)
                    flat[160 * step : 160 * step + 160] = -step - 1
                    second = called(pair.x)
                moved = (first - second).asnumpy()[:, step]
                w = pair.values()
                scale = w["gamma"][step] / np.sqrt(w["var"][step] + 1e-3)
                wanted = 2 * (step + 1) * pair.x.asnumpy().sum(axis=1) * scale
                assert np.allclose(moved, wanted, 1e-3, 1e-3), (name, step, moved, wanted)
"""

EXECUTOR = """
    pair = Pair(tiny.MODES["static"])
    region = tiny.dense(inputs=160, units=128)
    executor = tiny.bind(tiny.node(region, region.artifact()), tiny.arrays(region, region.artifact()))

    def hashed(call):
        call()
        before = native_library.stats()["bytes_hashed"]
        call()
        return native_library.stats()["bytes_hashed"] - before

    calls = [lambda: pair.compiled(pair.x).wait_to_read(), lambda: executor.forward()[0].wait_to_read()]
    assert [hashed(call) for call in calls] == [0, 0]
    with mx.engine.bulk(5):
        pass
    static, bound = [hashed(call) for call in calls]
    assert static > 160 * 128 * 4 and bound == 0
"""

BEFORE = """
    import mxnet as mx
    mx.engine.set_bulk_size(7)
    from gluon_neuron.runtime import registration
    registration.register()
    assert mx.engine.set_bulk_size(0) == 7
"""


ERROR = """
    import mxnet as mx
    from gluon_neuron.runtime import registration
    registration.register()

    class Masked(mx.gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            self.dense = mx.gluon.nn.Dense(3, in_units=4, flatten=False)

        def hybrid_forward(self, F, x):
            return self.dense(F.contrib.boolean_mask(x, F.sum(x, axis=1) > 0))

    net = Masked()
    net.initialize()
    net.hybridize()

    def error():
        try:
            net(-mx.nd.ones((2, 4))).wait_to_read()
        except mx.MXNetError as error:
            assert "could not construct a memory descriptor" in str(error)
        else:
            raise AssertionError("it ran")

    net(mx.nd.ones((2, 4))).wait_to_read()
    error()
    assert mx.engine.set_bulk_size(0) == 0
    with mx.engine.bulk(9):
        error()
        assert mx.engine.set_bulk_size(9) == 9
    assert mx.engine.set_bulk_size(0) == 0
"""

CODE = {
    "what is written": BEGIN + WRITES,
    "what it costs": BEGIN + EXECUTOR,
    "set before this package": BEFORE,
    "oneDNN's error within Gluon's cached operator": ERROR,
}


@pytest.mark.parametrize("code", CODE.values(), ids=CODE)
def test_in_a_process_of_its_own(code):
    """For from the first bulk on, nodes of Gluon's cached operator trust no version."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
