"""Threads that bind at the same time, by this package and by MXNet's own functions, in whose passes they would meet."""

import pytest

from tests.nets import run_python

CODE = """
    import sys, threading
    import mxnet as mx, numpy as np, gluon_neuron
    from mxnet.gluon import nn

    def layers(sym, many):
        for i in range(many):
            sym = mx.sym.Activation(mx.sym.FullyConnected(sym, num_hidden=4, name=f"f{i}"), act_type="relu")
        return sym

    symbol = layers(mx.sym.var("data"), 30)
    shapes, _, _ = symbol.infer_shape(data=(2, 4))
    arrays = {n: mx.nd.random.uniform(shape=s) for n, s in zip(symbol.list_arguments(), shapes)}
    want = symbol.bind(mx.cpu(), arrays, grad_req="null").forward()[0].asnumpy()
    net = nn.HybridSequential()
    net.add(*(nn.Dense(4, in_units=4) for _ in range(30)))
    net.initialize()
    expected = net(arrays["data"]).asnumpy()
    compiled = gluon_neuron.compile(net, arrays["data"], exclude_nodes=[net[3].name + "_fwd"])

    def bind_plain():
        found = symbol.bind(mx.cpu(), arrays, grad_req="null").forward()[0].asnumpy()
        assert np.allclose(found, want, 1e-3, 1e-5)

    def simple_bind():
        found = symbol.simple_bind(mx.cpu(), grad_req="null", data=(2, 4))
        found.copy_params_from({n: a for n, a in arrays.items() if n != "data"})
        assert np.allclose(found.forward(data=arrays["data"])[0].asnumpy(), want, 1e-3, 1e-5)

    def bind_compiled():
        net[3].bias._data = [a.copy() for a in net[3].bias._data]
        assert np.allclose(compiled(arrays["data"]).asnumpy(), expected, 1e-3, 1e-5)

    right = []
    def work(bind):
        for _ in range(100):
            bind()
        right.append(bind.__name__)

    threads = [threading.Thread(target=work, args=(b,)) for b in (bind_plain, simple_bind, bind_compiled, bind_plain)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(sorted(right))
"""


@pytest.mark.slow  # MXNet's own waiting for arrays stops for good at times, in all threads at once
def test_threads_that_bind_at_once():
    out = run_python(CODE, timeout=200)
    assert out.splitlines()[-1] == "['bind_compiled', 'bind_plain', 'bind_plain', 'simple_bind']"
