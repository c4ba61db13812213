"""mx.neuron(i) is taken wherever MXNet takes a context."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import mxnet as mx
import numpy as np
import pytest

import gluon_neuron
from gluon_neuron.errors import OptionError
from tests.agreement import agree
from tests.compat.nets import SHAPE, checkpoint, image, run


@pytest.fixture(scope="module")
def compiled():
    return mx.contrib.neuron.compile(*checkpoint(), {"data": image()})


@pytest.fixture(scope="module")
def expected():
    return run(*checkpoint(), image(1))[0]


@pytest.mark.parametrize("index", [0, 1, 5])
def test_bind(compiled, expected, index):
    # As published: what load_checkpoint put in host memory is bound to any core.
    agree(run(*compiled, image(1), mx.neuron(index))[0], expected, 1e-4, 1e-5)


def test_arrays_on_the_core(compiled, expected):
    sym, args, aux = compiled
    ctx = mx.neuron(1)
    args, aux = ({n: a.as_in_context(ctx) for n, a in arrays.items()} for arrays in (args, aux))
    agree(run(sym, args, aux, image(1).as_in_context(ctx), ctx)[0], expected, 1e-4, 1e-5)


def test_simple_bind(compiled, expected):
    sym, args, aux = compiled
    executor = sym.simple_bind(ctx=mx.neuron(0), data=SHAPE, grad_req="null")
    executor.copy_params_from(args, aux, allow_extra_params=True)
    agree(executor.forward(data=image(1))[0], expected, 1e-4, 1e-5)


def test_module(compiled, expected):
    sym, args, aux = compiled
    module = mx.mod.Module(sym, context=mx.neuron(1), label_names=None)
    module.bind(for_training=False, data_shapes=[("data", SHAPE)])
    module.set_params(args, aux, allow_missing=True, allow_extra=True)
    module.forward(mx.io.DataBatch([image(1)]))
    agree(module.get_outputs()[0], expected, 1e-4, 1e-5)


def test_block(tmp_path):
    net = mx.gluon.nn.Conv2D(4, 3)
    net.initialize(ctx=mx.neuron(1))
    x = image().as_in_context(mx.neuron(1))
    made = gluon_neuron.compile(net, x)
    made.export(str(tmp_path / "net"))
    again = gluon_neuron.load(tmp_path / "net", ctx=mx.neuron(1))
    agree(again(x), net(x), 1e-4, 1e-5)
    with mx.neuron(1):
        assert mx.nd.ones((2,)).context == mx.cpu(1)


def test_everything_that_makes_or_moves_arrays():
    ctx = mx.neuron(1)
    made = [
        mx.nd.array([1.0], ctx=ctx),
        mx.nd.zeros((1,), ctx),
        mx.nd.random.normal(shape=(1,), ctx=ctx),
        mx.np.ones((1,), ctx=ctx),
        mx.nd.ones((1,)).as_in_context(ctx),
        mx.nd.ones((1,)).copyto(ctx),
        mx.np.ones((1,)).as_in_ctx(ctx),
        mx.sym.ones((1,)).eval(ctx=ctx)[0],
        *mx.gluon.utils.split_and_load(mx.nd.ones((1, 1)), [ctx]),
    ]
    assert [a.context for a in made] == [mx.cpu(1)] * len(made)
    assert mx.Context(ctx) == mx.cpu(1)
    mx.random.seed(3, ctx=ctx)


def test_parameters(tmp_path):
    x = mx.nd.ones((4, 2))
    net = mx.gluon.nn.Dense(3, in_units=2)
    net.initialize(ctx=[mx.neuron(0), mx.neuron(2)])
    expected = net(x).asnumpy()
    parts = mx.gluon.utils.split_and_load(x, [mx.neuron(0), mx.neuron(2)])
    agree(np.concatenate([net(p).asnumpy() for p in parts]), expected, 1e-5, 1e-6)
    net.save_parameters(str(tmp_path / "net.params"))
    net.collect_params().reset_ctx(mx.neuron(2))
    again = mx.gluon.nn.Dense(3, in_units=2)
    again.load_parameters(str(tmp_path / "net.params"), ctx=mx.neuron(1))
    for found, core in ((net, 2), (again, 1)):
        assert found.weight.data(mx.neuron(core)).context == mx.cpu(core)
        agree(found(x.as_in_context(mx.neuron(core))), expected)


def test_files(compiled, expected, tmp_path):
    prefix = str(tmp_path / "net")
    mx.model.save_checkpoint(prefix, 0, *compiled)
    names = f"{prefix}-symbol.json", ["data", "softmax_label"], f"{prefix}-0000.params"
    net = mx.gluon.SymbolBlock.imports(*names, ctx=mx.neuron(1))
    given = image(1).as_in_context(mx.neuron(1)), mx.nd.zeros((SHAPE[0],), mx.neuron(1))
    agree(net(*given), expected, 1e-4, 1e-5)
    module = mx.mod.Module.load(prefix, 0, context=[mx.neuron(0), mx.neuron(1)], label_names=None)
    module.bind(for_training=False, data_shapes=[("data", (2 * SHAPE[0], *SHAPE[1:]))])
    module.forward(mx.io.DataBatch([mx.nd.concat(image(1), image(1), dim=0)]))
    agree(module.get_outputs()[0], np.tile(expected, (2, 1)), 1e-4, 1e-5)


def test_executors_on_several_cores_in_threads(compiled, expected):
    # As the archived package's guide drives a chip: an executor for each core, each in a thread of its own.
    sym, args, aux = compiled
    given = {**args, "softmax_label": mx.nd.zeros((SHAPE[0],))}
    executors = [
        sym.bind(ctx=mx.neuron(i), args={**given, "data": image(1)}, aux_states=aux, grad_req="null") for i in range(4)
    ]

    def work(executor):
        return [executor.forward(data=image(1))[0].asnumpy() for _ in range(5)]

    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(work, executors):
            for one in found:
                agree(one, expected, 1e-4, 1e-5)


def test_name_and_identity():
    assert repr(mx.neuron(2)) == "neuron(2)"
    assert str(mx.neuron(2)) == "cpu(2)"
    assert mx.neuron(1) != mx.neuron(0)
    assert mx.neuron(1) == mx.neuron(1) == mx.cpu(1)
    assert len({mx.neuron(0), mx.neuron(1), mx.neuron(1)}) == 2
    assert copy.deepcopy(mx.neuron(2)) == pickle.loads(pickle.dumps(mx.neuron(2))) == mx.neuron(2)


@pytest.mark.parametrize("index", [-1, 1.0, True, "0"])
def test_bad_index(index):
    with pytest.raises(OptionError, match="index"):
        mx.neuron(index)
