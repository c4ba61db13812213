"""gluon_neuron.benchmark: every call is counted, for each batch, each number of callers, and each net."""

from __future__ import annotations

import threading

import mxnet as mx
import pytest

import gluon_neuron
from gluon_neuron.benchmarking import in_mxnet
from gluon_neuron.errors import BlockError, GraphError, InputError, OptionError, UninitializedError
from tests.agreement import agree
from tests.nets import CLOSE, conv_net, images


@pytest.fixture(scope="module")
def compiled():
    return gluon_neuron.compile(conv_net(), images(2))


def test_rows(compiled):
    found = gluon_neuron.benchmark(
        compiled, images(2), batch_sizes=[2, 5], callers=[1, 2], calls=4, warmup=1, price_per_hour=3.6
    )
    assert [(t.who, t.batch, t.callers, t.calls) for t in found.timings] == [
        (who, batch, callers, 4 * callers)
        for batch in (2, 5)
        for callers in (1, 2)
        for who in ("gluon_neuron", "MXNet")
    ]
    for timing in found.timings:
        low, middle, high, higher, most = timing.latency.values()
        assert 0 < low <= middle <= high <= higher <= most
        assert timing.cost == pytest.approx(1000 / timing.throughput)
        assert timing.who == "MXNet" or timing.times == 1
        # So many samples cannot have taken less than the calls of one caller did.
        assert timing.throughput <= 1e3 * timing.batch * timing.callers / low
    lines = str(found).splitlines()
    assert len(lines) == 2 + len(found.timings) and "p99 ms" in lines[0] and "cost of a million" in lines[0]
    assert [r["batch"] for r in found.rows()] == [t.batch for t in found.timings]


def test_calls_are_made_in_so_many_threads_at_once(compiled, monkeypatch):
    meet, seen = threading.Barrier(3, timeout=30), set()
    call = type(compiled).__call__

    def counted(self, *args):
        if threading.current_thread() is not threading.main_thread():
            seen.add(threading.get_ident())
            meet.wait()
        return call(self, *args)

    monkeypatch.setattr(type(compiled), "__call__", counted)
    found = gluon_neuron.benchmark(compiled, images(2), callers=[3], calls=2, beside=False)
    assert len(seen) >= 3 and [t.calls for t in found.timings] == [6]


def test_a_number_alone_is_one_and_none_beside_is_nothing(compiled):
    found = gluon_neuron.benchmark(compiled, images(2), batch_sizes=4, callers=2, calls=2, warmup=0, beside=None)
    assert [(t.who, t.batch, t.callers) for t in found.timings] == [("gluon_neuron", 4, 2)]


def test_a_block_without_values_beside(compiled):
    beside = conv_net()
    bare = mx.gluon.nn.Dense(3, in_units=4)
    with pytest.raises(UninitializedError, match="dense.*_weight.*Call initialize"):
        gluon_neuron.benchmark(compiled, images(2), beside=bare, calls=1, warmup=0)
    found = gluon_neuron.benchmark(compiled, images(2), beside=beside, calls=1, warmup=0)
    assert len(found.timings) == 2


def test_what_a_caller_raises_is_raised(compiled, monkeypatch):
    call = type(compiled).__call__

    def fails(self, *args):
        if threading.current_thread() is not threading.main_thread():
            raise MemoryError("no more")
        return call(self, *args)

    monkeypatch.setattr(type(compiled), "__call__", fails)
    with pytest.raises(MemoryError, match="no more"):
        gluon_neuron.benchmark(compiled, images(2), callers=[2], calls=2, beside=False)


def test_mxnet_beside_it_computes_the_same_with_the_weights_of_now():
    net = conv_net()
    made = gluon_neuron.compile(net, images())
    net.collect_params()[next(n for n in net.collect_params() if n.endswith("dense0_bias"))].set_data(mx.nd.ones(5) * 7)
    x = images()
    agree(in_mxnet(made)(x), made(x), **CLOSE)


def test_another_block_beside_it(compiled):
    found = gluon_neuron.benchmark(compiled, images(2), beside=conv_net(), calls=2)
    assert [t.who for t in found.timings] == ["gluon_neuron", "MXNet"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"calls": 0}, "calls must be positive"),
        ({"callers": []}, "at least one"),
        ({"callers": [True]}, "callers must be positive"),
        ({"callers": 1.5}, "callers must be positive"),
        ({"batch_sizes": 0}, "batch_sizes must be positive"),
        ({"warmup": -1}, "warmup must be an integer from 0"),
        ({"price_per_hour": 0}, "price_per_hour must be a finite number above 0"),
        ({"price_per_hour": -1.5}, "price_per_hour must be a finite number above 0"),
        ({"price_per_hour": float("nan")}, "price_per_hour must be a finite number above 0"),
        ({"beside": 3}, "not a int"),
        ({"batch_sizes": [1.5]}, "batch_sizes must be positive"),
    ],
)
def test_wrong_options(compiled, options, told):
    with pytest.raises(OptionError, match=told):
        gluon_neuron.benchmark(compiled, images(2), **options)


def test_wrong_nets(compiled):
    with pytest.raises(OptionError, match="a block for each"):
        gluon_neuron.benchmark(compiled, images(2), beside=conv_net(), callers=[2])
    with pytest.raises(BlockError, match="HybridSequential"):
        gluon_neuron.benchmark(conv_net(), images())
    baked = gluon_neuron.compile(conv_net(), images(), inline_weights=True)
    with pytest.raises(GraphError):
        gluon_neuron.benchmark(baked, images(), calls=1)
    assert gluon_neuron.benchmark(baked, images(), calls=1, beside=False).timings[0].calls == 1


def test_inputs_without_a_batch():
    a, b = (mx.sym.var(n, dtype="float32") for n in "ab")
    net = mx.gluon.SymbolBlock(mx.sym.broadcast_add(a * a, b.sum()), [a, b])
    made = gluon_neuron.compile(net, (mx.nd.ones((2, 4)), mx.nd.ones(3)))
    with pytest.raises(InputError, match=r"\(3,\)"):
        gluon_neuron.benchmark(made, (mx.nd.ones((2, 4)), mx.nd.ones(3)), batch_sizes=[4], calls=1)
