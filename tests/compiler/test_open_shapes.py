"""Branches, loops with a condition, shapes that follow from the data: MXNet runs them, what is beside is compiled."""

from __future__ import annotations

import pickle
import threading

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon
from mxnet.gluon import nn

import gluon_neuron
from gluon_neuron.errors import BlockError
from gluon_neuron.frontend.infer import Inference, annotate
from gluon_neuron.graph.spec import Spec
from tests.agreement import agree

CLOSE = {"rtol": 1e-4, "atol": 1e-5}


class Block(gluon.HybridBlock):
    """A block whose forward is `function(F, before, behind, *inputs)`, with two projections of four units."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        with self.name_scope():
            self.before = nn.Dense(4, flatten=False, in_units=4)
            self.behind = nn.Dense(4, flatten=False, in_units=4)

    def hybrid_forward(self, F, *inputs):
        return self.function(F, self.before, self.behind, *inputs)


def made(function):
    net = Block(function)
    net.initialize(mx.init.Normal(0.5))
    net.hybridize()
    return net


def rows(count, sign=0, seed=0):
    values = np.random.default_rng(seed).normal(size=(count, 4)).astype("float32")
    return np.abs(values) * sign if sign else values


def check(net, compiled, *arrays):
    found, wanted = compiled(*arrays), net(*arrays)
    lists = [v if isinstance(v, list | tuple) else [v] for v in (found, wanted)]
    agree(list(lists[0]), list(lists[1]), **CLOSE)


def branch(F, before, behind, x):
    y = before(x)
    chosen = F.contrib.cond(F.sum(x) > 0, lambda: [before(y), y + 1], lambda: [F.exp(y), behind(y)])
    return behind(chosen[0]), chosen[1]


def branches(F, before, behind, x):
    inner = lambda: F.contrib.cond(F.max(x) > 1, lambda: before(x), lambda: x * 2)  # noqa: E731
    return behind(F.contrib.cond(F.sum(x) > 0, inner, lambda: F.relu(before(x))))


def loop(F, before, behind, x):
    y = before(x)
    steps = F.round(F.sum(F.relu(x)))  # by the data: none at all for a negative x, all seven for a large one

    def step(k, z):
        return [z, k], [k + 1, F.tanh(before(z))]

    outputs, states = F.contrib.while_loop(lambda k, z: k < steps, step, [F.zeros((1,)), y], 7)
    return behind(states[1]), states[0]


def rows_of_a_loop(F, before, behind, x):
    outputs, states = F.contrib.while_loop(
        lambda k, z: k < 3, lambda k, z: ([z, k], [k + 1, F.tanh(before(z))]), [F.zeros((1,)), x], 6
    )
    # What MXNet leaves behind the last step is not defined.
    return F.slice_axis(behind(outputs[0]), axis=0, begin=0, end=3), F.slice_axis(outputs[1], axis=0, begin=0, end=3)


CONTROL = {
    "branch": (branch, {"_cond"}),
    "branches in each other": (branches, {"_cond"}),
    "loop": (loop, {"_while_loop"}),
    "a loop's rows": (rows_of_a_loop, {"_while_loop"}),
}


@pytest.mark.parametrize(("function", "left"), CONTROL.values(), ids=CONTROL)
def test_control_flow(function, left):
    net = made(function)
    compiled = gluon_neuron.compile(net, mx.nd.array(rows(3)))
    outside = {o.op for o in compiled.report.outside}
    assert left <= outside and compiled.report.regions
    assert left <= {o.op for o in gluon_neuron.analyze(net, mx.nd.array(rows(3))).outside}
    for seed, sign in enumerate((1, -1, 0) * 2):
        check(net, compiled, mx.nd.array(rows(3, sign, seed)))
    check(net, compiled, mx.nd.array(rows(3) + 5))
    check(net, compiled, mx.nd.array(rows(5, 1)))  # for other shapes, too


def test_what_follows_control_flow_is_compiled():
    for function in (branch, branches, loop):
        compiled = gluon_neuron.compile(made(function), mx.nd.array(rows(3)))
        behind = [r for r in compiled.report.regions if any("cond" in i or "while" in i for i in r.inputs)]
        assert behind, compiled.report


def mask(F, before, behind, x):
    return behind(F.contrib.boolean_mask(before(x), F.sum(x, axis=1) > 0))


def masks(F, before, behind, x):
    kept = F.contrib.boolean_mask(before(x), F.sum(x, axis=1) > 0)
    return F.contrib.boolean_mask(behind(kept), F.sum(kept, axis=1) < 9), before(x), F.sum(kept)


def np_mask(F, before, behind, x):
    return behind(F.np._internal.boolean_mask(before(x), F.np.sum(x, axis=1) > 0))


def nonzero(F, before, behind, x):
    return F.npx.nonzero(F.npx.relu(before(x))), behind(x)


def unique(F, before, behind, x):
    found = F.np.unique(F.np.round(before(x) * 3))
    return behind(F.np.reshape(found, (-1, 1)) * F.np.ones((1, 4))), found


def uniques(F, before, behind, x):
    return F.np.unique(F.np.round(before(x) * 3), return_index=True, return_inverse=True, return_counts=True)


def bincount(F, before, behind, x):
    return behind(before(x)), F.np.bincount(F.np.reshape(F.np.abs(F.np.round(x)).astype("int32"), (-1,)))


OPEN = {
    "boolean_mask": (mask, False),
    "two of them": (masks, False),
    "boolean_mask of mx.np": (np_mask, True),
    "nonzero": (nonzero, True),
    "unique": (unique, True),
    "unique with indices": (uniques, True),
    "bincount": (bincount, True),
}


@pytest.mark.parametrize(("function", "is_np"), OPEN.values(), ids=OPEN)
def test_shapes_that_follow_from_the_data(function, is_np):
    with mx.util.np_shape(is_np), mx.util.np_array(is_np):
        array = mx.np.array if is_np else mx.nd.array
        net = made(function)
        compiled = gluon_neuron.compile(net, array(rows(6)))
        assert compiled.report.regions and any(
            o.sentence == "the shape of its result depends on the data" for o in compiled.report.outside
        )
        lengths = set()
        for seed in range(5):
            check(net, compiled, array(rows(6, 0, seed)))
            found = compiled(array(rows(6, 0, seed)))
            lengths.add(str([a.shape for a in (found if isinstance(found, list | tuple) else [found])]))
        assert len(lengths) > 1
        check(net, compiled, array(rows(6, 1)))
        check(net, compiled, array(rows(9)))


def test_nothing_is_left():
    """In mx.np an array without elements is one like any other."""
    with mx.util.np_shape(True), mx.util.np_array(True):
        net = made(lambda F, before, behind, x: F.np._internal.boolean_mask(before(x), F.np.sum(x, axis=1) > 0) + 1)
        compiled = gluon_neuron.compile(net, mx.np.array(rows(6)))
        assert compiled.report.regions and compiled(mx.np.array(rows(6, -1))).shape == (0, 4)
        agree(compiled(mx.np.array(rows(6))), net(mx.np.array(rows(6))), **CLOSE)


@pytest.mark.parametrize("function", [loop, masks])
def test_other_ways_to_run(tmp_path, function):
    net = made(function)
    x, y = mx.nd.array(rows(5)), mx.nd.array(rows(5, 0, 1))
    compiled = gluon_neuron.compile(net, x)
    compiled.export(tmp_path / "net")
    files = str(tmp_path / "net-symbol.json"), ["data"], str(tmp_path / "net-0000.params")
    again = gluon_neuron.compile(compiled, x)
    assert again.report.regions and [o.op for o in again.report.outside] == [o.op for o in compiled.report.outside]
    baked = gluon_neuron.compile(net, x, inline_weights=True)
    loaded = gluon_neuron.load(tmp_path / "net")
    for model in (loaded, pickle.loads(pickle.dumps(compiled)), gluon.SymbolBlock.imports(*files), again, baked):
        for given in (x, y):
            check(net, model, given)
    net.optimize_for(x, backend="neuron")
    check(net, compiled, y)


def test_new_weights_and_threads():
    net = made(branch)
    x = mx.nd.array(rows(5, 1))
    compiled = gluon_neuron.compile(net, x)
    check(net, compiled, x)
    for param in net.collect_params().values():
        param.set_data(param.data() * 0.5)
    check(net, compiled, x)
    wanted, wrong = [a.asnumpy() for a in net(x)], []

    def call():
        for _ in range(20):
            if not all(np.allclose(a.asnumpy(), b, 1e-4, 1e-5) for a, b in zip(compiled(x), wanted, strict=True)):
                wrong.append(1)

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong and not any(t.is_alive() for t in threads)


def test_in_parts_of_a_batch():
    def by_a_flag(F, before, behind, x, flag):
        return behind(F.contrib.cond(F.sum(flag) > 1, lambda: before(x), lambda: x * 2))

    net = made(by_a_flag)
    compiled = gluon_neuron.compile(net, [mx.nd.array(rows(3)), mx.nd.ones((2,))], dynamic_batch=True)
    assert [o.op for o in compiled.report.outside if o.op == "_cond"]
    for count in (1, 3, 7):
        for flag in (0, 1):
            check(net, compiled, mx.nd.array(rows(count)), mx.nd.ones((2,)) * flag)


def test_an_operator_that_no_hybridized_model_has():
    with mx.util.np_shape(True), mx.util.np_array(True):
        net = made(lambda F, before, behind, x: behind(F.np.delete(before(x), 0, axis=0)))
        with pytest.raises(mx.base.MXNetError, match="_npi_delete"):
            net(mx.np.array(rows(5)))
        with pytest.raises(BlockError, match="_npi_delete"):
            gluon_neuron.compile(net, mx.np.array(rows(5)))


def test_inferred_results():
    x = mx.sym.var("x")
    first = mx.sym.contrib.cond(x.sum() > 0, lambda: x * 2, lambda: x + 1)
    outputs, states = mx.sym.contrib.while_loop(
        lambda y, k: k < 3, lambda y, k: ([y.sum(axis=1)], [y + 1, k + 1]), [first, mx.sym.zeros((1,))], 9
    )
    other = mx.sym.contrib.cond(x.sum() > 0, lambda: x, lambda: mx.sym.sum(x, axis=1))
    grown = mx.sym.contrib.while_loop(
        lambda y, k: k < 3, lambda y, k: ([], [mx.sym.concat(y, y, dim=0), k + 1]), [x, mx.sym.zeros((1,))], 9
    )[1]
    text = mx.sym.Group([first, outputs[0], *states, other + 1, grown[0]]).tojson()
    graph = annotate(text, {"x": Spec((2, 3), "float32")}, False)
    found = [graph.nodes[h.node].outs[h.output] for h in graph.heads]
    assert [s and s.shape for s in found] == [(2, 3), (9, 2), (2, 3), (1,), None, None]
    assert Inference(text, False).has_open_shapes({"x": Spec((2, 3), "float32")})
    assert not Inference((x + 1).tojson(), False).has_open_shapes({"x": Spec((2, 3), "float32")})
