"""The check before a derived program is believed: it finds other results, other shapes, and what does not run."""

import threading

import numpy as np
import openvino
import pytest

from gluon_neuron.dialect.in_openvino.builder import Builder
from gluon_neuron.targets.cpu.dynamic_check import Checker
from gluon_neuron.targets.cpu.dynamic_listing import NotDynamic

WEIGHT = np.linspace(-1, 1, 12).reshape(4, 3).astype(np.float32)


def model(rows, last):
    op = Builder()
    x = op.parameter([rows, 4], np.float32)
    w = op.parameter([4, 3], np.float32)
    for node, name in ((x, "x"), (w, "w")):
        node.output(0).set_names({name})
    return openvino.Model([op.result(last(op, op.matmul(x, w, False, False)))], [x, w], "m")


def same(op, y):
    return op.relu(y)


def check(dynamic, *static, precision="f32"):
    Checker(lambda name: WEIGHT, {"INFERENCE_PRECISION_HINT": precision}).check(dynamic, static, ("x",), frozenset())


def test_the_same():
    check(model(-1, same), model(3, same), model(1, same))


OTHER = {
    "another function": lambda op, y: op.tanh(y),
    "a little more": lambda op, y: op.multiply(op.relu(y), op.const(1.01, "float32")),
    "another shape": lambda op, y: op.concat([op.relu(y), op.relu(y)], 0),
    "not all rows": lambda op, y: op.multiply(op.relu(y), op.const([[1], [1], [0]], "float32")),
}


@pytest.mark.parametrize("name", OTHER)
def test_other_results(name):
    dynamic = model(3 if name == "not all rows" else -1, OTHER[name])
    with pytest.raises(NotDynamic, match=r"checked on data of shape \(3, 4\), it gives other results"):
        check(dynamic, model(3, same))


def test_the_second_shape_is_looked_at_too():
    def less_for_one(op, y):
        rows = op.convert(op.gather(op.shape_of(y, "i32"), op.const([0]), op.const(0)), "f32")
        return op.multiply(op.relu(y), op.minimum(rows, op.const([2], "float32")))

    def twice(op, y):
        return op.multiply(op.relu(y), op.const([2], "float32"))

    with pytest.raises(NotDynamic, match=r"shape \(1, 4\)"):
        check(model(-1, less_for_one), model(3, twice), model(1, twice))


def test_nothing_but_nan_shows_nothing():
    def nan(op, y):
        return op.log(op.subtract(op.const(-1, "float32"), op.abs(y)))

    with pytest.raises(NotDynamic, match="other results"):
        check(model(-1, nan), model(3, nan))


def test_what_does_not_run():
    with pytest.raises(NotDynamic, match="OpenVINO does not run it"):
        check(model(5, same), model(3, same))


def test_it_runs_in_a_thread_that_ends(monkeypatch):
    """A thread in which OpenVINO has worked is not to be one that forks."""
    threads = []
    run = Checker._run

    def seen(*given):
        threads.append(threading.current_thread())
        return run(*given)

    monkeypatch.setattr(Checker, "_run", seen)
    check(model(-1, same), model(3, same))
    assert len(threads) == 2
    assert threading.current_thread() not in threads
    assert not any(t.is_alive() for t in threads)


def test_at_the_interpreters_end_it_runs_all_the_same(monkeypatch):
    def start(self):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", start)
    check(model(-1, same), model(3, same))
